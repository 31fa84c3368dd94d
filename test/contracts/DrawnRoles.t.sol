// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Roles, Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {IValidatorVoting} from "../../contracts/interfaces/IValidatorVoting.sol";
import {Lot, Sortition} from "../../contracts/libraries/Sortition.sol";
import {Base, Phase, Role, RoundId, vm} from "./support/Base.sol";

/// @notice One pool, and each round draws who trains and who votes.
contract DrawnRolesTest is Base {
    using Sortition for Lot;

    uint256 private constant TRAINING = 6;
    uint256 private constant VOTING = 9;
    uint256 private constant EXPECTED = TRAINING + VOTING;

    address[] private everyone; // all of it

    function setUp() public override {
        super.setUp();
        Terms memory terms = defaultTerms();
        terms.roles = Roles.Drawn;
        createTask(terms);
        fund(creator, FUNDS);
        for (uint256 i = 0; i < trainers.length; ++i) everyone.push(trainers[i]);
        for (uint256 i = 0; i < validators.length; ++i) everyone.push(validators[i]);
    }

    /* POOLS */

    function test_openRound_needsTrainersAndAQuorumInTheOnePool() public {
        stakePool(10);
        vm.expectRevert(abi.encodeWithSelector(IRounds.PoolTooSmall.selector, Role.Drawn, 10 * UNIT, 11 * UNIT));
        rounds.openRound(task, none(), none());
        stake(everyone[10], Role.Drawn, UNIT);
        vm.expectEmit(address(rounds));
        emit IRounds.RoundOpened(
            task,
            RoundId.wrap(1),
            uint40(block.timestamp),
            uint40(block.number + 1),
            11 * uint256(UNIT),
            11 * uint256(UNIT)
        );
        rounds.openRound(task, none(), none());
    }

    /* ROLES */

    /// @dev The quotient of the luck under the seed makes the role; seats of trainers come from the same luck, those of
    /// voters from luck under their own seed.
    function test_seats_areTheFormula() public {
        stakePool(everyone.length);
        (bytes32 accumulator, address first) = playToBallot();
        bytes32 voterSeed = Sortition.voterSeed(SEED, Sortition.mix(accumulator, VOTER_VALUE));
        uint256 d = everyone.length * uint256(UNIT);
        uint256 both;
        for (uint256 i = 0; i < everyone.length; ++i) {
            uint256 u = luckOf(everyone[i], SEED);
            bool trains = (u / d) % EXPECTED < TRAINING;
            uint256 share = EXPECTED * UNIT;
            uint256 asTrainer = trains ? (share + (u % d)) / d : 0;
            uint256 asVoter = trains ? 0 : (share + (luckOf(everyone[i], voterSeed) % d)) / d;
            vm.assertEq(rounds.seats(task, Role.Trainer, everyone[i]), asTrainer, "trainer's seats");
            vm.assertEq(rounds.seats(task, Role.Validator, everyone[i]), asVoter, "voter's seats");
            if (asTrainer != 0) both |= 1;
            if (asVoter != 0) both |= 2;
        }
        vm.assertEq(both, 3, "both roles occur");
        vm.assertGt(rounds.seats(task, Role.Trainer, first), 0, "the proposer");
    }

    function test_commit_revertsInTheOtherRole() public {
        stakePool(EXPECTED); // so that each has exactly one seat, in one of the roles
        openRound();
        address voter = drawn(Role.Validator);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NoSeats.selector, voter));
        vm.prank(voter);
        rounds.commitProposal(task, voter, "commitment");
        address trainer = drawn(Role.Trainer);
        sealProposal(trainer);
        endPhase(Phase.Propose);
        publish(trainer);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.NoSeats.selector, trainer));
        vm.prank(trainer);
        voting.commitBallot(task, trainer, "commitment", "");
        vm.prank(voter);
        voting.commitBallot(task, voter, "commitment", "");
    }

    /// @dev Who was drawn to train and proposed nothing is no absent voter.
    function test_accuseAbsence_revertsForATrainer() public {
        stakePool(EXPECTED);
        playRound(false);
        endPhase(Phase.Ballot);
        address trainer = drawn(Role.Trainer);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.NoSeats.selector, trainer));
        voting.accuseAbsence(task, trainer);
    }

    /// @dev Rounds draw anew, pay and slash out of the one pool, and conserve.
    function test_rounds_drawAnewAndConserve() public {
        stakePool(EXPECTED);
        uint256 roles = rolesOf(1);
        for (uint256 r = 1; r <= 3; ++r) {
            vm.assertTrue(r == 1 || rolesOf(r) != roles, "other roles in another round");
            playRound(true);
            (uint96 total, uint96 again) = staking.totals(task);
            uint256 sum;
            for (uint256 i = 0; i < EXPECTED; ++i) sum += account(everyone[i]).active;
            vm.assertEq(total, sum, "total of the pool");
            vm.assertEq(again, total, "the one pool, whoever asks");
        }
        vm.assertGt(purse().paid, 0, "paid");
    }

    /* STATISTICS: fixed seeds, so they never flicker */

    /// @dev Chi-square over 15 remainders and two roles, 14 degrees of freedom: below 36.1 with probability 0.999. Every
    /// remainder is one bucket, so a role that shares any bit with the remainder shows.
    function test_role_independent_of_remainder() public view {
        uint256 draws = 30_000;
        Lot memory lot = Lot(task, RoundId.wrap(1), Role.Drawn, address(0), EXPECTED, 1, EXPECTED);
        uint256[EXPECTED] memory training;
        uint256[EXPECTED] memory all;
        uint256 total;
        for (uint160 i = 0; i < draws; ++i) {
            lot.operator = address(i);
            uint256 u = lot.luck(SEED, address(rounds));
            ++all[u % EXPECTED];
            if (lot.roleOf(u, TRAINING) != Role.Trainer) continue;
            ++training[u % EXPECTED];
            ++total;
        }
        // Of each remainder the same part trains: sum of (seen - expected)² / (expected * (1 - part)), in thousandths.
        uint256 chi;
        for (uint256 k = 0; k < EXPECTED; ++k) {
            uint256 want = all[k] * total;
            uint256 seen = training[k] * draws;
            uint256 gap = seen > want ? seen - want : want - seen;
            chi += (1000 * gap * gap) / (all[k] * total * (draws - total));
        }
        vm.assertLt(chi, 36_100, "chi-square of role and remainder");
        vm.assertLe(draws * TRAINING - 450 * EXPECTED, total * EXPECTED, "trainers, five sigma below");
        vm.assertLe(total * EXPECTED, draws * TRAINING + 450 * EXPECTED, "trainers, five sigma above");
    }

    /// @dev Over 50 seeds of each kind 80 operators fill on average 6 seats of trainers and 9 of voters. Five sigma of the
    /// mean are below 1.7 and 2.1.
    function test_seats_averageTheExpectationOfEachRole() public {
        stakePool(everyone.length);
        openRound();
        uint40 block_ = rounds.round(task).seedBlock;
        uint256 sum;
        for (uint256 s = 0; s < 50; ++s) {
            vm.setBlockhash(block_, keccak256(abi.encode(SEED, s)));
            sum += seatsOf(Role.Trainer);
        }
        vm.assertLe(50 * TRAINING, sum + 85, "trainers' seats, from below");
        vm.assertLe(sum, 50 * TRAINING + 85, "trainers' seats, from above");

        vm.setBlockhash(block_, SEED);
        address trainer = drawn(Role.Trainer);
        sealProposal(trainer);
        endPhase(Phase.Propose);
        publish(trainer);
        // Who votes is drawn by the seed; how many seats they have, by fifty voters' seeds.
        uint256 voters_;
        for (uint256 i = 0; i < everyone.length; ++i) {
            if ((luckOf(everyone[i], SEED) / (everyone.length * uint256(UNIT))) % EXPECTED >= TRAINING) ++voters_;
        }
        sum = 0;
        for (uint256 s = 0; s < 50; ++s) {
            vm.setBlockhash(rounds.round(task).voterBlock, keccak256(abi.encode(VOTER_VALUE, s)));
            sum += seatsOf(Role.Validator);
        }
        uint256 want = (50 * voters_ * EXPECTED) / everyone.length;
        vm.assertLe(want, sum + 105, "voters' seats, from below");
        vm.assertLe(sum, want + 105, "voters' seats, from above");
    }

    /* ACTS */

    function stakePool(uint256 count) private {
        for (uint256 i = 0; i < count; ++i) stake(everyone[i], Role.Drawn, UNIT);
    }

    /// @dev The first of the everyone that has seats of a role. Seats of voters only once publish is over.
    function drawn(Role role) private view returns (address) {
        uint256 d =
            (everyone.length > EXPECTED && weight(everyone[EXPECTED]) != 0 ? everyone.length : EXPECTED) *
                uint256(UNIT);
        for (uint256 i = 0; i < everyone.length; ++i) {
            if (role == Role.Trainer && rounds.seats(task, role, everyone[i]) != 0) return everyone[i];
            if (role == Role.Validator && (luckOf(everyone[i], SEED) / d) % EXPECTED >= TRAINING) return everyone[i];
        }
        revert("nobody drawn");
    }

    function playToBallot() private returns (bytes32 accumulator, address first) {
        openRound();
        first = drawn(Role.Trainer);
        sealProposal(first);
        endPhase(Phase.Propose);
        publish(first);
        accumulator = rounds.round(task).accumulator;
    }

    /// @dev Every trainer of the first fifteen proposes, every voter votes; settled or up to the end of ballots.
    function playRound(bool toTheEnd) private {
        openRound();
        for (uint256 i = 0; i < EXPECTED; ++i) {
            if (rounds.seats(task, Role.Trainer, everyone[i]) != 0) sealProposal(everyone[i]);
        }
        endPhase(Phase.Propose);
        address[] memory list = proposers();
        for (uint256 i = 0; i < list.length; ++i) publish(list[i]);
        for (uint256 i = 0; i < EXPECTED; ++i) {
            if (rounds.seats(task, Role.Validator, everyone[i]) != 0) sealBallot(everyone[i], ballot(300, 20));
        }
        if (!toTheEnd) return;
        revealBallots();
        settle();
    }

    /* READINGS */

    function luckOf(address operator, bytes32 seed) private view returns (uint256) {
        return luckIn(operator, seed, newest());
    }

    function luckIn(address operator, bytes32 seed, RoundId round) private view returns (uint256) {
        return uint256(keccak256(abi.encode(seed, address(rounds), task, round, Role.Drawn, operator)));
    }

    /// @dev Who of the first fifteen trains in a round under the tests' seed.
    function rolesOf(uint256 round) private view returns (uint256 bits) {
        for (uint256 i = 0; i < EXPECTED; ++i) {
            uint256 u = luckIn(everyone[i], SEED, RoundId.wrap(uint32(round)));
            if ((u / (EXPECTED * uint256(UNIT))) % EXPECTED < TRAINING) bits |= 1 << i;
        }
    }

    function seatsOf(Role role) private view returns (uint256 sum) {
        for (uint256 i = 0; i < everyone.length; ++i) sum += rounds.seats(task, role, everyone[i]);
    }
}
