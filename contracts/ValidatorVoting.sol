// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds, Phase, Standing} from "./interfaces/IRounds.sol";
import {Role} from "./interfaces/IStaking.sol";
import {BallotState, IValidatorVoting, Poll, Votes} from "./interfaces/IValidatorVoting.sol";
import {Ballots} from "./libraries/Ballots.sol";
import {Commitments} from "./libraries/Commitments.sol";
import {MAX_BALLOTS, MAX_COPY} from "./libraries/Constants.sol";
import {Lists} from "./libraries/Lists.sol";
import {Openings, Phases} from "./libraries/Phases.sol";
import {Ballot} from "./types/Ballot.sol";
import {RoundId} from "./types/RoundId.sol";
import {TaskId} from "./types/TaskId.sol";
import {Vote, voteOf} from "./types/Vote.sol";

contract ValidatorVoting is IValidatorVoting {
    using Lists for Ballot[];
    using Lists for Vote[];

    /// @dev The newest ballot of an operator: it belongs to the round it names and to no other.
    struct SealedBallot {
        RoundId round;
        uint16 seats;
        BallotState state;
        bytes20 head; // of the absent, their accuser
        bytes32 word; // the commitment, then the scores
    }

    /// @dev Where the newest round stands.
    struct Clock {
        RoundId round;
        Phase phase;
        uint256 endsAt;
        uint256 published;
        uint256 quorum;
        uint256 ballotEnd; // once publish is over
        uint256 reveal;
    }

    /* IMMUTABLES */

    /// @inheritdoc IValidatorVoting
    IRounds public immutable rounds;

    /* STORAGE: keyed by task and used again by every round */

    mapping(TaskId task => Poll poll) private _polls;
    mapping(TaskId task => mapping(address operator => SealedBallot ballot)) private _ballots;

    /* CONSTRUCTOR */

    constructor(IRounds rounds_) {
        rounds = rounds_;
    }

    /* VOTER */

    /// @inheritdoc IValidatorVoting
    function commitBallot(TaskId task, address operator, bytes32 commitment, bytes calldata copy) external {
        Clock memory clock = _clock(task);
        _requirePhase(task, clock, Phase.Ballot);
        require(copy.length <= MAX_COPY, CopyTooLong(copy.length));
        SealedBallot storage sealedOne = _ballots[task][operator];
        Poll storage self = _polls[task];
        require(sealedOne.round != clock.round, AlreadySealed(operator));
        if (self.round != clock.round) _reset(self, clock.round);
        require(self.ballots < MAX_BALLOTS, BallotsFull(MAX_BALLOTS));
        uint16 seats = rounds.takeVoterSeats(task, operator, msg.sender);
        require(seats != 0, NoSeats(operator));

        (sealedOne.round, sealedOne.seats) = (clock.round, seats);
        (sealedOne.state, sealedOne.head) = (BallotState.Sealed, 0);
        sealedOne.word = commitment;
        self.ballots += 1;
        self.sealedSeats += seats;

        emit BallotCommitted(task, clock.round, operator, seats, commitment, copy);
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
        require(one.round == clock.round && one.state != BallotState.Absent, NotSealed(operator));
        require(one.state == BallotState.Sealed, AlreadyRevealed(operator));
        require(
            one.word == Commitments.ballot(address(this), task, clock.round, operator, scores, report, head, salt),
            CommitmentMismatch(operator)
        );
        require(Ballots.isCanonical(scores, clock.published), NotCanonical(scores, clock.published));
        require(head != 0 || !Ballots.judges(scores, clock.published), HeadRequired(scores));

        (one.state, one.head) = (BallotState.Revealed, head);
        one.word = bytes32(Ballot.unwrap(scores));
        _countReveal(_polls[task], one.seats, clock);

        emit BallotRevealed(task, clock.round, operator, scores, report, head, salt);
    }

    /// @inheritdoc IValidatorVoting
    function accuseAbsence(TaskId task, address operator) external {
        Clock memory clock = _clock(task);
        _requirePhase(task, clock, Phase.Reveal);
        SealedBallot storage one = _ballots[task][operator];
        Poll storage self = _polls[task];
        require(self.round == clock.round, TooFewSealed(0, clock.quorum));
        require(self.sealedSeats >= clock.quorum, TooFewSealed(self.sealedSeats, clock.quorum));
        require(self.ballots + self.accused < MAX_BALLOTS, BallotsFull(MAX_BALLOTS));
        if (one.round == clock.round) {
            require(one.state == BallotState.Absent, AlreadySealed(operator));
            revert AlreadyAccused(operator);
        }
        uint16 seats = rounds.seats(task, Role.Validator, operator);
        require(seats != 0, NoSeats(operator));

        (one.round, one.seats) = (clock.round, seats);
        (one.state, one.head) = (BallotState.Absent, bytes20(msg.sender));
        self.accused += 1;

        emit AbsenceAccused(task, clock.round, operator, seats, msg.sender);
    }

    /* VIEWS */

    /// @inheritdoc IValidatorVoting
    function phase(TaskId task) external view returns (Phase, uint40 endsAt) {
        Clock memory clock = _clock(task);
        return (clock.phase, uint40(clock.endsAt));
    }

    /// @inheritdoc IValidatorVoting
    function poll(TaskId task) external view returns (Poll memory) {
        return _polls[task];
    }

    /// @inheritdoc IValidatorVoting
    function ballot(
        TaskId task,
        address operator
    ) external view returns (RoundId, uint16, BallotState, bytes32, bytes20) {
        SealedBallot storage self = _ballots[task][operator];
        return (self.round, self.seats, self.state, self.word, self.head);
    }

    /// @inheritdoc IValidatorVoting
    function votes(TaskId task, address[] calldata operators) external view returns (Votes memory list) {
        RoundId round = rounds.standing(task).number;
        Poll storage self = _polls[task];
        uint256 count = self.round == round ? self.ballots + self.accused : 0;
        require(operators.length == count, WrongCount(operators.length, count));

        (Vote[] memory voters, Ballot[] memory scores) = (new Vote[](count), new Ballot[](count));
        (list.voters, list.scores) = (voters, scores);
        mapping(address operator => SealedBallot) storage ballots = _ballots[task];
        address last = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address operator = operators[i];
            SealedBallot storage one = ballots[operator];
            require(one.round == round && operator > last, WrongOrder(i));
            last = operator;
            voters.set(i, voteOf(one.seats, one.state, one.head));
            if (one.state == BallotState.Revealed) scores.set(i, Ballot.wrap(uint256(one.word)));
        }
    }

    /* INTERNAL */

    function _reset(Poll storage self, RoundId round) private {
        (self.round, self.ballots, self.revealed, self.accused) = (round, 0, 0, 0);
        (self.sealedSeats, self.revealedSeats, self.onTimeSeats, self.lastRevealedAt) = (0, 0, 0, 0);
    }

    function _countReveal(Poll storage self, uint16 seats, Clock memory clock) private {
        self.revealed += 1;
        self.revealedSeats += seats;
        self.lastRevealedAt = uint40(block.timestamp);
        if (block.timestamp < clock.ballotEnd + clock.reveal) self.onTimeSeats += seats;
    }

    function _clock(TaskId task) private view returns (Clock memory clock) {
        Standing memory proposals = rounds.standing(task);
        (clock.round, clock.phase, clock.endsAt) = (proposals.number, proposals.phase, proposals.endsAt);
        (clock.published, clock.quorum, clock.reveal) = (proposals.published, proposals.quorum, proposals.reveal);
        if (clock.phase != Phase.Ballot) return clock;

        clock.ballotEnd = clock.endsAt;
        Poll storage self = _polls[task];
        Openings memory openings;
        if (self.round == clock.round) {
            (openings.committed, openings.opened) = (self.sealedSeats, self.revealedSeats);
            (openings.onTime, openings.lastAt) = (self.onTimeSeats, self.lastRevealedAt);
        }
        (clock.phase, clock.endsAt) = Phases.ofBallots(
            clock.ballotEnd,
            clock.reveal,
            proposals.grace,
            openings,
            block.timestamp
        );
    }

    function _requirePhase(TaskId task, Clock memory clock, Phase expected) private pure {
        require(clock.phase == expected, UnexpectedPhase(task, clock.phase, expected));
    }
}
