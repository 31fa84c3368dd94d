// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TaskId} from "../types/TaskId.sol";
import {RoundId} from "../types/RoundId.sol";
import {IBindable} from "./IBindable.sol";

/// @notice What an operator does for a task. One role per operator and task until its account is empty.
enum Role {
    Trainer,
    Validator
}

/// @notice The stake of one operator in one task.
///
///     stake ──► active ──────────── requestExit ──────────► left ──► withdraw
///       │         ▲  │                                       ▲ ▲
///       │   round │  └─ requestExit ──► leaving ── round ────┘ │
///       └► joining┘     (round open)             settled       │
///    (round open) └──────────── requestExit ───────────────────┘
///
struct Account {
    uint96 active; // counts in every round, bears every fault
    uint96 joining; // deposited while `joinRound` was open: neither earns nor loses in it
    RoundId joinRound; // 0 when nothing is joining
    Role role;
    uint96 leaving; // asked to leave while `leaveRound` was open: bears the faults of that round and of no other
    uint96 left; // out of every round, waits for `unlockAt`
    RoundId leaveRound; // 0 when nothing is leaving
    uint40 unlockAt; // when what asked to leave may be withdrawn
    uint96 claimable; // rewards not yet claimed
    RoundId since; // the first round the operator's first stake counted in; 0 for a stranger
}

/// @title The vault: every token of the deployment, and the ledger that slashes and rewards
/// @notice Weights are keyed by round number, not by time: a change made while round `r` is open counts from `r + 1`.
/// A deposit while `r` is open neither earns nor loses in `r`. An exit keeps its weight in the round that was open when
/// it was asked, bears the faults of that round and of no other, and is free when that round is settled and the
/// unbonding period is over, or, if nobody settles, one unbonding period after the round's last deadline.
///
/// An operator's weight is its stake if that is at least the task's `seatStake`, otherwise 0.
///
/// Conservation: the vault's balance is at least the sum of all stakes, all claimable rewards, all pots and what waits to
/// be burned. Equality holds unless someone sends tokens to the vault by hand; those are out of reach for ever.
///
/// Warning: the token must move exactly the amount asked for; a deposit that arrives short is refused.
interface IStaking is IBindable {
    /// @notice Emitted when an operator stakes.
    /// @param countsFrom The first round in which the amount has weight.
    event Staked(TaskId indexed task, address indexed operator, Role role, uint256 amount, RoundId countsFrom);

    /// @notice Emitted when an operator asks to leave with part of its stake.
    /// @param exposedTo The open round whose faults that stake still bears, 0 if none: nothing was open, or all of it was
    /// still joining.
    /// @param unlockAt When everything of this account that asked to leave may be withdrawn.
    event ExitRequested(
        TaskId indexed task,
        address indexed operator,
        uint256 amount,
        RoundId exposedTo,
        uint40 unlockAt
    );

    /// @notice Emitted when stake that asked to leave is paid out to its operator.
    event Withdrawn(TaskId indexed task, address indexed operator, uint256 amount);

    /// @notice Emitted when rewards are paid out to their operator.
    event Claimed(TaskId indexed task, address indexed operator, uint256 amount);

    /// @notice Emitted when the settlement of `round` credits an operator.
    event Rewarded(TaskId indexed task, address indexed operator, RoundId round, uint256 amount);

    /// @notice Emitted when the settlement of `round` takes stake from an operator.
    event Slashed(
        TaskId indexed task,
        address indexed operator,
        RoundId round,
        uint256 fromActive,
        uint256 fromLeaving
    );

    /// @notice Emitted when an operator says where its artifacts and reports can be fetched.
    event EndpointAnnounced(address indexed operator, string endpoint);

    /// @notice Emitted when an amount joins what waits to be burned.
    event BurnScheduled(uint256 amount);

    /// @notice Emitted when everything that waited to be burned is sent to the dead address.
    event BurnSwept(uint256 amount);

    /// @notice Thrown when an amount is zero.
    error ZeroAmount();

    /// @notice Thrown when an operator stakes in another role than the one its account has.
    error WrongRole(Role current, Role asked);

    /// @notice Thrown when an exit asks for more than is active and joining.
    error ExitTooLarge(uint256 amount, uint256 available);

    /// @notice Thrown when a withdrawal comes before the unbonding period is over.
    error StillLocked(uint40 unlockAt);

    /// @notice Thrown when nothing can be withdrawn: nothing asked to leave, or its round is not settled.
    error NothingToWithdraw(TaskId task, address operator);

    /// @notice Thrown when an operator has no rewards.
    error NothingToClaim(TaskId task, address operator);

    /// @notice Thrown when nothing waits to be burned.
    error NothingToBurn();

    /// @notice Thrown when an endpoint is longer than 200 bytes.
    error EndpointTooLong(uint256 length);

    /// @notice Thrown when a deposit brings another amount than announced: the token charges for transfers.
    error InexactTransfer(uint256 received, uint256 expected);

    /// @notice Thrown when the vault would hold more than 2^96 - 1 units, the range of its ledgers.
    error VaultFull(uint256 balance);

    /// @notice Thrown when anyone but the bound contract of rounds calls.
    error NotRounds(address caller);

    /// @notice Thrown when anyone but the bound reward distributor calls.
    error NotDistributor(address caller);

    /// @notice Ties the contract that opens rounds and the one that settles them. By the deployer, once.
    function bind(address rounds, address distributor) external;

    /* OPERATOR */

    /// @notice Stakes `amount` of the token on `task` in `role`. The vault must be allowed to take it.
    /// @dev Counts at once if no round is open, otherwise from the round after the open one.
    function stake(TaskId task, Role role, uint256 amount) external;

    /// @notice Asks to leave with `amount`, from active stake first, then from joining. Works on closed tasks.
    /// @dev Restarts the clock of everything that asked to leave before and was not withdrawn.
    function requestExit(TaskId task, uint256 amount) external;

    /// @notice Says where the operator's artifacts and reports can be fetched, in at most 200 bytes.
    function announce(string calldata endpoint) external;

    /* ANYONE */

    /// @notice Pays out to `operator` everything that asked to leave and is free. Callable by anyone.
    function withdraw(TaskId task, address operator) external;

    /// @notice Pays out to `operator` all its rewards of `task`. Callable by anyone.
    function claim(TaskId task, address operator) external;

    /// @notice Sends everything that waits to be burned to the dead address. Callable by anyone.
    function sweepBurn() external;

    /* ROUNDS */

    /// @notice Fixes the weights of `round`. Only by the contract of rounds.
    /// @param lastDeadline The latest time at which the round can end; stake is never locked beyond this plus unbonding.
    /// @return trainerTotal The sum of the trainers' weights in this round.
    /// @return voterTotal The sum of the validators' weights in this round.
    function open(
        TaskId task,
        RoundId round,
        uint40 lastDeadline
    ) external returns (uint96 trainerTotal, uint96 voterTotal);

    /* DISTRIBUTOR */

    /// @notice Slashes each operator by at most its fault, then credits its pay. Only by the distributor, while the round
    /// is open.
    /// @dev Active and leaving stake share a slash in proportion, active rounded up. Never reverts on amounts.
    /// @return cut What was taken from all: of each its fault, or everything that was exposed.
    function settleAccounts(
        TaskId task,
        address[] calldata operators,
        uint256[] calldata pays,
        uint256[] calldata faults
    ) external returns (uint256 cut);

    /// @notice Ends the open round: what joined is active, what was leaving has left. Only by the distributor.
    function closeRound(TaskId task) external;

    /// @notice Pulls `amount` from `from` into the vault for a task's pot. Only by the distributor.
    function deposit(address from, uint256 amount) external;

    /// @notice Adds `amount` of the vault to what waits to be burned. Only by the distributor.
    function burn(uint256 amount) external;

    /// @notice Pays `amount` of the vault to `to`: the refund of a closed task. Only by the distributor.
    function release(address to, uint256 amount) external;

    /* VIEWS */

    /// @notice The account as if touched now: what joined or left a settled round is already converted.
    function account(TaskId task, address operator) external view returns (Account memory);

    /// @notice The operator's role and its weight in the open round or, if none is open, in the next one.
    function weightOf(TaskId task, address operator) external view returns (Role role, uint256 weight);

    /// @notice The operator's role and the stake that counts for its weight: the weight is 0 if that is below `seatStake`.
    function countedOf(TaskId task, address operator) external view returns (Role role, uint256 amount);

    /// @notice The sums of the weights of the next round to open.
    function totals(TaskId task) external view returns (uint96 trainerTotal, uint96 voterTotal);

    /// @notice The sums of the weights of the newest round, fixed when it was opened.
    function latched(TaskId task) external view returns (uint96 trainerTotal, uint96 voterTotal);

    /// @notice What waits to be burned.
    function toBurn() external view returns (uint256);
}
