// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TaskId} from "../types/TaskId.sol";
import {RoundId} from "../types/RoundId.sol";
import {IBindable} from "./IBindable.sol";
import {IRandomBeacon} from "./IRandomBeacon.sol";
import {IStaking, Role} from "./IStaking.sol";
import {ITaskRegistry} from "./ITaskRegistry.sol";

/// @notice Where a round stands. Never stored: a pure function of the deadlines, of what was published or revealed when,
/// and of the time, over half-open windows [start, end).
///
///     None ─ openRound ─► Propose ─► Publish ─► Ballot ─► Reveal ─► Settle ─ settle ─► None
///                            └──────────┴─ nothing published, or seed missed ─►┘
///
enum Phase {
    None,
    Propose,
    Publish,
    Ballot,
    Reveal,
    Settle
}

/// @notice The newest round of a task, open or settled.
struct Round {
    RoundId number; // 0 before the first
    uint40 openedAt;
    uint40 seedBlock; // the block whose beacon value is the seed
    uint40 voterBlock; // the block whose beacon value enters the voters' seed, fixed by the first publication
    uint40 lastPublishedAt; // time of the newest publication, 0 if none
    bool open; // opened and not settled
    uint8 seedsLatched; // 0, 1 (the seed) or 2 (the voters' seed too)
    uint8 sealedCount; // proposals sealed
    uint8 published; // proposals published
    uint8 onTime; // of those, before the publish deadline without grace
    uint8 voids; // void rounds in a row
    uint16 paidRounds; // rounds of the task settled and not void
    uint96 trainerTotal; // sum of the trainers' weights in this round
    uint96 voterTotal; // sum of the validators' weights in this round
    bytes32 seed; // 0 until latched
    bytes32 accumulator; // xor of keccak256(abi.encode(salt, operator)) over the publications and, once latched, of
    // keccak256(abi.encode(value of voterBlock))
}

/// @notice Where the newest round stands as far as proposals tell, and what the phases after them need.
struct Standing {
    RoundId number; // 0 before the first
    Phase phase; // None, Propose, Publish, Ballot (everything after publish) or Settle (void)
    uint40 endsAt; // when that phase ends as things stand; of Ballot, when ballots close
    uint8 published; // how many proposals are published
    uint8 quorum; // least number of seats that decides anything
    uint24 reveal; // length of reveal
    uint24 grace; // length of a grace
    uint16 paidRounds; // rounds of the task settled and not void
}

/// @title Opens rounds, latches the seed, takes proposals
/// @notice Seats are a formula, not a draw: `seats = (expected * weight + u % d) / d` with
/// `u = keccak256(abi.encode(seed, this contract, task, round, uint8 role, operator))` and
/// `d = max(total, expected * seatStake)`. Trainers use the round's seed, voters
/// `keccak256(abi.encode(seed, accumulator))`, which nobody knows before all proposals but one's own are out. Whoever holds
/// back k of them, or builds the block that goes into the accumulator, can choose among a few seeds: see docs/threats.md.
///
/// With drawn roles `role` in `u` is Drawn and `expected` is `expectedTrainers + expectedVoters`; who has
/// `(u / d) % expected < expectedTrainers` under the seed is a trainer of this round, and anyone else a voter.
///
/// A proposal is sealed as `keccak256(abi.encode(keccak256("flock.proposal.1"), chainid, this contract, task, round,
/// operator, artifact, salt))` and published after proposals close, so nobody can copy it. `artifact` is the sha256 of the
/// artifact's bytes.
///
/// Publish ends when every sealed proposal is published; otherwise at its deadline, or `grace` later if at least three
/// proposals were sealed and at the deadline less than two thirds of them were published. A grace taken moves every
/// later deadline of the round; an early end moves none.
interface IRounds is IBindable {
    /// @notice Emitted when a round is opened. Weights are those right before this event.
    event RoundOpened(
        TaskId indexed task,
        RoundId indexed round,
        uint40 openedAt,
        uint40 seedBlock,
        uint256 trainerTotal,
        uint256 voterTotal
    );

    /// @notice Emitted when the seed of a round is known and kept.
    event SeedLatched(TaskId indexed task, RoundId indexed round, bytes32 seed);

    /// @notice Emitted when the voters' seed is known and kept.
    /// @param value The beacon's value of the round's `voterBlock`.
    event VoterSeedLatched(TaskId indexed task, RoundId indexed round, bytes32 value);

    /// @notice Emitted when a trainer seals a proposal.
    event ProposalCommitted(
        TaskId indexed task,
        RoundId indexed round,
        address indexed operator,
        uint16 seats,
        bytes32 commitment
    );

    /// @notice Emitted when a sealed proposal is opened. `slot` is its number in ballots and verdicts.
    event ProposalPublished(
        TaskId indexed task,
        RoundId indexed round,
        address indexed operator,
        uint8 slot,
        bytes32 artifact,
        bytes32 salt
    );

    /// @notice Thrown when an act comes outside its phase. For acts on proposals `current` is the phase as far as
    /// proposals tell: Ballot stands for everything after publish.
    error UnexpectedPhase(TaskId task, Phase current, Phase expected);

    /// @notice Thrown when the newest round of a task is not settled, and not void.
    error RoundStillOpen(TaskId task, RoundId round);

    /// @notice Thrown when a task has no round open.
    error NoOpenRound(TaskId task);

    /// @notice Thrown when all paid rounds of a task are used up.
    error NoRoundsLeft(TaskId task);

    /// @notice Thrown when `maxVoids` rounds in a row were void.
    error TooManyVoids(TaskId task, uint8 voids);

    /// @notice Thrown when a pool is too small to open a round.
    error PoolTooSmall(Role role, uint256 total, uint256 required);

    /// @notice Thrown when the seed of a round is already latched.
    error AlreadyLatched(TaskId task, RoundId round);

    /// @notice Thrown when the seed is not known yet, or out of reach for ever.
    error SeedUnavailable(uint40 seedBlock);

    /// @notice Thrown when an operator has no seat of the role in this round.
    error NoSeats(address operator);

    /// @notice Thrown when a caller acts for an operator that did not name it as its signer.
    error NotSigner(address operator, address caller);

    /// @notice Thrown when an operator seals a second proposal in a round.
    error AlreadySealed(address operator);

    /// @notice Thrown when all 16 proposals of a round are sealed.
    error ProposalsFull(uint256 limit);

    /// @notice Thrown when an operator sealed no proposal in this round.
    error NotSealed(address operator);

    /// @notice Thrown when a proposal is published twice.
    error AlreadyPublished(address operator);

    /// @notice Thrown when what is published is not what was sealed.
    error CommitmentMismatch(address operator);

    /// @notice Thrown when another proposal of the round has the same artifact (compared by its last 8 bytes).
    error DuplicateArtifact(bytes32 artifact);

    /// @notice Thrown when a list of proposers has the wrong length.
    error WrongCount(uint256 given, uint256 expected);

    /// @notice Thrown when a list of proposers is out of order at `index`, or names someone who does not belong there.
    error WrongOrder(uint256 index);

    /// @notice Thrown when anyone but the bound reward distributor calls.
    error NotDistributor(address caller);

    /// @notice Thrown when anyone but the bound contract of ballots calls.
    error NotVoting(address caller);

    /// @notice Ties the contract that takes ballots and the one that settles rounds. By the deployer, once.
    function bind(address voting, address distributor) external;

    /* ANYONE */

    /// @notice Opens the next round of `task`. The seed comes from a block that does not exist yet.
    /// @dev Requires: task not closed, no notice over, rounds left, voids below `maxVoids`; in the voter pool a quorum of
    /// `seatStake` and in the trainer pool one, or their sum in the one pool of drawn roles. A predecessor that is still
    /// open is settled first if it is void; it pays no bounty.
    /// @param proposers The predecessor's, as `settle` wants them; not looked at if it is settled.
    /// @param voters Likewise.
    function openRound(TaskId task, address[] calldata proposers, address[] calldata voters) external;

    /// @notice Keeps the seed of the open round or, after it, the value that enters the voters' seed: from the block after
    /// the first publication on. Sealing does it too.
    function latchSeed(TaskId task) external;

    /// @notice Opens a sealed proposal. Callable by anyone who holds the preimage.
    function publishProposal(TaskId task, address operator, bytes32 artifact, bytes32 salt) external;

    /* TRAINER */

    /// @notice Seals a proposal of `operator`, by itself or its signer; once a round, with at least one seat, at most 16 a
    /// round.
    function commitProposal(TaskId task, address operator, bytes32 commitment) external;

    /* VOTING */

    /// @notice The seats of `operator` as a voter of the open round; latches the voters' seed. Only by the contract of
    /// ballots. Reverts unless `caller` may act for the operator.
    function takeVoterSeats(TaskId task, address operator, address caller) external returns (uint16);

    /* DISTRIBUTOR */

    /// @notice Ends the open round. A void one is not counted as paid. Only by the distributor.
    function settled(TaskId task, bool isVoid) external;

    /* VIEWS */

    /// @notice The newest round of `task`.
    function round(TaskId task) external view returns (Round memory);

    /// @notice Where the newest round of `task` stands as far as proposals tell.
    function standing(TaskId task) external view returns (Standing memory);

    /// @notice Whether the seed of the open round was not latched in time: the round is void.
    function seedMissed(TaskId task) external view returns (bool);

    /// @notice The seats that `operator` has in the open round as a trainer or as a voter. Those of voters are known once
    /// publish has ended and the block of their seed exists.
    function seats(TaskId task, Role role, address operator) external view returns (uint16);

    /// @notice The newest proposal of `operator`; it belongs to the newest round only if `round` says so.
    /// @return round The round it was sealed in.
    /// @return seats The seats it was sealed with.
    /// @return slot Its number in the order of publication, once published.
    /// @return published Whether it is published.
    /// @return word The commitment; the artifact's digest once published.
    function proposal(
        TaskId task,
        address operator
    ) external view returns (RoundId round, uint16 seats, uint8 slot, bool published, bytes32 word);

    /// @notice The seats of all proposals of the newest round and the artifacts of the published ones. Reverts unless
    /// `operators` are exactly the proposers: published ones in slot order, then the others by ascending address.
    function proposals(
        TaskId task,
        address[] calldata operators
    ) external view returns (uint256[] memory seats, bytes32[] memory artifacts);

    /// @notice How many paid rounds `task` has left, the open one included.
    function roundsLeft(TaskId task) external view returns (uint256);

    /// @notice The contract of tasks.
    function registry() external view returns (ITaskRegistry);

    /// @notice The vault.
    function staking() external view returns (IStaking);

    /// @notice The randomness.
    function beacon() external view returns (IRandomBeacon);

    /// @notice The bound contract of ballots.
    function voting() external view returns (address);

    /// @notice The bound reward distributor.
    function distributor() external view returns (address);
}
