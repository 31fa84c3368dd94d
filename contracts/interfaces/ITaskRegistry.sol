// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TaskId} from "../types/TaskId.sol";
import {RoundId} from "../types/RoundId.sol";
import {IBindable} from "./IBindable.sol";

/// @notice The terms of a task, frozen when it is created. Phases in seconds, `Bps` in parts of 10,000, scores in the
/// manifest's unit, faults (`rejectBps` to `absentBps`) in parts of `seatStake` a seat.
struct Terms {
    uint88 seatStake; // > 0: the smallest stake that carries weight, and what one seat puts at risk
    uint24 propose; // 1 s to 30 d: train and seal a proposal
    uint24 publish; // 1 s to 30 d: open the proposals
    uint24 ballot; // 1 s to 30 d: measure and seal a ballot
    uint24 reveal; // 1 s to 30 d: open the ballots
    uint24 grace; // 0 to 30 d: how much longer publish or reveal lasts after an outage
    uint24 unbonding; // all phases + 2 grace to 180 d: how long stake that asked to leave stays
    uint16 rankRatioBps; // 1 to 10000: Ranked only, the pay of a rank in parts of the rank before
    uint8 maxLeverage; // 0 to 100: delegated stake that counts, in multiples of the own
    uint16 rounds; // >= 1: paid rounds; a void one is not used up
    uint8 expectedTrainers; // 1 to 8: seats of trainers a round on average
    uint8 expectedVoters; // 1 to 40: seats of voters a round on average
    uint8 maxVoids; // >= 1: void rounds in a row after which the task may be closed
    uint16 acceptBps; // 5001 to 9000: majority that decides a proposal
    uint16 minGain; // 0 to 16383: a score above it is a vote for
    uint16 band; // 1 to dissentBand: a score below its negative is a vote against
    uint16 dissentBand; // band to 16383: distance from the median that makes dissent a fault
    uint16 toleranceBps; // 0 to 10000: how much the windows around a median grow with it
    uint16 rejectBps; // 0 to 5000: fault of a rejected proposal
    uint16 unrevealedBps; // dissentBps + headBps to 5000: fault of a commitment never opened
    uint16 dissentBps; // absentBps or more: fault of dissent on every decided proposal
    uint16 headBps; // fault of naming another head than the reference
    uint16 absentBps; // fault of not judging any decided proposal, and of no ballot at all
    uint16 voterShareBps; // 1 to 5000: the voters' part of a round's pot
    uint24 idleAfter; // 1 s to 180 d: without a round for so long, anyone may close the task
    Roles roles;
    Payout payout;
}

/// @notice Who does what: operators declare one role and keep it, or each round draws it among one pool.
enum Roles {
    Declared,
    Drawn
}

/// @notice How trainers share their part: by seats and gain, or by rank.
enum Payout {
    Proportional,
    Ranked
}

/// @title Tasks, their frozen terms, and the lineage of each task's model
/// @notice A head is named by its lineage, not by its bytes:
/// `headId = keccak256(abi.encode(parentId, uint32 round, uint256 published, bytes32[] artifacts, uint256[] factors))`
/// over the accepted proposals in slot order. The recipe from lineage to bytes is integer arithmetic, so every machine
/// that holds the artifacts builds the same bytes. The first head, the manifest's all-zero adapter, has the manifest's
/// digest as its id.
interface ITaskRegistry is IBindable {
    /// @notice Emitted when a task is created.
    /// @param manifest The sha256 of the manifest's canonical bytes.
    event TaskCreated(TaskId indexed task, address indexed creator, bytes32 manifest, Terms terms);

    /// @notice Emitted when a round accepted at least one proposal and the head of its task moves.
    /// @param published How many proposals the round published, accepted or not.
    /// @param artifacts The digests of the accepted artifacts in slot order.
    /// @param factors The weights of the accepted updates in the new head, in the same order.
    event HeadMoved(
        TaskId indexed task,
        RoundId indexed round,
        bytes32 parentId,
        bytes32 headId,
        uint256 published,
        bytes32[] artifacts,
        uint256[] factors
    );

    /// @notice Emitted when the creator gives notice that its task closes.
    event CloseAnnounced(TaskId indexed task, uint40 closableAt);

    /// @notice Thrown when anyone but the creator gives notice.
    error NotCreator(address caller, address creator);

    /// @notice Thrown when the creator's notice is over: no round opens any more.
    error NoticeOver(TaskId task, uint40 closableAt);

    /// @notice Thrown when a task does not exist.
    error UnknownTask(TaskId task);

    /// @notice Thrown when a task is closed.
    error AlreadyClosed(TaskId task);

    /// @notice Thrown when a term lies outside its bounds.
    /// @param term The term's name as a short string.
    error TermOutOfBounds(bytes32 term);

    /// @notice Thrown when anyone but the bound reward distributor calls.
    error NotDistributor(address caller);

    /// @notice Ties the reward distributor, which alone moves heads and closes tasks. By the deployer, once.
    function bind(address distributor) external;

    /// @notice Creates a task, by anyone. Its terms never change.
    /// @param manifest The sha256 of the manifest's canonical bytes.
    /// @return task The number of the new task.
    function createTask(Terms calldata terms, bytes32 manifest) external returns (TaskId task);

    /// @notice Gives notice of one unbonding period, after which no round opens and anyone may close the task. Only by the
    /// creator. Again: restarts it.
    function announceClose(TaskId task) external;

    /// @notice Appends a head to the lineage of `task`. Only by the reward distributor.
    function moveHead(
        TaskId task,
        RoundId round,
        uint256 published,
        bytes32[] calldata artifacts,
        uint256[] calldata factors
    ) external;

    /// @notice Marks `task` as closed. Only by the reward distributor.
    function close(TaskId task) external;

    /// @notice The terms of `task`. Reverts if there is no such task.
    function terms(TaskId task) external view returns (Terms memory);

    /// @notice What an act on stake needs of `task`. Reverts if there is no such task.
    function stakeTerms(
        TaskId task
    ) external view returns (uint256 seatStake, uint256 maxLeverage, uint256 unbonding, Roles roles, bool closed);

    /// @notice Reverts unless `task` exists and is not closed.
    function requireOpen(TaskId task) external view;

    /// @notice The terms of `task`, if a round may open: it exists, is not closed, and no notice is over.
    function termsToOpen(TaskId task) external view returns (Terms memory);

    /// @notice What became of `task`. Reverts if there is no such task.
    /// @return creator Who created it and gets back what it deposited and was not paid out.
    /// @return manifest The digest of its manifest.
    /// @return headId The newest head; the manifest's digest while nothing was accepted.
    /// @return heads How often the head moved.
    /// @return closed Whether no round will ever open again.
    /// @return closableAt When the creator's notice is over, 0 without notice.
    function task(
        TaskId task
    )
        external
        view
        returns (address creator, bytes32 manifest, bytes32 headId, uint32 heads, bool closed, uint40 closableAt);

    /// @notice The bound reward distributor.
    function distributor() external view returns (address);
}
