// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Bindable} from "./Bindable.sol";
import {Account, IStaking, Role} from "./interfaces/IStaking.sol";
import {ITaskRegistry, Terms} from "./interfaces/ITaskRegistry.sol";
import {DEAD, MAX_ENDPOINT} from "./libraries/Constants.sol";
import {Dues, Stake, StakePool} from "./libraries/StakePool.sol";
import {Pools, WeightSums} from "./libraries/WeightSums.sol";
import {NO_ROUND, RoundId} from "./types/RoundId.sol";
import {TaskId} from "./types/TaskId.sol";

contract Staking is IStaking, Bindable, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using StakePool for Stake;
    using WeightSums for Pools;

    /* IMMUTABLES */

    IERC20 private immutable _token;
    ITaskRegistry private immutable _registry;

    /* STORAGE */

    address private _rounds;
    address private _distributor;
    uint256 private _toBurn;
    mapping(TaskId task => Pools pools) private _pools;
    mapping(TaskId task => mapping(address operator => Stake stake)) private _stakes;
    mapping(TaskId task => mapping(address operator => Dues dues)) private _dues;

    /* CONSTRUCTOR */

    constructor(IERC20 token, ITaskRegistry registry) {
        _token = token;
        _registry = registry;
    }

    /* DEPLOYER */

    /// @inheritdoc IStaking
    function bind(address rounds, address distributor) external {
        _requireBindable();
        _rounds = rounds;
        _distributor = distributor;
    }

    /* OPERATOR */

    /// @inheritdoc IStaking
    function stake(TaskId task, Role role, uint256 amount) external nonReentrant {
        _requireBound();
        _registry.requireOpen(task);
        uint256 seatStake = _registry.seatStake(task);
        Pools storage pools = _pools[task];
        RoundId open_ = pools.openRound();
        Stake memory self = _touched(task, msg.sender, open_);
        RoundId countsFrom = pools.round.next();
        if (self.isEmpty()) _enter(task, self, role, countsFrom);
        require(self.role == role, WrongRole(self.role, role));

        uint256 before = self.countsNext();
        self.join(amount.toUint96(), open_);
        _stakes[task][msg.sender] = self;
        pools.move(role, before, self.countsNext(), seatStake);

        emit Staked(task, msg.sender, role, amount, countsFrom);
        _pull(msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function requestExit(TaskId task, uint256 amount) external {
        require(amount != 0, ZeroAmount());
        Terms memory terms = _registry.terms(task);
        Pools storage pools = _pools[task];
        RoundId open_ = pools.openRound();
        Stake memory self = _touched(task, msg.sender, open_);
        uint256 available = self.countsNext();
        require(amount <= available, ExitTooLarge(amount, available));

        bool exposed = self.exit(uint96(amount), open_);
        _stakes[task][msg.sender] = self;
        pools.move(self.role, available, self.countsNext(), terms.seatStake);
        uint40 unlockAt = uint40(block.timestamp + terms.unbonding);
        _dues[task][msg.sender].unlockAt = unlockAt;

        emit ExitRequested(task, msg.sender, amount, exposed ? open_ : NO_ROUND, unlockAt);
    }

    /// @inheritdoc IStaking
    function announce(string calldata endpoint) external {
        _requireBound();
        require(bytes(endpoint).length <= MAX_ENDPOINT, EndpointTooLong(bytes(endpoint).length));

        emit EndpointAnnounced(msg.sender, endpoint);
    }

    /* ANYONE */

    /// @inheritdoc IStaking
    function withdraw(TaskId task, address operator) external nonReentrant {
        Stake memory self = _touched(task, operator, _pools[task].openRound());
        uint40 unlockAt = _dues[task][operator].unlockAt;
        require(block.timestamp >= unlockAt, StillLocked(unlockAt));

        uint256 amount = self.take(self.leaving != 0 && _isEscape(task));
        require(amount != 0, NothingToWithdraw(task, operator));
        _stakes[task][operator] = self;

        emit Withdrawn(task, operator, amount);
        _token.safeTransfer(operator, amount);
    }

    /// @inheritdoc IStaking
    function claim(TaskId task, address operator) external nonReentrant {
        Dues storage self = _dues[task][operator];
        uint256 amount = self.claimable;
        require(amount != 0, NothingToClaim(task, operator));

        self.claimable = 0;

        emit Claimed(task, operator, amount);
        _token.safeTransfer(operator, amount);
    }

    /// @inheritdoc IStaking
    function sweepBurn() external nonReentrant {
        uint256 amount = _toBurn;
        require(amount != 0, NothingToBurn());

        _toBurn = 0;

        emit BurnSwept(amount);
        _token.safeTransfer(DEAD, amount);
    }

    /* ROUNDS */

    /// @inheritdoc IStaking
    function open(
        TaskId task,
        RoundId round,
        uint40 lastDeadline
    ) external returns (uint96 trainerTotal, uint96 voterTotal) {
        require(msg.sender == _rounds, NotRounds(msg.sender));
        Pools storage pools = _pools[task];

        pools.latch(round, lastDeadline);
        return (pools.trainers, pools.voters);
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
        RoundId round = _pools[task].round;
        uint256 seatStake = _registry.seatStake(task);
        for (uint256 i = 0; i < operators.length; ++i) {
            if (faults[i] != 0) cut += _slash(task, operators[i], faults[i], seatStake);
            if (pays[i] == 0) continue;
            // No overflow: all ledgers together never exceed what the vault holds, and that fits.
            _dues[task][operators[i]].claimable += uint96(pays[i]);
            emit Rewarded(task, operators[i], round, pays[i]);
        }
    }

    /// @inheritdoc IStaking
    function closeRound(TaskId task) external {
        _requireDistributor();
        _pools[task].open = false;
    }

    /// @inheritdoc IStaking
    function deposit(address from, uint256 amount) external nonReentrant {
        _requireDistributor();
        _pull(from, amount);
    }

    /// @inheritdoc IStaking
    function burn(uint256 amount) external {
        _requireDistributor();
        _toBurn += amount;
        emit BurnScheduled(amount);
    }

    /// @inheritdoc IStaking
    function release(address to, uint256 amount) external nonReentrant {
        _requireDistributor();
        _token.safeTransfer(to, amount);
    }

    /* VIEWS */

    /// @inheritdoc IStaking
    function account(TaskId task, address operator) external view returns (Account memory) {
        return _touched(task, operator, _pools[task].openRound()).asAccount(_dues[task][operator]);
    }

    /// @inheritdoc IStaking
    function weightOf(TaskId task, address operator) external view returns (Role role, uint256 weight) {
        uint256 counts;
        (role, counts) = countedOf(task, operator);
        weight = StakePool.weightOf(counts, _registry.seatStake(task));
    }

    /// @inheritdoc IStaking
    function countedOf(TaskId task, address operator) public view returns (Role role, uint256 amount) {
        Stake memory self = _touched(task, operator, _pools[task].openRound());
        return (self.role, self.countsNow());
    }

    /// @inheritdoc IStaking
    function totals(TaskId task) external view returns (uint96 trainerTotal, uint96 voterTotal) {
        return (_pools[task].trainers, _pools[task].voters);
    }

    /// @inheritdoc IStaking
    function latched(TaskId task) external view returns (uint96 trainerTotal, uint96 voterTotal) {
        return (_pools[task].latchedTrainers, _pools[task].latchedVoters);
    }

    /// @inheritdoc IStaking
    function toBurn() external view returns (uint256) {
        return _toBurn;
    }

    /* INTERNAL */

    function _isBound() internal view override returns (bool) {
        return _distributor != address(0);
    }

    function _requireDistributor() private view {
        require(msg.sender == _distributor, NotDistributor(msg.sender));
    }

    function _touched(TaskId task, address operator, RoundId open_) private view returns (Stake memory self) {
        self = _stakes[task][operator];
        self.touch(open_);
    }

    /// @dev An empty account takes any role.
    function _enter(TaskId task, Stake memory self, Role role, RoundId countsFrom) private {
        self.role = role;
        Dues storage dues = _dues[task][msg.sender];
        if (dues.since == NO_ROUND) dues.since = countsFrom;
    }

    /// @dev Whether the open round should have been settled one unbonding period ago: stake is not locked for ever.
    function _isEscape(TaskId task) private view returns (bool) {
        return block.timestamp >= uint256(_pools[task].lastDeadline) + _registry.terms(task).unbonding;
    }

    function _slash(TaskId task, address operator, uint256 fault, uint256 seatStake) private returns (uint256) {
        Pools storage pools = _pools[task];
        Stake memory self = _touched(task, operator, pools.openRound());

        uint256 before = self.countsNext();
        (uint256 fromActive, uint256 fromLeaving) = self.slash(fault);
        if (fromActive + fromLeaving == 0) return 0;
        _stakes[task][operator] = self;
        pools.move(self.role, before, self.countsNext(), seatStake);

        emit Slashed(task, operator, pools.round, fromActive, fromLeaving);
        return fromActive + fromLeaving;
    }

    /// @dev Takes exactly `amount`, and never more than the ledgers can count.
    function _pull(address from, uint256 amount) private {
        require(amount != 0, ZeroAmount());
        uint256 before = _token.balanceOf(address(this));
        _token.safeTransferFrom(from, address(this), amount);
        uint256 balance = _token.balanceOf(address(this));
        require(balance == before + amount, InexactTransfer(balance - before, amount));
        require(balance <= type(uint96).max, VaultFull(balance));
    }
}
