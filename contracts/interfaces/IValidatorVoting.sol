// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ballot} from "../types/Ballot.sol";
import {RoundId} from "../types/RoundId.sol";
import {TaskId} from "../types/TaskId.sol";
import {Phase} from "./IRounds.sol";

/// @notice The ballots of one round.
struct Poll {
    RoundId round; // the round these numbers belong to; another than the newest means no ballot yet
    uint8 ballots; // ballots sealed
    uint8 revealed; // ballots revealed
    uint16 sealedSeats; // their seats
    uint16 revealedSeats;
    uint16 onTimeSeats; // of those, before the reveal deadline without grace
    uint40 lastRevealedAt; // time of the newest reveal, 0 if none
}

/// @notice All ballots of a round as its settlement needs them, voter by voter.
struct Votes {
    uint256[] seats; // sealed with
    uint256[] weights; // the same if revealed, otherwise 0
    Ballot[] scores; // 0 if not revealed
    bytes20[] heads; // 0 if not revealed, or if the voter could not build the head
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
    event BallotCommitted(
        TaskId indexed task,
        RoundId indexed round,
        address indexed operator,
        uint16 seats,
        bytes32 commitment
    );

    /// @notice Emitted when a sealed ballot is opened.
    event BallotRevealed(
        TaskId indexed task,
        RoundId indexed round,
        address indexed operator,
        Ballot scores,
        bytes32 report,
        bytes20 head
    );

    /// @notice Thrown when an act comes outside its phase.
    error UnexpectedPhase(TaskId task, Phase current, Phase expected);

    /// @notice Thrown when an operator has no seat as a voter in this round.
    error NoSeats(address operator);

    /// @notice Thrown when an operator seals a second ballot in a round.
    error AlreadySealed(address operator);

    /// @notice Thrown when all 64 ballots of a round are sealed.
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

    /// @notice Seals the caller's ballot; once a round, with at least one seat, at most 64 a round.
    function commitBallot(TaskId task, bytes32 commitment) external;

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
    /// @return revealed Whether it is revealed.
    /// @return word The commitment; the scores once revealed.
    /// @return head The head digest it names, once revealed.
    function ballot(
        TaskId task,
        address operator
    ) external view returns (RoundId round, uint16 seats, bool revealed, bytes32 word, bytes20 head);

    /// @notice All ballots of the newest round. Reverts unless `operators` are exactly those who sealed one, ascending.
    function votes(TaskId task, address[] calldata operators) external view returns (Votes memory);
}
