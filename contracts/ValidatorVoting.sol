// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds, Phase} from "./interfaces/IRounds.sol";
import {Role} from "./interfaces/IStaking.sol";
import {Durations, ITaskRegistry} from "./interfaces/ITaskRegistry.sol";
import {IValidatorVoting, Poll, Vote} from "./interfaces/IValidatorVoting.sol";
import {Ballots} from "./libraries/Ballots.sol";
import {Commitments} from "./libraries/Commitments.sol";
import {MAX_BALLOTS} from "./libraries/Constants.sol";
import {Openings, Phases} from "./libraries/Phases.sol";
import {Ballot} from "./types/Ballot.sol";
import {NO_ROUND, RoundId} from "./types/RoundId.sol";
import {TaskId} from "./types/TaskId.sol";

contract ValidatorVoting is IValidatorVoting {
    /// @dev The newest ballot of an operator: it belongs to the round it names and to no other.
    struct SealedBallot {
        RoundId round;
        uint16 seats;
        bool revealed;
        bytes20 head;
        bytes32 word; // the commitment, then the scores
    }

    /// @dev What phases need of the newest round.
    struct Clock {
        Durations lengths;
        RoundId round;
        bool open;
        uint256 openedAt;
        Openings proposals;
        Openings ballots;
    }

    /* IMMUTABLES */

    ITaskRegistry private immutable _registry;
    IRounds private immutable _rounds;

    /* STORAGE: keyed by task and used again by every round */

    mapping(TaskId task => Poll) private _polls;
    mapping(TaskId task => mapping(address operator => SealedBallot)) private _ballots;

    /* CONSTRUCTOR */

    constructor(ITaskRegistry registry, IRounds rounds) {
        _registry = registry;
        _rounds = rounds;
    }

    /* VOTER */

    /// @inheritdoc IValidatorVoting
    function commitBallot(TaskId task, bytes32 commitment) external {
        Clock memory clock = _clock(task);
        _requirePhase(task, clock, Phase.Ballot);
        SealedBallot storage mine = _ballots[task][msg.sender];
        Poll storage self = _polls[task];
        require(mine.round != clock.round, AlreadySealed(msg.sender));
        if (self.round != clock.round) _reset(self, clock.round);
        require(self.ballots < MAX_BALLOTS, BallotsFull(MAX_BALLOTS));
        uint16 seats = _rounds.seats(task, Role.Validator, msg.sender);
        require(seats != 0, NoSeats(msg.sender));

        (mine.round, mine.seats, mine.revealed, mine.head) = (clock.round, seats, false, 0);
        mine.word = commitment;
        self.ballots += 1;
        self.sealedSeats += seats;

        emit BallotCommitted(task, clock.round, msg.sender, seats, commitment);
    }

    /* ANYONE */

    /// @inheritdoc IValidatorVoting
    function revealBallot(
        TaskId task,
        address operator,
        Ballot scores,
        bytes32 report,
        bytes20 head,
        bytes32 salt
    ) external {
        Clock memory clock = _clock(task);
        _requirePhase(task, clock, Phase.Reveal);
        SealedBallot storage one = _ballots[task][operator];
        require(one.round == clock.round, NotSealed(operator));
        require(!one.revealed, AlreadyRevealed(operator));
        require(
            one.word == Commitments.ballot(address(this), task, clock.round, operator, scores, report, head, salt),
            CommitmentMismatch(operator)
        );
        uint256 published = clock.proposals.opened;
        require(Ballots.isCanonical(scores, published), NotCanonical(scores, published));
        require(head != 0 || !Ballots.judges(scores, published), HeadRequired(scores));

        (one.revealed, one.head) = (true, head);
        one.word = bytes32(Ballot.unwrap(scores));
        _countReveal(_polls[task], one.seats, clock);

        emit BallotRevealed(task, clock.round, operator, scores, report, head);
    }

    /* VIEWS */

    /// @inheritdoc IValidatorVoting
    function phase(TaskId task) external view returns (Phase current, uint40 endsAt) {
        if (_rounds.seedMissed(task)) return (Phase.Settle, 0);
        uint256 end;
        (current, end) = _phase(_clock(task));
        endsAt = uint40(end);
    }

    /// @inheritdoc IValidatorVoting
    function poll(TaskId task) external view returns (Poll memory) {
        return _polls[task];
    }

    /// @inheritdoc IValidatorVoting
    function ballot(TaskId task, address operator) external view returns (RoundId, uint16, bool, bytes32, bytes20) {
        SealedBallot storage self = _ballots[task][operator];
        return (self.round, self.seats, self.revealed, self.word, self.head);
    }

    /// @inheritdoc IValidatorVoting
    function votes(TaskId task, address[] calldata operators) external view returns (Vote[] memory list) {
        (RoundId round, , , , , , ) = _rounds.progress(task);
        uint256 count = _polls[task].round == round ? _polls[task].ballots : 0;
        require(operators.length == count, WrongCount(operators.length, count));

        list = new Vote[](count);
        for (uint256 i = 0; i < count; ++i) {
            SealedBallot storage one = _ballots[task][operators[i]];
            bool inOrder = i == 0 || operators[i] > operators[i - 1];
            require(one.round == round && inOrder, WrongOrder(i));
            Vote memory vote = list[i];
            vote.seats = one.seats;
            if (!one.revealed) continue;
            (vote.revealed, vote.head) = (true, one.head);
            vote.scores = Ballot.wrap(uint256(one.word));
        }
    }

    /* INTERNAL */

    function _reset(Poll storage self, RoundId round) private {
        (self.round, self.ballots, self.revealed) = (round, 0, 0);
        (self.sealedSeats, self.revealedSeats, self.onTimeSeats, self.lastRevealedAt) = (0, 0, 0, 0);
    }

    function _countReveal(Poll storage self, uint16 seats, Clock memory clock) private {
        (, uint256 ballotEnd) = Phases.ofProposals(clock.lengths, clock.openedAt, clock.proposals, block.timestamp);
        self.revealed += 1;
        self.revealedSeats += seats;
        self.lastRevealedAt = uint40(block.timestamp);
        if (block.timestamp < ballotEnd + clock.lengths.reveal) self.onTimeSeats += seats;
    }

    function _clock(TaskId task) private view returns (Clock memory clock) {
        clock.lengths = _registry.durations(task);
        Openings memory proposals = clock.proposals;
        (
            clock.round,
            clock.open,
            clock.openedAt,
            proposals.committed,
            proposals.opened,
            proposals.onTime,
            proposals.lastAt
        ) = _rounds.progress(task);
        Poll storage self = _polls[task];
        if (self.round != clock.round || clock.round == NO_ROUND) return clock;
        clock.ballots = Openings({
            committed: self.sealedSeats,
            opened: self.revealedSeats,
            onTime: self.onTimeSeats,
            lastAt: self.lastRevealedAt
        });
    }

    function _phase(Clock memory clock) private view returns (Phase, uint256) {
        if (!clock.open) return (Phase.None, 0);
        return Phases.ofRound(clock.lengths, clock.openedAt, clock.proposals, clock.ballots, block.timestamp);
    }

    function _requirePhase(TaskId task, Clock memory clock, Phase expected) private view {
        (Phase current, ) = _phase(clock);
        require(current == expected, UnexpectedPhase(task, current, expected));
    }
}
