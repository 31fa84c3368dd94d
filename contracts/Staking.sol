// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Ledger} from "./Ledger.sol";
import {Vault} from "./Vault.sol";
import {IStaking, Pool, Role} from "./interfaces/IStaking.sol";
import {ITaskRegistry, Roles} from "./interfaces/ITaskRegistry.sol";
import {BPS, MAX_ENDPOINT} from "./libraries/Constants.sol";
import {Delegation, Delegations} from "./libraries/Delegation.sol";
import {Holding, Shares, Visit} from "./libraries/Shares.sol";
import {Signer, Signers} from "./libraries/Signers.sol";
import {Dues, Own, Scale, Stake, StakePool} from "./libraries/StakePool.sol";
import {Pools, Sums, WeightSums} from "./libraries/WeightSums.sol";
import {NO_ROUND, RoundId} from "./types/RoundId.sol";
import {TaskId} from "./types/TaskId.sol";

contract Staking is Ledger {
    using Delegation for Delegations;
    using Shares for Pool;
    using Shares for Visit;
    using SafeCast for uint256;
    using Signers for Signer;
    using StakePool for Own;
    using StakePool for Stake;
    using WeightSums for Pools;
    using WeightSums for Sums;

    /* STORAGE */

    mapping(TaskId task => mapping(address operator => Signer signer)) private _signers;

    /* CONSTRUCTOR */

    constructor(IERC20 token_, ITaskRegistry registry_) Vault(token_) Ledger(registry_) {}

    /* OPERATOR */

    /// @inheritdoc IStaking
    function stake(TaskId task, Role role, uint256 amount) external nonReentrant {
        _stake(task, role, amount);
    }

    /// @inheritdoc IStaking
    function stakeWithPermit(
        TaskId task,
        Role role,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant {
        // Whoever saw this permit could use it first; then the allowance is there, and it must not block the stake.
        try IERC20Permit(address(token)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _stake(task, role, amount);
    }

    /// @inheritdoc IStaking
    function acceptDelegation(TaskId task, uint16 commissionBps) external {
        _requireBound();
        registry.requireOpen(task);
        require(commissionBps <= BPS, CommissionTooHigh(commissionBps));
        Delegations storage delegations = _delegations[task][msg.sender];
        Pool memory delegated = delegations.look(_pools[task].openRound());
        require(delegated.isEmpty(), AlreadyDelegated(msg.sender));

        delegated.accept(commissionBps);
        delegations.save(delegated);
        (_stakes[task][msg.sender].hasPool, _dues[task][msg.sender].hasPool) = (true, true);

        emit DelegationAccepted(task, msg.sender, commissionBps);
    }

    /// @inheritdoc IStaking
    function setSigner(TaskId task, address signer) external {
        registry.requireOpen(task);
        RoundId newest = _pools[task].round;

        _signers[task][msg.sender].set(signer, newest);

        emit SignerSet(task, msg.sender, signer, newest.next());
    }

    /// @inheritdoc IStaking
    function revokeSigner(TaskId task) external {
        _signers[task][msg.sender].revoke();
        emit SignerRevoked(task, msg.sender);
    }

    /// @inheritdoc IStaking
    function announce(string calldata endpoint) external {
        _requireBound();
        require(bytes(endpoint).length <= MAX_ENDPOINT, EndpointTooLong(bytes(endpoint).length));

        emit EndpointAnnounced(msg.sender, endpoint);
    }

    /* ANYONE */

    /// @inheritdoc IStaking
    function delegate(TaskId task, address operator, uint256 amount) external nonReentrant {
        require(msg.sender != operator, SelfDelegation(operator));
        Sums memory sums = _pools[task].load();
        (Scale memory scale, ) = _openTerms(task, sums);
        Delegations storage delegations = _delegations[task][operator];
        Visit memory act = delegations.visit(msg.sender, sums.openRound(), false);
        require(act.pool.accepts, DelegationNotAccepted(operator));

        if (act.pool.isEmpty()) delegations.reserveEnd(act.pool);
        act.join(amount.toUint96());
        delegations.keep(act);
        _moveDelegated(task, operator, act, sums, scale);

        emit Delegated(task, operator, msg.sender, amount, sums.round.next());
        _pull(msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function requestExit(TaskId task, address operator, uint256 amount) external {
        require(amount != 0, ZeroAmount());
        Scale memory scale;
        uint256 unbonding;
        (scale.seatStake, scale.maxLeverage, unbonding, , ) = registry.stakeTerms(task);
        uint40 unlockAt = uint40(block.timestamp + unbonding);
        bool exposed =
            msg.sender == operator
                ? _exit(task, amount, unlockAt, scale)
                : _exitDelegated(task, operator, amount, unlockAt, scale);

        RoundId exposedTo = exposed ? _pools[task].round : NO_ROUND;
        emit ExitRequested(task, operator, msg.sender, amount, exposedTo, unlockAt);
    }

    /// @inheritdoc IStaking
    function withdraw(TaskId task, address operator, address owner) external nonReentrant {
        uint256 amount = owner == operator ? _take(task, operator) : _takeDelegated(task, operator, owner);
        require(amount != 0, NothingToWithdraw(task, operator, owner));

        emit Withdrawn(task, operator, owner, amount);
        _push(owner, amount);
    }

    /// @inheritdoc IStaking
    function claim(TaskId task, address operator, address owner) external nonReentrant {
        uint256 amount;
        if (owner == operator) (amount, _dues[task][owner].claimable) = (_dues[task][owner].claimable, 0);
        else amount = _delegations[task][operator].claim(owner, _pools[task].openRound());
        require(amount != 0, NothingToClaim(task, operator, owner));

        emit Claimed(task, operator, owner, amount);
        _push(owner, amount);
    }

    /* VIEWS */

    /// @inheritdoc IStaking
    function mayAct(TaskId task, address operator, address caller) external view returns (bool) {
        return caller == operator || (caller != address(0) && caller == signerOf(task, operator));
    }

    /// @inheritdoc IStaking
    function signerOf(TaskId task, address operator) public view returns (address) {
        return _signers[task][operator].inEffect(_pools[task].round);
    }

    /* INTERNAL */

    /// @dev The terms of a task that takes stake. That the vault is bound, once and for ever, is looked up once a task.
    function _openTerms(TaskId task, Sums memory sums) private view returns (Scale memory scale, Roles roles) {
        if (!sums.isBound) _requireBound();
        sums.isBound = true;
        bool closed;
        (scale.seatStake, scale.maxLeverage, , roles, closed) = registry.stakeTerms(task);
        require(!closed, ITaskRegistry.AlreadyClosed(task));
    }

    function _stake(TaskId task, Role role, uint256 amount) private {
        Sums memory sums = _pools[task].load();
        (Scale memory scale, Roles roles) = _openTerms(task, sums);
        require((role == Role.Drawn) == (roles == Roles.Drawn), WrongPool(role));
        Own memory own = _touched(task, msg.sender, sums.openRound());
        if (own.active == 0 && own.joining == 0) _enter(task, own, role, sums);
        require(own.role == role, WrongRole(own.role, role));

        uint256 before = own.countsNext();
        own.join(amount.toUint96(), sums.openRound());
        _stakes[task][msg.sender].save(own, false);
        _moveOwn(task, own, before, sums, scale);

        emit Staked(task, msg.sender, role, amount, sums.round.next());
        _pull(msg.sender, amount);
    }

    /// @dev A stranger, and whoever has nothing left, own or delegated, takes any role.
    function _enter(TaskId task, Own memory own, Role role, Sums memory sums) private {
        Dues storage dues = _dues[task][msg.sender];
        if (dues.since == NO_ROUND) (dues.since, own.role) = (sums.round.next(), role);
        if (own.role == role) return;

        uint256 gone = uint256(_stakes[task][msg.sender].left) + _stakes[task][msg.sender].leaving;
        Pool memory delegated = _delegations[task][msg.sender].look(sums.openRound());
        if (gone == 0 && delegated.isEmpty()) own.role = role;
    }

    function _exit(TaskId task, uint256 amount, uint40 unlockAt, Scale memory scale) private returns (bool exposed) {
        Sums memory sums = _pools[task].load();
        Own memory own = _stakes[task][msg.sender].load(true);
        own.touch(sums.openRound());
        uint256 available = own.countsNext();
        require(amount <= available, ExitTooLarge(amount, available));

        exposed = own.exit(amount, sums.openRound());
        _stakes[task][msg.sender].save(own, true);
        _dues[task][msg.sender].unlockAt = unlockAt;
        _moveOwn(task, own, available, sums, scale);
    }

    function _exitDelegated(
        TaskId task,
        address operator,
        uint256 amount,
        uint40 unlockAt,
        Scale memory scale
    ) private returns (bool exposed) {
        Sums memory sums = _pools[task].load();
        Delegations storage delegations = _delegations[task][operator];
        Visit memory act = delegations.visit(msg.sender, sums.openRound(), true);
        uint256 available = act.available();
        require(amount <= available, ExitTooLarge(amount, available));

        exposed = act.exit(amount);
        act.holding.unlockAt = unlockAt;
        delegations.keep(act);
        _moveDelegated(task, operator, act, sums, scale);
    }

    function _take(TaskId task, address operator) private returns (uint256 amount) {
        Own memory own = _stakes[task][operator].load(true);
        own.touch(_pools[task].openRound());
        _requireUnlocked(_dues[task][operator].unlockAt);

        amount = own.take(own.leaving != 0 && _isEscape(task));
        _stakes[task][operator].save(own, true);
    }

    function _takeDelegated(TaskId task, address operator, address owner) private returns (uint256 amount) {
        Visit memory act = _delegations[task][operator].visit(owner, _pools[task].openRound(), true);
        Holding memory its = act.holding;
        _requireUnlocked(its.unlockAt);

        bool escapes = its.leavingShares != 0 && _isEscape(task);
        if (escapes) act.escape();
        (amount, its.left) = (its.left, 0);
        _delegations[task][operator].keep(act);
        if (escapes) _moveDelegated(task, operator, act, _pools[task].load(), _scale(task));
    }

    /// @dev Keeps the sums when own stake moved, which counted `before`.
    function _moveOwn(TaskId task, Own memory own, uint256 before, Sums memory sums, Scale memory scale) private {
        uint256 delegated = 0;
        if (own.hasPool) delegated = _delegations[task][msg.sender].look(sums.openRound()).countsNext();
        sums.move(
            own.role,
            StakePool.weightOf(before, delegated, scale),
            StakePool.weightOf(own.countsNext(), delegated, scale)
        );
        _pools[task].save(sums);
    }

    /// @dev Keeps the sums when delegated stake moved.
    function _moveDelegated(
        TaskId task,
        address operator,
        Visit memory act,
        Sums memory sums,
        Scale memory scale
    ) private {
        Own memory own = _touched(task, operator, act.open);
        uint256 counts = own.countsNext();
        sums.move(
            own.role,
            StakePool.weightOf(counts, act.counted, scale),
            StakePool.weightOf(counts, act.pool.countsNext(), scale)
        );
        _pools[task].save(sums);
    }

    function _requireUnlocked(uint40 unlockAt) private view {
        require(block.timestamp >= unlockAt, StillLocked(unlockAt));
    }

    /// @dev Whether the open round should have been settled one unbonding period ago: stake is not locked for ever.
    function _isEscape(TaskId task) private view returns (bool) {
        (, , uint256 unbonding, , ) = registry.stakeTerms(task);
        return block.timestamp >= uint256(_pools[task].lastDeadline) + unbonding;
    }
}
