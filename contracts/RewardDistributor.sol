// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRewardDistributor, Purse} from "./interfaces/IRewardDistributor.sol";
import {IRounds, Phase, Round} from "./interfaces/IRounds.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {ITaskRegistry, Terms} from "./interfaces/ITaskRegistry.sol";
import {IValidatorVoting, Votes} from "./interfaces/IValidatorVoting.sol";
import {KEPT_TENTHS} from "./libraries/Constants.sol";
import {Payouts} from "./libraries/Payouts.sol";
import {Outcome, Panel, Tally} from "./libraries/Tally.sol";
import {RoundId} from "./types/RoundId.sol";
import {TaskId} from "./types/TaskId.sol";

contract RewardDistributor is IRewardDistributor {
    using SafeCast for uint256;

    /// @dev All that a settlement carries from step to step.
    struct Settlement {
        TaskId task;
        RoundId round;
        Terms terms;
        uint256 pot;
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
    }

    /* IMMUTABLES */

    ITaskRegistry private immutable _registry;
    IStaking private immutable _staking;
    IRounds private immutable _rounds;
    IValidatorVoting private immutable _voting;

    /* STORAGE */

    mapping(TaskId task => Purse purse) private _purses;

    /* CONSTRUCTOR */

    constructor(ITaskRegistry registry, IStaking staking, IRounds rounds, IValidatorVoting voting) {
        _registry = registry;
        _staking = staking;
        _rounds = rounds;
        _voting = voting;
    }

    /* ANYONE */

    /// @inheritdoc IRewardDistributor
    function fund(TaskId task, uint256 amount) external {
        require(amount != 0, ZeroAmount());
        _registry.requireOpen(task);
        (address creator, , , , ) = _registry.task(task);
        bool refundable = msg.sender == creator;
        Purse storage self = _purses[task];

        if (_isOpen(task)) self.incoming += amount.toUint96();
        else self.pot += amount.toUint96();
        if (refundable) self.deposited += amount.toUint96();

        emit Funded(task, msg.sender, amount, refundable);
        _staking.deposit(msg.sender, amount);
    }

    /// @inheritdoc IRewardDistributor
    function settle(TaskId task, address[] calldata proposers, address[] calldata voters) external {
        (Phase current, ) = _voting.phase(task);
        require(current == Phase.Settle, UnexpectedPhase(task, current, Phase.Settle));
        Settlement memory s = _load(task, proposers, voters);

        uint256 total = _decide(s);
        _settleTrainers(s, proposers, total);
        _settleVoters(s, voters);
        uint256 burned = _book(s);

        emit RoundSettled(
            task,
            s.round,
            s.isVoid,
            s.pot,
            Tally.packMedians(s.outcome),
            Tally.packVerdicts(s.outcome),
            s.paid,
            s.slashed,
            burned
        );
    }

    /// @inheritdoc IRewardDistributor
    function close(TaskId task) external {
        _registry.requireOpen(task);
        _requireClosable(task);
        Purse storage self = _purses[task];
        (address creator, , , , ) = _registry.task(task);

        uint256 left = uint256(self.pot) + self.incoming;
        uint256 refund = Math.min(left, Math.saturatingSub(self.deposited, self.paid));
        uint256 burned = left - refund;
        (self.pot, self.incoming) = (0, 0);
        _registry.close(task);
        if (burned != 0) _staking.burn(burned);

        emit TaskClosed(task, refund, burned);
        if (refund != 0) _staking.release(creator, refund);
    }

    /* CREATOR */

    /// @inheritdoc IRewardDistributor
    function announceClose(TaskId task) external {
        _registry.requireOpen(task);
        (address creator, , , , ) = _registry.task(task);
        require(msg.sender == creator, NotCreator(msg.sender, creator));

        uint40 closableAt = uint40(block.timestamp + _registry.terms(task).unbonding);
        _purses[task].closableAt = closableAt;

        emit CloseAnnounced(task, closableAt);
    }

    /* VIEWS */

    /// @inheritdoc IRewardDistributor
    function purse(TaskId task) external view returns (Purse memory) {
        return _purses[task];
    }

    /// @inheritdoc IRewardDistributor
    function potOfRound(TaskId task) public view returns (uint256) {
        uint256 roundsLeft = _rounds.roundsLeft(task);
        return roundsLeft == 0 ? 0 : _purses[task].pot / roundsLeft;
    }

    /* INTERNAL: the steps of a settlement, in their order */

    function _load(
        TaskId task,
        address[] calldata proposers,
        address[] calldata voters
    ) private view returns (Settlement memory s) {
        s.task = task;
        s.terms = _registry.terms(task);
        (s.round, , , , , ) = _rounds.standing(task);
        s.pot = potOfRound(task);
        (s.seats, s.artifacts) = _rounds.proposals(task, proposers);
        s.votes = _voting.votes(task, voters);
        s.panel = Tally.panel(s.votes, s.artifacts.length);
        s.isVoid = s.artifacts.length == 0 || s.panel.seats < Tally.quorum(s.terms);
    }

    function _decide(Settlement memory s) private pure returns (uint256 total) {
        if (!s.isVoid) {
            s.outcome = Tally.decide(s.panel, s.terms);
            s.head = Tally.headReference(s.votes, s.terms);
        }
        (s.factors, total) = Payouts.factorsOf(s.seats, s.artifacts.length, s.outcome, s.terms);
    }

    function _settleTrainers(Settlement memory s, address[] calldata proposers, uint256 total) private {
        (uint256[] memory pays, uint256[] memory faults) = Payouts.ofTrainers(
            s.seats,
            s.outcome,
            s.factors,
            total,
            s.pot,
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
            s.pot,
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
        for (uint256 i = 0; i < pays.length; ++i) s.paid += pays[i];
        s.slashed += _staking.settleAccounts(s.task, operators, pays, faults);
    }

    /// @dev Books the sums, moves the head and ends the round.
    function _book(Settlement memory s) private returns (uint256 burned) {
        Purse storage self = _purses[s.task];
        uint256 kept = (s.slashed * KEPT_TENTHS) / 10;
        burned = s.slashed - kept;
        // No overflow: all ledgers together never exceed what the vault holds. `paid` may count a token many times.
        self.pot = uint96(self.pot - s.paid + self.incoming + kept);
        self.incoming = 0;
        self.paid = uint96(Math.min(self.paid + s.paid, type(uint96).max));
        if (burned != 0) _staking.burn(burned);

        (, , bytes32 headId, , ) = _registry.task(s.task);
        if (s.head != 0) emit HeadReferenced(s.task, s.round, headId, s.head);
        _moveHead(s);
        _staking.closeRound(s.task);
        _rounds.settled(s.task, s.isVoid);
    }

    /// @dev Moves the head by the accepted proposals, if there are any.
    function _moveHead(Settlement memory s) private {
        uint256 accepted;
        for (uint256 i = 0; i < s.factors.length; ++i) if (s.factors[i] != 0) ++accepted;
        if (accepted == 0) return;

        bytes32[] memory artifacts = new bytes32[](accepted);
        uint256[] memory factors = new uint256[](accepted);
        uint256 next = 0;
        for (uint256 i = 0; i < s.factors.length; ++i) {
            if (s.factors[i] == 0) continue;
            (artifacts[next], factors[next]) = (s.artifacts[i], s.factors[i]);
            ++next;
        }
        _registry.moveHead(s.task, s.round, s.factors.length, artifacts, factors);
    }

    function _isOpen(TaskId task) private view returns (bool) {
        (, Phase phase, , , , ) = _rounds.standing(task);
        return phase != Phase.None;
    }

    function _requireClosable(TaskId task) private view {
        Round memory round = _rounds.round(task);
        require(!round.open, RoundStillOpen(task, round.number));
        Terms memory terms = _registry.terms(task);
        uint40 closableAt = _purses[task].closableAt;
        bool isOver = round.paidRounds == terms.rounds || round.voids >= terms.maxVoids;
        bool isNoticed = closableAt != 0 && block.timestamp >= closableAt;
        require(isOver || isNoticed, NotClosable(task, closableAt));
    }
}
