// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ballot} from "../types/Ballot.sol";
import {RoundId} from "../types/RoundId.sol";
import {TaskId} from "../types/TaskId.sol";
import {Vote} from "../types/Vote.sol";
import {IRounds, Phase} from "./IRounds.sol";

/// @notice What became of a voter's ballot.
enum BallotState {
    None,
    Sealed,
    Revealed,
    Absent // accused of sealing none
}

/// @notice The ballots of one round.
struct Poll {
    RoundId round; // the round these numbers belong to; another than the newest means no ballot yet
    uint8 ballots; // ballots sealed
    uint8 revealed; // ballots revealed
    uint8 accused; // voters accused of absence
    uint16 sealedSeats; // their seats
    uint16 revealedSeats;
    uint16 onTimeSeats; // of those, before the reveal deadline without grace
    uint40 lastRevealedAt; // time of the newest reveal, 0 if none
}

/// @notice All ballots of a round as its settlement needs them, voter by voter, the absent among them.
struct Votes {
    Vote[] voters;
    Ballot[] scores; // 0 if not revealed
}

/// @title Sealed ballots and their reveal
/// @notice A ballot is sealed as `keccak256(abi.encode(keccak256("flock.ballot.1"), chainid, this contract, task, round,
/// operator, uint256 scores, bytes32 report, bytes20 head, bytes32 salt))`: 16 scores, the sha256 of the validation
/// report, and the first 20 bytes of the sha256 of the head that it measured against.
///
/// A ballot is canonical if every lane beyond the published proposals is 0. Head zero says "I could not build the head"
/// and goes only with a ballot of nothing but ABSTAIN and MISSING. What is not canonical can never be revealed.
///
/// Reveal ends when every sealed ballot is revealed; otherwise at its deadline, or `grace` later if at the deadline less
/// than two thirds of the sealed seats were revealed. It lasts at least half its length.
interface IValidatorVoting {
    /// @notice Emitted when a voter seals a ballot.
    /// @param copy The ballot encrypted by the voter for itself, so that a lost disk loses nothing. Nobody else reads it.
    event BallotCommitted(
        TaskId indexed task,
        RoundId indexed round,
        address indexed operator,
        uint16 seats,
        bytes32 commitment,
        bytes copy
    );

    /// @notice Emitted when a sealed ballot is opened.
    event BallotRevealed(
        TaskId indexed task,
        RoundId indexed round,
        address indexed operator,
        Ballot scores,
        bytes32 report,
        bytes20 head,
        bytes32 salt
    );

    /// @notice Emitted when a voter is accused of sealing no ballot.
    event AbsenceAccused(
        TaskId indexed task,
        RoundId indexed round,
        address indexed operator,
        uint16 seats,
        address accuser
    );

    /// @notice Thrown when an act comes outside its phase.
    error UnexpectedPhase(TaskId task, Phase current, Phase expected);

    /// @notice Thrown when an operator has no seat as a voter in this round.
    error NoSeats(address operator);

    /// @notice Thrown when a copy is longer than 160 bytes.
    error CopyTooLong(uint256 length);

    /// @notice Thrown when an operator is accused a second time in a round.
    error AlreadyAccused(address operator);

    /// @notice Thrown when less than a quorum of seats was sealed: that is an outage, and nobody is accused.
    error TooFewSealed(uint256 seats, uint256 quorum);

    /// @notice Thrown when an operator seals a second ballot in a round.
    error AlreadySealed(address operator);

    /// @notice Thrown when all 64 places of a round are taken by ballots and accusations.
    error BallotsFull(uint256 limit);

    /// @notice Thrown when an operator sealed no ballot in this round.
    error NotSealed(address operator);

    /// @notice Thrown when a ballot is revealed twice.
    error AlreadyRevealed(address operator);

    /// @notice Thrown when what is revealed is not what was sealed.
    error CommitmentMismatch(address operator);

    /// @notice Thrown when a lane beyond the published proposals is not 0.
    error NotCanonical(Ballot scores, uint256 published);

    /// @notice Thrown when a ballot that judges a proposal names no head.
    error HeadRequired(Ballot scores);

    /// @notice Thrown when a list of voters has the wrong length.
    error WrongCount(uint256 given, uint256 expected);

    /// @notice Thrown when a list of voters is out of order at `index`, or names someone who sealed no ballot.
    error WrongOrder(uint256 index);

    /* VOTER */

    /// @notice Seals a ballot of `operator`, by itself or its signer; once a round, with at least one seat, at most 64 a
    /// round.
    /// @param copy At most 160 bytes, kept in the event only: the ballot encrypted by the voter for itself.
    function commitBallot(TaskId task, address operator, bytes32 commitment, bytes calldata copy) external;

    /* ANYONE */

    /// @notice Opens a sealed ballot. Callable by anyone who holds the preimage.
    function revealBallot(
        TaskId task,
        address operator,
        Ballot scores,
        bytes32 report,
        bytes20 head,
        bytes32 salt
    ) external;

    /// @notice Says that `operator` has seats as a voter and sealed no ballot. Callable by anyone during reveal, if a quorum
    /// of seats was sealed. The settlement slashes the absent by `absentBps` and gives the accuser a capped part of it.
    function accuseAbsence(TaskId task, address operator) external;

    /* VIEWS */

    /// @notice Where the newest round of `task` stands now.
    /// @return phase The phase.
    /// @return endsAt When it ends as things stand, 0 for None and Settle, which end by an act. Publish and reveal can
    /// still end earlier, or take a grace.
    function phase(TaskId task) external view returns (Phase phase, uint40 endsAt);

    /// @notice The newest poll of `task`; it belongs to the newest round only if its `round` says so.
    function poll(TaskId task) external view returns (Poll memory);

    /// @notice The newest ballot of `operator`; it belongs to the newest round only if `round` says so.
    /// @return round The round it was sealed in.
    /// @return seats The seats it was sealed with.
    /// @return state Sealed, revealed, or absent.
    /// @return word The commitment; the scores once revealed; stale of the absent.
    /// @return head The head digest it names, once revealed; the accuser of the absent.
    function ballot(
        TaskId task,
        address operator
    ) external view returns (RoundId round, uint16 seats, BallotState state, bytes32 word, bytes20 head);

    /// @notice All ballots of the newest round. Reverts unless `operators` are exactly those who sealed one or are accused
    /// of absence, ascending.
    function votes(TaskId task, address[] calldata operators) external view returns (Votes memory);

    /// @notice The contract of rounds.
    function rounds() external view returns (IRounds);
}
