// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bindable} from "./Bindable.sol";
import {ITaskRegistry, Roles, Terms} from "./interfaces/ITaskRegistry.sol";
import {TermsBounds} from "./libraries/TermsBounds.sol";
import {RoundId} from "./types/RoundId.sol";
import {TaskId} from "./types/TaskId.sol";

contract TaskRegistry is ITaskRegistry, Bindable {
    struct Task {
        address creator;
        uint32 heads;
        bool closed;
        uint40 closableAt; // when the creator's notice is over, 0 without notice
        bytes32 manifest;
        bytes32 headId;
    }

    /// @dev What an act on stake needs of a task.
    struct StakeTerms {
        uint88 seatStake;
        uint8 maxLeverage;
        uint24 unbonding;
        Roles roles;
        bool closed;
    }

    /* STORAGE */

    /// @inheritdoc ITaskRegistry
    address public distributor;
    uint64 private _count;
    mapping(TaskId id => Task task) private _tasks;
    mapping(TaskId id => Terms terms) private _terms;
    mapping(TaskId id => StakeTerms terms) private _stakeTerms; // the same again, in the one slot that every stake reads

    /* DEPLOYER */

    /// @inheritdoc ITaskRegistry
    function bind(address distributor_) external {
        _requireBindable();
        distributor = distributor_;
    }

    /* ANYONE */

    /// @inheritdoc ITaskRegistry
    function createTask(Terms calldata terms_, bytes32 manifest) external returns (TaskId id) {
        _requireBound();
        TermsBounds.check(terms_);

        id = TaskId.wrap(++_count);
        Task storage self = _tasks[id];
        (self.creator, self.manifest, self.headId) = (msg.sender, manifest, manifest);
        _terms[id] = terms_;
        _stakeTerms[id] = StakeTerms(terms_.seatStake, terms_.maxLeverage, terms_.unbonding, terms_.roles, false);

        emit TaskCreated(id, msg.sender, manifest, terms_);
    }

    /* CREATOR */

    /// @inheritdoc ITaskRegistry
    function announceClose(TaskId id) external {
        Task storage self = _known(id);
        require(!self.closed, AlreadyClosed(id));
        require(msg.sender == self.creator, NotCreator(msg.sender, self.creator));

        self.closableAt = uint40(block.timestamp + _terms[id].unbonding);

        emit CloseAnnounced(id, self.closableAt);
    }

    /* DISTRIBUTOR */

    /// @inheritdoc ITaskRegistry
    function moveHead(
        TaskId id,
        RoundId round,
        uint256 published,
        bytes32[] calldata artifacts,
        uint256[] calldata factors
    ) external {
        _requireDistributor();
        Task storage self = _tasks[id];

        bytes32 parentId = self.headId;
        bytes32 headId = keccak256(abi.encode(parentId, round, published, artifacts, factors));
        self.headId = headId;
        ++self.heads;

        emit HeadMoved(id, round, parentId, headId, published, artifacts, factors);
    }

    /// @inheritdoc ITaskRegistry
    function close(TaskId id) external {
        _requireDistributor();
        (_tasks[id].closed, _stakeTerms[id].closed) = (true, true);
    }

    /* VIEWS */

    /// @inheritdoc ITaskRegistry
    function terms(TaskId id) external view returns (Terms memory) {
        _known(id);
        return _terms[id];
    }

    /// @inheritdoc ITaskRegistry
    function stakeTerms(TaskId id) external view returns (uint256, uint256, uint256, Roles, bool) {
        StakeTerms storage self = _stakeTerms[id];
        require(self.seatStake != 0, UnknownTask(id));
        return (self.seatStake, self.maxLeverage, self.unbonding, self.roles, self.closed);
    }

    /// @inheritdoc ITaskRegistry
    function requireOpen(TaskId id) external view {
        require(!_known(id).closed, AlreadyClosed(id));
    }

    /// @inheritdoc ITaskRegistry
    function termsToOpen(TaskId id) external view returns (Terms memory) {
        Task storage self = _known(id);
        require(!self.closed, AlreadyClosed(id));
        uint40 closableAt = self.closableAt;
        require(closableAt == 0 || block.timestamp < closableAt, NoticeOver(id, closableAt));
        return _terms[id];
    }

    /// @inheritdoc ITaskRegistry
    function task(TaskId id) external view returns (address, bytes32, bytes32, uint32, bool, uint40) {
        Task storage self = _known(id);
        return (self.creator, self.manifest, self.headId, self.heads, self.closed, self.closableAt);
    }

    /* INTERNAL */

    function _isBound() internal view override returns (bool) {
        return distributor != address(0);
    }

    function _known(TaskId id) private view returns (Task storage self) {
        self = _tasks[id];
        require(self.creator != address(0), UnknownTask(id));
    }

    function _requireDistributor() private view {
        require(msg.sender == distributor, NotDistributor(msg.sender));
    }
}
