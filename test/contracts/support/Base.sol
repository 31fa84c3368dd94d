// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockhashBeacon} from "../../../contracts/BlockhashBeacon.sol";
import {FlockToken} from "../../../contracts/FlockToken.sol";
import {RewardDistributor} from "../../../contracts/RewardDistributor.sol";
import {Rounds} from "../../../contracts/Rounds.sol";
import {Staking} from "../../../contracts/Staking.sol";
import {TaskRegistry} from "../../../contracts/TaskRegistry.sol";
import {ValidatorVoting} from "../../../contracts/ValidatorVoting.sol";
import {Purse, Verdict} from "../../../contracts/interfaces/IRewardDistributor.sol";
import {Phase, Round} from "../../../contracts/interfaces/IRounds.sol";
import {Account, Pool, Position, Role} from "../../../contracts/interfaces/IStaking.sol";
import {Payout, Roles, Terms} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Commitments} from "../../../contracts/libraries/Commitments.sol";
import {Shares} from "../../../contracts/libraries/Shares.sol";
import {Phases} from "../../../contracts/libraries/Phases.sol";
import {ABSTAIN, Ballot, MISSING} from "../../../contracts/types/Ballot.sol";
import {NO_ROUND, RoundId} from "../../../contracts/types/RoundId.sol";
import {TaskId} from "../../../contracts/types/TaskId.sol";
import {Vm, vm} from "./Vm.sol";

/// @notice The deployed system, its actors, and one helper for each act of a round. Stakes are multiples of `UNIT`, the
/// seat stake, and no pool exceeds `expected * UNIT`: so an operator has exactly one seat for each unit it staked.
abstract contract Base {
    uint96 internal constant UNIT = 100 ether;
    uint256 internal constant FUNDS = 10_000 ether;
    bytes32 internal constant MANIFEST = "manifest";
    bytes32 internal constant SEED = "seed";
    bytes32 internal constant VOTER_VALUE = "value of the voters' block";
    bytes32 internal constant REPORT = "report";
    bytes20 internal constant HEAD = bytes20("head");

    struct Preimage {
        Ballot scores;
        bytes20 head;
        bytes32 salt;
    }

    FlockToken internal token;
    TaskRegistry internal registry;
    Staking internal staking;
    BlockhashBeacon internal beacon;
    Rounds internal rounds;
    ValidatorVoting internal voting;
    RewardDistributor internal distributor;

    address internal creator = address(0xC0);
    address internal stranger = address(0x57);
    address[] internal trainers; // ascending, each with one unit
    address[] internal validators; // ascending, each with one unit
    address[] internal delegators; // whoever delegated
    TaskId internal task; // the newest

    TaskId[] private _tasks;
    address[] private _published;
    address[] private _sealed; // and not published
    address[] private _voters;
    address[] private _absent; // accused
    mapping(address voter => Preimage) private _preimages;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        vm.roll(1000);
        for (uint160 i = 0; i < 16; ++i) trainers.push(address(0x1000 + i));
        for (uint160 i = 0; i < 64; ++i) validators.push(address(0x2000 + i));
        deploy(new FlockToken(address(this)));
        token.transfer(creator, 100 * FUNDS);
        allow(creator);
    }

    /* THE SYSTEM */

    function deploy(FlockToken token_) internal {
        delete _tasks;
        token = token_;
        registry = new TaskRegistry();
        staking = new Staking(token, registry);
        beacon = new BlockhashBeacon();
        rounds = new Rounds(registry, staking, beacon);
        voting = new ValidatorVoting(rounds);
        distributor = new RewardDistributor(registry, staking, rounds, voting);
        registry.bind(address(distributor));
        staking.bind(address(rounds), address(distributor));
        rounds.bind(address(voting), address(distributor));
    }

    /// @dev The defaults, with nine voters instead of 36 so that one voter is one seat.
    function defaultTerms() internal pure returns (Terms memory) {
        return
            Terms({
                seatStake: uint88(UNIT),
                propose: 6 hours,
                publish: 30 minutes,
                ballot: 2 hours,
                reveal: 30 minutes,
                grace: 12 hours,
                unbonding: 7 days,
                rankRatioBps: 8500,
                maxLeverage: 9,
                rounds: 10,
                expectedTrainers: 6,
                expectedVoters: 9,
                maxVoids: 5,
                acceptBps: 6000,
                minGain: 5,
                band: 50,
                dissentBand: 200,
                toleranceBps: 2500,
                rejectBps: 3000,
                unrevealedBps: 1500,
                dissentBps: 1000,
                headBps: 500,
                absentBps: 200,
                voterShareBps: 3000,
                idleAfter: 30 days,
                roles: Roles.Declared,
                payout: Payout.Proportional
            });
    }

    /* ACTS */

    function createTask(Terms memory terms) internal {
        vm.prank(creator);
        task = registry.createTask(terms, MANIFEST);
        _tasks.push(task);
    }

    /// @dev A funded task with one unit staked by each of the first trainers and validators.
    function createTask(Terms memory terms, uint256 trainerCount, uint256 validatorCount) internal {
        createTask(terms);
        fund(creator, FUNDS);
        for (uint256 i = 0; i < trainerCount; ++i) stake(trainers[i], Role.Trainer, UNIT);
        for (uint256 i = 0; i < validatorCount; ++i) stake(validators[i], Role.Validator, UNIT);
    }

    function allow(address actor) internal {
        vm.prank(actor);
        token.approve(address(staking), type(uint256).max);
    }

    function fund(address from, uint256 amount) internal {
        vm.prank(from);
        distributor.fund(task, amount);
    }

    function stake(address operator, Role role, uint256 amount) internal {
        token.transfer(operator, amount);
        allow(operator);
        vm.prank(operator);
        staking.stake(task, role, amount);
    }

    function requestExit(address operator, uint256 amount) internal {
        vm.prank(operator);
        staking.requestExit(task, operator, amount);
    }

    function acceptDelegation(address operator, uint16 commissionBps) internal {
        vm.prank(operator);
        staking.acceptDelegation(task, commissionBps);
    }

    function delegate(address owner, address operator, uint256 amount) internal {
        token.transfer(owner, amount);
        allow(owner);
        vm.prank(owner);
        staking.delegate(task, operator, amount);
        delegators.push(owner);
    }

    /// @dev Opens a round and goes on until its seed is known.
    function openRound() internal {
        delete _published;
        delete _sealed;
        delete _voters;
        delete _absent;
        rounds.openRound(task, none(), none());
        vm.roll(block.number + 2);
        vm.setBlockhash(block.number - 1, SEED);
    }

    function artifactOf(address trainer) internal view returns (bytes32) {
        return keccak256(abi.encode("artifact", trainer, newest()));
    }

    function saltOf(address operator) internal view returns (bytes32) {
        return keccak256(abi.encode("salt", operator, newest()));
    }

    function sealProposal(address trainer) internal {
        bytes32 commitment = Commitments.proposal(
            address(rounds),
            task,
            newest(),
            trainer,
            artifactOf(trainer),
            saltOf(trainer)
        );
        vm.prank(trainer);
        rounds.commitProposal(task, trainer, commitment);
        _sealed.push(trainer);
    }

    function publish(address trainer) internal {
        rounds.publishProposal(task, trainer, artifactOf(trainer), saltOf(trainer));
        _published.push(trainer);
        _drop(_sealed, trainer);
        if (_published.length == 1) _fixVoterValue();
    }

    /// @dev Goes on until the block that the voters' seed needs is there.
    function _fixVoterValue() private {
        vm.roll(block.number + 2);
        vm.setBlockhash(rounds.round(task).voterBlock, VOTER_VALUE);
    }

    /// @dev Opens a round in which the first `count` trainers propose and publish in order.
    function proposeAndPublish(uint256 count) internal {
        openRound();
        for (uint256 i = 0; i < count; ++i) sealProposal(trainers[i]);
        endPhase(Phase.Propose);
        for (uint256 i = 0; i < count; ++i) publish(trainers[i]);
    }

    function sealBallot(address voter, Ballot scores) internal {
        sealBallot(voter, scores, HEAD);
    }

    function sealBallot(address voter, Ballot scores, bytes20 head) internal {
        _preimages[voter] = Preimage(scores, head, saltOf(voter));
        bytes32 commitment = ballotCommitment(voter, scores, head);
        vm.prank(voter);
        voting.commitBallot(task, voter, commitment, "");
        _voters.push(voter);
    }

    function ballotCommitment(address voter, Ballot scores, bytes20 head) internal view returns (bytes32) {
        return Commitments.ballot(address(voting), task, newest(), voter, scores, REPORT, head, saltOf(voter));
    }

    function reveal(address voter) internal {
        Preimage storage p = _preimages[voter];
        voting.revealBallot(task, voter, p.scores, REPORT, p.head, p.salt);
    }

    function revealAll() internal {
        for (uint256 i = 0; i < _voters.length; ++i) reveal(_voters[i]);
    }

    function accuse(address accuser, address operator) internal {
        vm.prank(accuser);
        voting.accuseAbsence(task, operator);
        _absent.push(operator);
    }

    /// @dev All `count` first validators vote `scores`, reveal, and the round becomes settleable.
    function voteAlike(uint256 count, Ballot scores) internal {
        for (uint256 i = 0; i < count; ++i) sealBallot(validators[i], scores);
        revealBallots();
    }

    /// @dev From the ballot phase on: everybody reveals and the round becomes settleable.
    function revealBallots() internal {
        endPhase(Phase.Ballot);
        revealAll();
        endPhase(Phase.Reveal);
    }

    function settle() internal {
        distributor.settle(task, proposers(), voters());
    }

    /* TIME */

    /// @dev Goes to the end of `phase`, which the round must be in.
    function endPhase(Phase phase) internal {
        (Phase current, uint40 endsAt) = voting.phase(task);
        vm.assertEq(uint256(current), uint256(phase), "phase to end");
        vm.warp(endsAt);
    }

    function skip(uint256 time) internal {
        vm.warp(block.timestamp + time);
    }

    /* LISTS */

    /// @dev Published in slot order, then the others ascending.
    function proposers() internal view returns (address[] memory list) {
        address[] memory rest = _sorted(_sealed);
        list = new address[](_published.length + rest.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = i < _published.length ? _published[i] : rest[i - _published.length];
        }
    }

    /// @dev All who sealed a ballot or are accused of absence, ascending.
    function voters() internal view returns (address[] memory list) {
        list = new address[](_voters.length + _absent.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = i < _voters.length ? _voters[i] : _absent[i - _voters.length];
        }
        return _sorted(list);
    }

    function none() internal pure returns (address[] memory) {
        return new address[](0);
    }

    /* BALLOTS */

    function ballot(int16 a) internal pure returns (Ballot) {
        return _pack(a, 0, 0, 0);
    }

    function ballot(int16 a, int16 b) internal pure returns (Ballot) {
        return _pack(a, b, 0, 0);
    }

    function ballot(int16 a, int16 b, int16 c) internal pure returns (Ballot) {
        return _pack(a, b, c, 0);
    }

    function ballot(int16 a, int16 b, int16 c, int16 d) internal pure returns (Ballot) {
        return _pack(a, b, c, d);
    }

    /* READINGS */

    function newest() internal view returns (RoundId) {
        return rounds.round(task).number;
    }

    function account(address operator) internal view returns (Account memory) {
        return staking.account(task, operator);
    }

    function pool(address operator) internal view returns (Pool memory) {
        return staking.pool(task, operator);
    }

    function position(address operator, address owner) internal view returns (Position memory) {
        return staking.position(task, operator, owner);
    }

    function weight(address operator) internal view returns (uint256 w) {
        (, w) = staking.weightOf(task, operator);
    }

    function purse() internal view returns (Purse memory) {
        return distributor.purse(task);
    }

    function headId() internal view returns (bytes32 id) {
        (, , id, , , ) = registry.task(task);
    }

    /* ASSERTIONS */

    function assertPhase(Phase expected) internal view {
        (Phase current, ) = voting.phase(task);
        vm.assertEq(uint256(current), uint256(expected), "phase");
    }

    /// @dev Token balance = active + joining + leaving + left + claimable + pots + to burn, over all tasks, to the wei; with
    /// delegators, less than what rounding may leave.
    function assertConserved() internal view {
        uint256 sum = staking.toBurn();
        for (uint256 t = 0; t < _tasks.length; ++t) {
            Purse memory p = distributor.purse(_tasks[t]);
            sum += uint256(p.pot) + p.incoming;
            for (uint256 i = 0; i < trainers.length; ++i) sum += _holdings(_tasks[t], trainers[i]);
            for (uint256 i = 0; i < validators.length; ++i) sum += _holdings(_tasks[t], validators[i]);
            // A refund, and the bounties of those who settle and accuse.
            address[3] memory others = [creator, stranger, address(this)];
            for (uint256 i = 0; i < others.length; ++i) sum += _holdings(_tasks[t], others[i]);
        }
        uint256 balance = token.balanceOf(address(staking));
        vm.assertLe(sum, balance, "nothing is owed that is not there");
        vm.assertLe(balance, sum + 10 * delegators.length, "conservation");
        _assertTotals();
    }

    /// @dev The sums of weights are the sums of weights.
    function _assertTotals() private view {
        Terms memory terms = registry.terms(task);
        uint256[2] memory sums;
        for (uint256 i = 0; i < trainers.length + validators.length; ++i) {
            address operator = i < trainers.length ? trainers[i] : validators[i - trainers.length];
            Account memory a = account(operator);
            uint256 amount = uint256(a.active) + a.joining;
            if (amount < terms.seatStake) continue;
            uint256 most = amount * terms.maxLeverage;
            uint256 counts = Shares.countsNext(pool(operator));
            sums[a.role == Role.Validator ? 1 : 0] += amount + (counts < most ? counts : most);
        }
        if (terms.roles == Roles.Drawn) sums[1] = sums[0];
        (uint96 trainerTotal, uint96 voterTotal) = staking.totals(task);
        vm.assertEq(trainerTotal, sums[0], "trainer total");
        vm.assertEq(voterTotal, sums[1], "voter total");
    }

    function _holdings(TaskId id, address operator) private view returns (uint256 sum) {
        Account memory a = staking.account(id, operator);
        sum = uint256(a.active) + a.joining + a.leaving + a.left + a.claimable;
        Pool memory delegated = staking.pool(id, operator);
        if (!delegated.accepts) return sum;
        sum += uint256(delegated.active) + delegated.joining;
        for (uint256 i = 0; i < delegators.length; ++i) {
            if (_isListed(i)) continue;
            Position memory its = staking.position(id, operator, delegators[i]);
            sum += uint256(its.left) + its.claimable;
        }
    }

    /// @dev Whether the delegator is in the list before.
    function _isListed(uint256 index) private view returns (bool) {
        for (uint256 i = 0; i < index; ++i) if (delegators[i] == delegators[index]) return true;
        return false;
    }

    function _pack(int16 a, int16 b, int16 c, int16 d) private pure returns (Ballot) {
        return Ballot.wrap(_lane(a, 0) | _lane(b, 1) | _lane(c, 2) | _lane(d, 3));
    }

    function _lane(int16 score, uint256 slot) internal pure returns (uint256) {
        return uint256(uint16(score)) << (16 * slot);
    }

    function _drop(address[] storage list, address one) private {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] != one) continue;
            list[i] = list[list.length - 1];
            list.pop();
            return;
        }
    }

    function _sorted(address[] memory list) private pure returns (address[] memory) {
        for (uint256 i = 1; i < list.length; ++i) {
            for (uint256 j = i; j > 0 && list[j] < list[j - 1]; --j) (list[j], list[j - 1]) = (list[j - 1], list[j]);
        }
        return list;
    }
}
