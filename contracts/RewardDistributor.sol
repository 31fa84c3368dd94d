// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRewardDistributor, Purse} from "./interfaces/IRewardDistributor.sol";
import {IRounds, Phase, Round, Standing} from "./interfaces/IRounds.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {ITaskRegistry, Payout, Terms} from "./interfaces/ITaskRegistry.sol";
import {IValidatorVoting, Votes} from "./interfaces/IValidatorVoting.sol";
import {BOUNTY_DIVISOR, BPS, KEPT_TENTHS, SETTLE_BPS} from "./libraries/Constants.sol";
import {Lists} from "./libraries/Lists.sol";
import {Payouts} from "./libraries/Payouts.sol";
import {Ranking} from "./libraries/Ranking.sol";
import {Outcome, Panel, Tally} from "./libraries/Tally.sol";
import {RoundId} from "./types/RoundId.sol";
import {TaskId} from "./types/TaskId.sol";
import {Vote} from "./types/Vote.sol";

contract RewardDistributor is IRewardDistributor {
    using Lists for uint256[];
    using Lists for Vote[];
    using SafeCast for uint256;

    /// @dev All that a settlement carries from step to step.
    struct Settlement {
        TaskId task;
        RoundId round;
        Terms terms;
        uint256 pot;
        uint256 bounty; // of the settler, out of the pot
        uint256[] seats; // of the proposers
        bytes32[] artifacts; // of the published proposals
        Votes votes;
        Panel panel;
        bool isVoid;
        Outcome outcome; // empty if void: then nobody is paid and only omissions are faults
        bytes20 head;
        uint256[] factors;
        uint256 paid;
        uint256 slashed;
        uint256 accusers; // what they get out of what is slashed
    }

    /* IMMUTABLES */

    /// @inheritdoc IRewardDistributor
    ITaskRegistry public immutable registry;
    /// @inheritdoc IRewardDistributor
    IStaking public immutable staking;
    /// @inheritdoc IRewardDistributor
    IRounds public immutable rounds;
    /// @inheritdoc IRewardDistributor
    IValidatorVoting public immutable voting;

    /* STORAGE */

    mapping(TaskId task => Purse purse) private _purses;

    /* CONSTRUCTOR */

    constructor(ITaskRegistry registry_, IStaking staking_, IRounds rounds_, IValidatorVoting voting_) {
        registry = registry_;
        staking = staking_;
        rounds = rounds_;
        voting = voting_;
    }

    /* ANYONE */

    /// @inheritdoc IRewardDistributor
    function fund(TaskId task, uint256 amount) external {
        require(amount != 0, ZeroAmount());
        registry.requireOpen(task);
        require(rounds.roundsLeft(task) != 0, NoRoundsLeft(task));
        (address creator, , , , , ) = registry.task(task);
        bool refundable = msg.sender == creator;
        Purse storage self = _purses[task];

        if (rounds.standing(task).phase != Phase.None) self.incoming += amount.toUint96();
        else self.pot += amount.toUint96();
        if (refundable) self.deposited += amount.toUint96();
        if (self.idleSince == 0) self.idleSince = uint40(block.timestamp);

        emit Funded(task, msg.sender, amount, refundable);
        staking.deposit(msg.sender, amount);
    }

    /// @inheritdoc IRewardDistributor
    function settle(TaskId task, address[] calldata proposers, address[] calldata voters) external {
        (Phase current, ) = voting.phase(task);
        require(current == Phase.Settle, UnexpectedPhase(task, current, Phase.Settle));
        Settlement memory s = _load(task, proposers, voters);
        if (!s.isVoid) s.bounty = Math.min((s.pot * SETTLE_BPS) / BPS, s.terms.seatStake / BOUNTY_DIVISOR);
        _settle(s, proposers, voters);
    }

    /// @inheritdoc IRewardDistributor
    function close(TaskId task) external {
        registry.requireOpen(task);
        _requireClosable(task);
        Purse storage self = _purses[task];
        (address creator, , , , , ) = registry.task(task);

        uint256 left = uint256(self.pot) + self.incoming;
        uint256 refund = Math.min(left, Math.saturatingSub(self.deposited, self.paid));
        uint256 burned = left - refund;
        (self.pot, self.incoming) = (0, 0);
        registry.close(task);
        if (refund != 0) staking.credit(task, creator, refund);
        if (burned != 0) staking.burn(burned);

        emit TaskClosed(task, refund, burned);
    }

    /* ROUNDS */

    /// @inheritdoc IRewardDistributor
    function settleVoid(TaskId task, address[] calldata proposers, address[] calldata voters) external {
        require(msg.sender == address(rounds), NotRounds(msg.sender));
        (Phase current, ) = voting.phase(task);
        require(current == Phase.Settle, IRounds.RoundStillOpen(task, rounds.standing(task).number));
        Settlement memory s = _load(task, proposers, voters);
        require(s.isVoid, IRounds.RoundStillOpen(task, s.round));
        _settle(s, proposers, voters);
    }

    /* VIEWS */

    /// @inheritdoc IRewardDistributor
    function purse(TaskId task) external view returns (Purse memory) {
        return _purses[task];
    }

    /// @inheritdoc IRewardDistributor
    function potOfRound(TaskId task) public view returns (uint256) {
        uint256 roundsLeft = rounds.roundsLeft(task);
        return roundsLeft == 0 ? 0 : _purses[task].pot / roundsLeft;
    }

    /* INTERNAL: the steps of a settlement, in their order */

    function _load(
        TaskId task,
        address[] calldata proposers,
        address[] calldata voters
    ) private view returns (Settlement memory s) {
        s.task = task;
        s.terms = registry.terms(task);
        Standing memory standing = rounds.standing(task);
        (s.round, s.pot) = (standing.number, _purses[task].pot / (s.terms.rounds - standing.paidRounds));
        (s.seats, s.artifacts) = rounds.proposals(task, proposers);
        s.votes = voting.votes(task, voters);
        s.panel = Tally.panel(s.votes, s.artifacts.length);
        s.isVoid = s.artifacts.length == 0 || s.panel.seats < Tally.quorum(s.terms);
    }

    function _settle(Settlement memory s, address[] calldata proposers, address[] calldata voters) private {
        _decide(s);
        _settleTrainers(s, proposers);
        _settleVoters(s, voters);
        if (!s.isVoid) _settleAbsent(s, voters);
        uint256 burned = _book(s);

        emit RoundSettled(
            s.task,
            s.round,
            s.isVoid,
            s.pot,
            Tally.packMedians(s.outcome),
            Tally.packVerdicts(s.outcome),
            s.paid,
            s.slashed,
            burned,
            s.bounty
        );
    }

    function _decide(Settlement memory s) private pure {
        if (!s.isVoid) {
            s.outcome = Tally.decide(s.panel, s.terms);
            s.head = Tally.headReference(s.votes, s.terms);
        }
        s.factors = Payouts.factorsOf(s.seats, s.artifacts.length, s.outcome, s.terms);
    }

    function _settleTrainers(Settlement memory s, address[] calldata proposers) private {
        uint256[] memory shares = s.factors;
        if (s.terms.payout == Payout.Ranked && !s.isVoid) {
            bytes32 seed = rounds.round(s.task).seed;
            shares = Ranking.weightsOf(s.seats, s.factors, s.outcome, proposers, seed, s.terms.rankRatioBps);
        }
        (uint256[] memory pays, uint256[] memory faults) = Payouts.ofTrainers(
            s.seats,
            s.outcome,
            shares,
            s.pot - s.bounty,
            s.terms
        );
        _settleAccounts(s, proposers, pays, faults);
    }

    function _settleVoters(Settlement memory s, address[] calldata voters) private {
        (uint256[] memory pays, uint256[] memory faults) = Payouts.ofVoters(
            s.votes,
            s.panel,
            s.outcome,
            s.head,
            s.pot - s.bounty,
            s.terms
        );
        _settleAccounts(s, voters, pays, faults);
    }

    function _settleAccounts(
        Settlement memory s,
        address[] calldata operators,
        uint256[] memory pays,
        uint256[] memory faults
    ) private {
        uint256 paid;
        for (uint256 i = 0; i < pays.length; ++i) paid += pays.get(i);
        s.paid += paid;
        s.slashed += staking.settleAccounts(s.task, operators, pays, faults);
    }

    function _settleAbsent(Settlement memory s, address[] calldata voters) private {
        uint256 cap = Payouts.faultOf(1, s.terms.absentBps, 1, 1, s.terms) / BOUNTY_DIVISOR;
        for (uint256 v = 0; v < voters.length; ++v) {
            Vote vote = s.votes.voters.get(v);
            address accuser = vote.accuserOf();
            if (accuser == address(0)) continue;
            uint256 fault = Payouts.faultOf(vote.seatsOf(), s.terms.absentBps, 1, 1, s.terms);
            (uint256 cut, uint256 bounty) = staking.slashAbsent(s.task, voters[v], fault, accuser, cap);
            s.slashed += cut;
            s.accusers += bounty;
        }
    }

    /// @dev Books the sums, moves the head and ends the round.
    function _book(Settlement memory s) private returns (uint256 burned) {
        Purse storage self = _purses[s.task];
        uint256 kept = (s.slashed * KEPT_TENTHS) / 10;
        burned = s.slashed - kept - s.accusers;
        if (s.bounty != 0) staking.credit(s.task, msg.sender, s.bounty);
        if (burned != 0) staking.burn(burned);
        // No overflow: all ledgers together never exceed what the vault holds. `paid` may count a token many times.
        uint256 spent = s.paid + s.bounty;
        self.pot = uint96(self.pot - spent + self.incoming + kept);
        (self.incoming, self.idleSince) = (0, uint40(block.timestamp));
        self.paid = uint96(Math.min(self.paid + spent, type(uint96).max));

        (, , bytes32 headId, , , ) = registry.task(s.task);
        if (s.head != 0) emit HeadReferenced(s.task, s.round, headId, s.head);
        _moveHead(s);
        staking.closeRound(s.task);
        rounds.settled(s.task, s.isVoid);
    }

    /// @dev Moves the head by the accepted proposals, if there are any.
    function _moveHead(Settlement memory s) private {
        uint256 accepted;
        uint256[] memory all = s.factors;
        for (uint256 i = 0; i < all.length; ++i) if (all.get(i) != 0) ++accepted;
        if (accepted == 0) return;

        bytes32[] memory artifacts = new bytes32[](accepted);
        uint256[] memory factors = new uint256[](accepted);
        uint256 next = 0;
        for (uint256 i = 0; i < all.length; ++i) {
            if (all.get(i) == 0) continue;
            (artifacts[next], factors[next]) = (s.artifacts[i], all.get(i));
            ++next;
        }
        registry.moveHead(s.task, s.round, s.factors.length, artifacts, factors);
    }

    function _requireClosable(TaskId task) private view {
        Round memory round = rounds.round(task);
        require(!round.open, IRounds.RoundStillOpen(task, round.number));
        Terms memory terms = registry.terms(task);
        (, , , , , uint40 closableAt) = registry.task(task);
        uint40 idleSince = _purses[task].idleSince;
        bool isOver = round.paidRounds == terms.rounds || round.voids >= terms.maxVoids;
        bool isNoticed = closableAt != 0 && block.timestamp >= closableAt;
        bool isIdle = idleSince != 0 && block.timestamp >= idleSince + terms.idleAfter;
        require(isOver || isNoticed || isIdle, NotClosable(task));
    }
}
