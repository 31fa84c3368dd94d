// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds, Phase} from "./interfaces/IRounds.sol";
import {Role} from "./interfaces/IStaking.sol";
import {IValidatorVoting, Poll, Votes} from "./interfaces/IValidatorVoting.sol";
import {Ballots} from "./libraries/Ballots.sol";
import {Commitments} from "./libraries/Commitments.sol";
import {MAX_BALLOTS} from "./libraries/Constants.sol";
import {Openings, Phases} from "./libraries/Phases.sol";
import {Ballot} from "./types/Ballot.sol";
import {RoundId} from "./types/RoundId.sol";
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

    /// @dev Where the newest round stands.
    struct Clock {
        RoundId round;
        Phase phase;
        uint256 endsAt;
        uint256 published;
        uint256 ballotEnd; // once publish is over
        uint256 reveal;
    }

    /* IMMUTABLES */

    IRounds private immutable _rounds;

    /* STORAGE: keyed by task and used again by every round */

    mapping(TaskId task => Poll poll) private _polls;
    mapping(TaskId task => mapping(address operator => SealedBallot ballot)) private _ballots;

    /* CONSTRUCTOR */

    constructor(IRounds rounds) {
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
        require(Ballots.isCanonical(scores, clock.published), NotCanonical(scores, clock.published));
        require(head != 0 || !Ballots.judges(scores, clock.published), HeadRequired(scores));

        (one.revealed, one.head) = (true, head);
        one.word = bytes32(Ballot.unwrap(scores));
        _countReveal(_polls[task], one.seats, clock);

        emit BallotRevealed(task, clock.round, operator, scores, report, head);
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
    function ballot(TaskId task, address operator) external view returns (RoundId, uint16, bool, bytes32, bytes20) {
        SealedBallot storage self = _ballots[task][operator];
        return (self.round, self.seats, self.revealed, self.word, self.head);
    }

    /// @inheritdoc IValidatorVoting
    function votes(TaskId task, address[] calldata operators) external view returns (Votes memory list) {
        (RoundId round, , , , , ) = _rounds.standing(task);
        uint256 count = _polls[task].round == round ? _polls[task].ballots : 0;
        require(operators.length == count, WrongCount(operators.length, count));

        list.seats = new uint256[](count);
        list.weights = new uint256[](count);
        list.scores = new Ballot[](count);
        list.heads = new bytes20[](count);
        for (uint256 i = 0; i < count; ++i) {
            SealedBallot storage one = _ballots[task][operators[i]];
            bool inOrder = i == 0 || operators[i] > operators[i - 1];
            require(one.round == round && inOrder, WrongOrder(i));
            list.seats[i] = one.seats;
            if (!one.revealed) continue;
            (list.weights[i], list.heads[i]) = (one.seats, one.head);
            list.scores[i] = Ballot.wrap(uint256(one.word));
        }
    }

    /* INTERNAL */

    function _reset(Poll storage self, RoundId round) private {
        (self.round, self.ballots, self.revealed) = (round, 0, 0);
        (self.sealedSeats, self.revealedSeats, self.onTimeSeats, self.lastRevealedAt) = (0, 0, 0, 0);
    }

    function _countReveal(Poll storage self, uint16 seats, Clock memory clock) private {
        self.revealed += 1;
        self.revealedSeats += seats;
        self.lastRevealedAt = uint40(block.timestamp);
        if (block.timestamp < clock.ballotEnd + clock.reveal) self.onTimeSeats += seats;
    }

    function _clock(TaskId task) private view returns (Clock memory clock) {
        uint256 grace;
        (clock.round, clock.phase, clock.endsAt, clock.published, clock.reveal, grace) = _rounds.standing(task);
        if (clock.phase != Phase.Ballot) return clock;

        clock.ballotEnd = clock.endsAt;
        Poll storage self = _polls[task];
        Openings memory openings;
        if (self.round == clock.round) {
            (openings.committed, openings.opened) = (self.sealedSeats, self.revealedSeats);
            (openings.onTime, openings.lastAt) = (self.onTimeSeats, self.lastRevealedAt);
        }
        (clock.phase, clock.endsAt) = Phases.ofBallots(clock.ballotEnd, clock.reveal, grace, openings, block.timestamp);
    }

    function _requirePhase(TaskId task, Clock memory clock, Phase expected) private pure {
        require(clock.phase == expected, UnexpectedPhase(task, clock.phase, expected));
    }
}
