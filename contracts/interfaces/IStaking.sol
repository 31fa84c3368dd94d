// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TaskId} from "../types/TaskId.sol";
import {RoundId} from "../types/RoundId.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IBindable} from "./IBindable.sol";
import {ITaskRegistry} from "./ITaskRegistry.sol";

/// @notice The pool an operator stakes in. A task with declared roles has one of trainers and one of validators, and an
/// operator is in one of them until its account is empty; a task with drawn roles has one pool, and each round draws.
enum Role {
    Trainer,
    Validator,
    Drawn
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

/// @notice What others delegated to one operator in one task. Shares lose value only by slashes: their value in wei is
/// `shares * mark.factor >> 79`. `active` may hold a few wei more, which roundings left and nobody owns.
struct Pool {
    uint96 active; // counts in every round, bears every fault; includes what is leaving until that round is settled
    uint96 joining; // delegated while `pendingRound` was open: neither earns nor loses in it
    RoundId pendingRound; // 0 when nothing is joining or leaving
    uint16 commissionBps; // the operator's part of its delegators' rewards, frozen while anything is delegated
    bool accepts; // whether the operator opened itself to delegation
    uint128 shares; // earn
    uint128 leavingShares; // asked to leave while `pendingRound` was open: bear its faults, earn nothing of it
    Mark mark;
}

/// @notice Where a pool stands; kept for every round in which something was joining or leaving.
struct Mark {
    uint80 factor; // value of a share, 2^79 is one wei; what a slash took, it took from here
    uint144 index; // rewards per share since ever, 2^48 is one wei
    uint32 generation; // how often shares were counted anew, at one wei each: one was worth less than 2^-16, or nothing
}

/// @notice What one delegator has with one operator in one task.
struct Position {
    uint96 joining;
    RoundId pendingRound; // of what is joining or leaving
    uint32 generation; // that `shares` belong to
    uint96 left; // out of every round, waits for `unlockAt`
    uint128 shares;
    uint128 leavingShares;
    uint144 index; // up to which rewards are counted
    uint96 claimable; // rewards counted and not yet claimed
    uint40 unlockAt; // when what asked to leave may be withdrawn
}

/// @title The vault: every token of the deployment, and the ledger that slashes and rewards
/// @notice Weights are keyed by round number, not by time: a change made while round `r` is open counts from `r + 1`.
/// A deposit while `r` is open neither earns nor loses in `r`. An exit keeps its weight in the round that was open when
/// it was asked, bears the faults of that round and of no other, and is free when that round is settled and the
/// unbonding period is over, or, if nobody settles, one unbonding period after the round's last deadline.
///
/// Others may delegate to an operator that accepts it. `weight = own + min(delegated, own * maxLeverage)` if the own stake
/// is at least the task's `seatStake`, otherwise 0. Faults fall on own and delegated stake in proportion. Of a reward the
/// delegators get their part by active stake, less the operator's commission; per share, whatever rounds they missed.
///
/// An operator acts itself or through a signer, a key that can seal proposals and ballots and cannot move stake.
///
/// Conservation: the vault's balance is at least the sum of all stakes, all claimable rewards, all pots and what waits to
/// be burned. The rest is what somebody sent to the vault by hand, and less than a wei for each time that a delegator's
/// part was rounded down; both are out of reach for ever.
///
/// Warning: the token must move exactly the amount asked for; a deposit that arrives short is refused.
interface IStaking is IBindable {
    /// @notice Emitted when an operator stakes.
    /// @param countsFrom The first round in which the amount has weight.
    event Staked(TaskId indexed task, address indexed operator, Role role, uint256 amount, RoundId countsFrom);

    /// @notice Emitted when an operator opens itself to delegation.
    event DelegationAccepted(TaskId indexed task, address indexed operator, uint16 commissionBps);

    /// @notice Emitted when `owner` delegates to an operator.
    /// @param countsFrom The first round in which the amount has weight.
    event Delegated(
        TaskId indexed task,
        address indexed operator,
        address indexed owner,
        uint256 amount,
        RoundId countsFrom
    );

    /// @notice Emitted when `owner`, the operator itself or a delegator, asks to leave with part of its stake.
    /// @param exposedTo The open round whose faults that stake still bears, 0 if none: nothing was open, or all of it was
    /// still joining.
    /// @param unlockAt When everything of this owner that asked to leave may be withdrawn.
    event ExitRequested(
        TaskId indexed task,
        address indexed operator,
        address indexed owner,
        uint256 amount,
        RoundId exposedTo,
        uint40 unlockAt
    );

    /// @notice Emitted when stake that asked to leave is paid out to its owner.
    event Withdrawn(TaskId indexed task, address indexed operator, address indexed owner, uint256 amount);

    /// @notice Emitted when rewards, bounties or a refund are paid out to their owner.
    event Claimed(TaskId indexed task, address indexed operator, address indexed owner, uint256 amount);

    /// @notice Emitted when the settlement of `round` rewards an operator.
    /// @param amount All of it.
    /// @param toDelegators What of it is the delegators'; the rest is the operator's.
    event Rewarded(TaskId indexed task, address indexed operator, RoundId round, uint256 amount, uint256 toDelegators);

    /// @notice Emitted when the settlement of `round` takes stake from an operator and its delegators.
    event Slashed(
        TaskId indexed task,
        address indexed operator,
        RoundId round,
        uint256 fromActive,
        uint256 fromLeaving,
        uint256 fromDelegated
    );

    /// @notice Emitted when anyone is credited a bounty, or the creator of a closed task its refund.
    event Credited(TaskId indexed task, address indexed to, uint256 amount);

    /// @notice Emitted when an operator names the key that acts for it.
    /// @param countsFrom The first round in which it may act; until then the one before it may.
    event SignerSet(TaskId indexed task, address indexed operator, address signer, RoundId countsFrom);

    /// @notice Emitted when an operator takes back the right to act for it, at once.
    event SignerRevoked(TaskId indexed task, address indexed operator);

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

    /// @notice Thrown when an operator stakes in a pool that the task does not have.
    error WrongPool(Role asked);

    /// @notice Thrown when an operator did not open itself to delegation.
    error DelegationNotAccepted(address operator);

    /// @notice Thrown when an operator delegates to itself: that is `stake`.
    error SelfDelegation(address operator);

    /// @notice Thrown when the commission would change under those who already delegated.
    error AlreadyDelegated(address operator);

    /// @notice Thrown when a commission is more than 100 %.
    error CommissionTooHigh(uint16 commissionBps);

    /// @notice Thrown when an exit asks for more than is active and joining.
    error ExitTooLarge(uint256 amount, uint256 available);

    /// @notice Thrown when a withdrawal comes before the unbonding period is over.
    error StillLocked(uint40 unlockAt);

    /// @notice Thrown when nothing can be withdrawn: nothing asked to leave, or its round is not settled.
    error NothingToWithdraw(TaskId task, address operator, address owner);

    /// @notice Thrown when nothing can be claimed.
    error NothingToClaim(TaskId task, address operator, address owner);

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

    /// @notice Stakes as `stake` does, with a permit (EIP-2612) in the place of an allowance. A permit that somebody else
    /// already used does no harm.
    function stakeWithPermit(
        TaskId task,
        Role role,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Opens the caller to delegation, keeping `commissionBps` of its delegators' rewards. Again: another
    /// commission, as long as nothing is delegated.
    function acceptDelegation(TaskId task, uint16 commissionBps) external;

    /// @notice Names the key that seals proposals and ballots for the caller from the next round on. It can move nothing.
    function setSigner(TaskId task, address signer) external;

    /// @notice Takes back the right to act for the caller, at once, from every key named before.
    function revokeSigner(TaskId task) external;

    /// @notice Says where the operator's artifacts and reports can be fetched, in at most 200 bytes.
    function announce(string calldata endpoint) external;

    /* ANYONE */

    /// @notice Delegates `amount` of the token to `operator`. The vault must be allowed to take it.
    /// @dev Counts at once if no round is open, otherwise from the round after the open one.
    function delegate(TaskId task, address operator, uint256 amount) external;

    /// @notice Asks to leave with `amount` of what the caller has with `operator`: its own stake, or what it delegated;
    /// from active first, then from joining. Works on closed tasks.
    /// @dev Restarts the clock of everything that asked to leave before and was not withdrawn.
    function requestExit(TaskId task, address operator, uint256 amount) external;

    /// @notice Pays out to `owner` everything of it that asked to leave `operator` and is free. Callable by anyone.
    function withdraw(TaskId task, address operator, address owner) external;

    /// @notice Pays out to `owner` all its rewards from `operator`. Callable by anyone. Bounties and the refund of a
    /// closed task are claimed with the same address as operator and owner.
    function claim(TaskId task, address operator, address owner) external;

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
    /// @dev Own and delegated stake share a slash in proportion, own rounded up; of the own, active and leaving likewise, active
    /// rounded up. Never reverts on amounts.
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

    /// @notice Slashes an absent operator by at most `fault` and credits the accuser a tenth of what was taken, at most
    /// `cap`. Only by the distributor, while the round is open.
    /// @return cut What was taken.
    /// @return bounty What the accuser gets of it.
    function slashAbsent(
        TaskId task,
        address operator,
        uint256 fault,
        address accuser,
        uint256 cap
    ) external returns (uint256 cut, uint256 bounty);

    /// @notice Credits `amount` of the vault to `to`: a bounty, or the refund of a closed task. Only by the distributor.
    function credit(TaskId task, address to, uint256 amount) external;

    /* VIEWS */

    /// @notice The account as if touched now: what joined or left a settled round is already converted.
    function account(TaskId task, address operator) external view returns (Account memory);

    /// @notice What is delegated to `operator`, as if touched now.
    function pool(TaskId task, address operator) external view returns (Pool memory);

    /// @notice What `owner` delegated to `operator`, as if touched now.
    function position(TaskId task, address operator, address owner) external view returns (Position memory);

    /// @notice The operator's pool and its weight in the open round or, if none is open, in the next one.
    function weightOf(TaskId task, address operator) external view returns (Role role, uint256 weight);

    /// @notice The same for a caller that knows the terms.
    function weightUnder(
        TaskId task,
        address operator,
        uint256 seatStake,
        uint256 maxLeverage
    ) external view returns (Role role, uint256 weight);

    /// @notice Whether `caller` may seal for `operator` in the newest round: the operator itself, or its signer.
    function mayAct(TaskId task, address operator, address caller) external view returns (bool);

    /// @notice The key that acts for `operator` in the newest round, 0 if none.
    function signerOf(TaskId task, address operator) external view returns (address);

    /// @notice The sums of the weights of the next round to open. With drawn roles both are the one pool's.
    function totals(TaskId task) external view returns (uint96 trainerTotal, uint96 voterTotal);

    /// @notice The sums of the weights of the newest round, fixed when it was opened.
    function latched(TaskId task) external view returns (uint96 trainerTotal, uint96 voterTotal);

    /// @notice What waits to be burned.
    function toBurn() external view returns (uint256);

    /// @notice The token of the deployment.
    function token() external view returns (IERC20);

    /// @notice The contract of tasks.
    function registry() external view returns (ITaskRegistry);

    /// @notice The bound contract of rounds.
    function rounds() external view returns (address);

    /// @notice The bound reward distributor.
    function distributor() external view returns (address);
}
