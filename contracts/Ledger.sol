// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Vault} from "./Vault.sol";
import {Account, IStaking, Pool, Position, Role} from "./interfaces/IStaking.sol";
import {ITaskRegistry} from "./interfaces/ITaskRegistry.sol";
import {BOUNTY_DIVISOR} from "./libraries/Constants.sol";
import {Delegation, Delegations} from "./libraries/Delegation.sol";
import {Shares} from "./libraries/Shares.sol";
import {Dues, Own, Scale, Stake, StakePool} from "./libraries/StakePool.sol";
import {Pools, Sums, WeightSums} from "./libraries/WeightSums.sol";
import {RoundId} from "./types/RoundId.sol";
import {TaskId} from "./types/TaskId.sol";

/// @title The part of the vault that counts: accounts, weights by round, slashes and rewards. Moves no token
abstract contract Ledger is Vault {
    using Delegation for Delegations;
    using Shares for Pool;
    using StakePool for Own;
    using StakePool for Stake;
    using WeightSums for Pools;
    using WeightSums for Sums;

    /// @dev What the accounts of one settlement share.
    struct Settling {
        TaskId task;
        RoundId round;
        Scale scale;
        Sums sums;
    }

    /* IMMUTABLES */

    /// @inheritdoc IStaking
    ITaskRegistry public immutable registry;

    /* STORAGE */

    mapping(TaskId task => Pools pools) internal _pools;
    mapping(TaskId task => mapping(address operator => Stake stake)) internal _stakes;
    mapping(TaskId task => mapping(address operator => Dues dues)) internal _dues;
    mapping(TaskId task => mapping(address operator => Delegations delegations)) internal _delegations;

    /* CONSTRUCTOR */

    constructor(ITaskRegistry registry_) {
        registry = registry_;
    }

    /* ROUNDS */

    /// @inheritdoc IStaking
    function open(TaskId task, RoundId round, uint40 lastDeadline) external returns (uint96, uint96) {
        require(msg.sender == rounds, NotRounds(msg.sender));

        return _pools[task].latch(round, lastDeadline);
    }

    /* DISTRIBUTOR */

    /// @inheritdoc IStaking
    function settleAccounts(
        TaskId task,
        address[] calldata operators,
        uint256[] calldata pays,
        uint256[] calldata faults
    ) external returns (uint256 cut) {
        _requireDistributor();
        Settling memory s = _begin(task);
        for (uint256 i = 0; i < operators.length; ++i) {
            (uint256 pay, uint256 fault) = (pays[i], faults[i]);
            if (pay | fault != 0) cut += _settle(s, operators[i], fault, pay);
        }
        if (cut != 0) _pools[task].save(s.sums);
    }

    /// @inheritdoc IStaking
    function slashAbsent(
        TaskId task,
        address operator,
        uint256 fault,
        address accuser,
        uint256 cap
    ) external returns (uint256 cut, uint256 bounty) {
        _requireDistributor();
        Settling memory s = _begin(task);
        (cut, ) = _visit(s, operator, fault, 0);
        _pools[task].save(s.sums);
        bounty = Math.min(cut / BOUNTY_DIVISOR, cap);
        if (bounty != 0) _credit(task, accuser, bounty);
    }

    /// @inheritdoc IStaking
    function credit(TaskId task, address to, uint256 amount) external {
        _requireDistributor();
        _credit(task, to, amount);
    }

    /// @inheritdoc IStaking
    function closeRound(TaskId task) external {
        _requireDistributor();
        _pools[task].open = false;
    }

    /* VIEWS */

    /// @inheritdoc IStaking
    function account(TaskId task, address operator) external view returns (Account memory) {
        Own memory own = _stakes[task][operator].load(true);
        own.touch(_pools[task].openRound());
        return own.asAccount(_dues[task][operator]);
    }

    /// @inheritdoc IStaking
    function pool(TaskId task, address operator) external view returns (Pool memory) {
        return _delegations[task][operator].look(_pools[task].openRound());
    }

    /// @inheritdoc IStaking
    function position(TaskId task, address operator, address owner) external view returns (Position memory) {
        return _delegations[task][operator].positionOf(owner, _pools[task].openRound());
    }

    /// @inheritdoc IStaking
    function weightOf(TaskId task, address operator) external view returns (Role, uint256) {
        Scale memory scale = _scale(task);
        return weightUnder(task, operator, scale.seatStake, scale.maxLeverage);
    }

    /// @inheritdoc IStaking
    function totals(TaskId task) external view returns (uint96, uint96) {
        return _pools[task].next();
    }

    /// @inheritdoc IStaking
    function latched(TaskId task) external view returns (uint96, uint96) {
        return (_pools[task].latchedTrainers, _pools[task].latchedVoters);
    }

    /// @inheritdoc IStaking
    function weightUnder(
        TaskId task,
        address operator,
        uint256 seatStake,
        uint256 maxLeverage
    ) public view returns (Role, uint256) {
        RoundId open_ = _pools[task].openRound();
        Own memory own = _touched(task, operator, open_);
        uint256 delegated = own.hasPool ? _delegations[task][operator].countsNow(open_) : 0;
        return (own.role, StakePool.weightOf(own.countsNow(), delegated, Scale(seatStake, maxLeverage)));
    }

    /* INTERNAL */

    /// @dev The account without what has left.
    function _touched(TaskId task, address operator, RoundId open_) internal view returns (Own memory) {
        Own memory own = _stakes[task][operator].load(false);
        own.touch(open_);
        return own;
    }

    function _scale(TaskId task) internal view returns (Scale memory scale) {
        (scale.seatStake, scale.maxLeverage, , , ) = registry.stakeTerms(task);
    }

    function _begin(TaskId task) private view returns (Settling memory) {
        Sums memory sums = _pools[task].load();
        return Settling(task, sums.openRound(), _scale(task), sums);
    }

    /// @dev Slashes an operator, then pays it. Without a fault or a pool there is no stake to look at.
    function _settle(Settling memory s, address operator, uint256 fault, uint256 pay) private returns (uint256 cut) {
        Dues storage dues = _dues[s.task][operator];
        uint256 toDelegators = 0;
        if (fault != 0 || dues.hasPool) (cut, toDelegators) = _visit(s, operator, fault, pay);
        if (pay == 0) return cut;

        // No overflow: all ledgers together never exceed what the vault holds, and that fits.
        dues.claimable += uint96(pay - toDelegators);

        emit Rewarded(s.task, operator, s.round, pay, toDelegators);
    }

    /// @dev Slashes an operator and its delegators, then credits these what is theirs of `pay`.
    function _visit(
        Settling memory s,
        address operator,
        uint256 fault,
        uint256 pay
    ) private returns (uint256 cut, uint256 toDelegators) {
        Own memory own = _touched(s.task, operator, s.round);
        if (!own.hasPool) return (_slash(s, operator, fault, own), 0);

        Delegations storage delegations = _delegations[s.task][operator];
        Pool memory delegated = delegations.look(s.round);
        if (fault != 0) cut = _slashBoth(s, operator, fault, own, delegated);
        if (pay != 0) toDelegators = delegated.reward(own.countsNow(), pay);
        delegations.settle(delegated, s.round);
    }

    /// @dev Takes `fault`, or everything exposed if that is less.
    function _slash(Settling memory s, address operator, uint256 fault, Own memory own) private returns (uint256 cut) {
        cut = Math.min(fault, own.countsNow());
        if (cut == 0) return 0;

        uint256 before = StakePool.weightOf(own.countsNext(), 0, s.scale);
        (uint256 fromActive, uint256 fromLeaving) = own.slash(cut);
        _stakes[s.task][operator].save(own, false);
        s.sums.move(own.role, before, StakePool.weightOf(own.countsNext(), 0, s.scale));

        emit Slashed(s.task, operator, s.round, fromActive, fromLeaving, 0);
    }

    /// @dev The same from own and delegated stake in proportion, own rounded up.
    function _slashBoth(
        Settling memory s,
        address operator,
        uint256 fault,
        Own memory own,
        Pool memory delegated
    ) private returns (uint256 cut) {
        cut = Math.min(fault, own.countsNow() + delegated.active);
        if (cut == 0) return 0;

        s.sums.move(own.role, StakePool.weightOf(own.countsNext(), delegated.countsNext(), s.scale), 0);
        uint256 fromOwn = Math.ceilDiv(cut * own.countsNow(), own.countsNow() + delegated.active);
        _delegations[s.task][operator].slash(delegated, cut - fromOwn);
        (uint256 fromActive, uint256 fromLeaving) = own.slash(fromOwn);
        _stakes[s.task][operator].save(own, false);
        s.sums.move(own.role, 0, StakePool.weightOf(own.countsNext(), delegated.countsNext(), s.scale));

        emit Slashed(s.task, operator, s.round, fromActive, fromLeaving, cut - fromOwn);
    }

    function _credit(TaskId task, address to, uint256 amount) private {
        _dues[task][to].claimable += uint96(amount);
        emit Credited(task, to, amount);
    }
}
