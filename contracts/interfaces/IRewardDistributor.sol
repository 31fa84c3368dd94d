// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TaskId} from "../types/TaskId.sol";
import {RoundId} from "../types/RoundId.sol";
import {IRounds, Phase} from "./IRounds.sol";
import {IStaking} from "./IStaking.sol";
import {ITaskRegistry} from "./ITaskRegistry.sol";
import {IValidatorVoting} from "./IValidatorVoting.sol";

/// @notice What a round decided about a proposal.
enum Verdict {
    Undecided, // no pay, no slash
    Accepted, // enters the head and is paid
    Rejected, // slashed by `rejectBps`
    Missing // its bytes did not come: slashed by `unrevealedBps`
}

/// @notice The account of one task.
struct Purse {
    uint96 pot; // what the rounds left share
    uint96 incoming; // funded while a round is open: joins the pot when it settles
    uint40 idleSince; // time of the first funding, then of the newest settlement
    uint96 deposited; // by the creator, ever
    uint96 paid; // to operators and settlers, ever
}

/// @title Task accounts, and the settlement of rounds
/// @notice The pot of a round is the task's pot divided by the rounds left, fixed when the round opens: what arrives
/// while it is open waits in `incoming`. Floor when paying, ceil when slashing; what is not earned stays.
///
/// *Verdict*, by revealed seats, each proposal by itself. `A` is the seats that judged, the median is their lower median.
/// Missing: `MISSING * 10000 >= acceptBps * all`. Quorate: not missing and `A >= expectedVoters / 2 + 1`. Accepted:
/// quorate, median above `minGain`, and `for * 10000 >= acceptBps * (for + against)`; Rejected likewise below `-band`.
///
/// *Trainers* share their part by `seats * (median - minGain)`, which are the factors of the updates in the head, or
/// (Ranked) by places: in the order of their medians, ties by `keccak256(abi.encode(seed, proposer))`, a proposal with k
/// seats takes k places, and each place earns `rankRatioBps` of the one before. *Voters*
/// share theirs by `seats * points²`, where points count how often a score lies near its own proposal's median rather
/// than near the next one's. No seat earns more than twice `part / expected`.
///
/// *Faults*, each one ceil of `seats * seatStake * bps / 10000`, summed, at most what is exposed: rejected; never
/// published, revealed or served; dissent from the median of a decided proposal; another head than the reference; not
/// judging a decided proposal; no ballot at all, if somebody accused it. Nine tenths go back to the pot; out of the last
/// one an accuser gets a bounty, at most a tenth of one seat's fault, and the rest is burned.
///
/// Whoever settles a round that is not void gets a thousandth of its pot, at most a tenth of `seatStake`.
///
/// A round is *void* if its seed was missed, nothing was published, or fewer than a quorum of seats revealed: it faults
/// only what was sealed and not opened, pays nobody and is not used up.
interface IRewardDistributor {
    /// @notice Emitted when tokens join a task's account. Only the creator's are refundable.
    event Funded(TaskId indexed task, address indexed from, uint256 amount, bool refundable);

    /// @notice Emitted last in a settlement.
    /// @param pot The round's pot.
    /// @param medians Lower medians, 16 lanes of 16 bits; 0 where the proposal is not quorate.
    /// @param verdicts Verdicts, 4 bits a slot.
    /// @param paid Sum of the round's rewards.
    /// @param slashed Sum of the round's slashes.
    /// @param burned The part of the slashes that is burned.
    /// @param bounty What whoever settled it gets out of the pot.
    event RoundSettled(
        TaskId indexed task,
        RoundId indexed round,
        bool isVoid,
        uint256 pot,
        uint256 medians,
        uint256 verdicts,
        uint256 paid,
        uint256 slashed,
        uint256 burned,
        uint256 bounty
    );

    /// @notice Emitted when the ballots of a round agree on the bytes of the head it started from.
    event HeadReferenced(TaskId indexed task, RoundId indexed round, bytes32 headId, bytes20 digest);

    /// @notice Emitted when a task is closed.
    /// @param refund Credited to the creator, who claims it from the vault.
    /// @param burned What was left beyond it.
    event TaskClosed(TaskId indexed task, uint256 refund, uint256 burned);

    /// @notice Thrown when an amount is zero.
    error ZeroAmount();

    /// @notice Thrown when an act comes outside its phase.
    error UnexpectedPhase(TaskId task, Phase current, Phase expected);

    /// @notice Thrown when a task is funded that has no round left to pay.
    error NoRoundsLeft(TaskId task);

    /// @notice Thrown when anyone but the contract of rounds calls.
    error NotRounds(address caller);

    /// @notice Thrown when a task has rounds left, too few voids, no notice that is over, and is not idle.
    error NotClosable(TaskId task);

    /* ANYONE */

    /// @notice Adds `amount` to the account of `task`. The vault (Staking) must be allowed to take it.
    function fund(TaskId task, uint256 amount) external;

    /// @notice Settles the open round of `task`: verdicts, pay, faults, head. Moves no token.
    /// @param proposers All proposers: published ones in slot order, then the others by ascending address.
    /// @param voters All who sealed a ballot or are accused of absence, by ascending address.
    function settle(TaskId task, address[] calldata proposers, address[] calldata voters) external;

    /// @notice Closes `task`: rounds used up, too many voids in a row, the creator's notice over, or no round for
    /// `idleAfter`; never with a round open (RoundStillOpen). The creator is credited at most what it deposited and was not paid out, the
    /// rest burns. Stakes and rewards stay withdrawable.
    function close(TaskId task) external;

    /* ROUNDS */

    /// @notice Settles the open round of `task` if it is void, otherwise reverts. Only by the contract of rounds.
    function settleVoid(TaskId task, address[] calldata proposers, address[] calldata voters) external;

    /* VIEWS */

    /// @notice The account of `task`.
    function purse(TaskId task) external view returns (Purse memory);

    /// @notice The pot of the open round, or of the next one as things stand; 0 when no round is left.
    function potOfRound(TaskId task) external view returns (uint256);

    /// @notice The contract of tasks.
    function registry() external view returns (ITaskRegistry);

    /// @notice The vault.
    function staking() external view returns (IStaking);

    /// @notice The contract of rounds.
    function rounds() external view returns (IRounds);

    /// @notice The contract of ballots.
    function voting() external view returns (IValidatorVoting);
}
