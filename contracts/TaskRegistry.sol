// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bindable} from "./Bindable.sol";
import {ITaskRegistry, Terms} from "./interfaces/ITaskRegistry.sol";
import {TermsBounds} from "./libraries/TermsBounds.sol";
import {RoundId} from "./types/RoundId.sol";
import {TaskId} from "./types/TaskId.sol";

contract TaskRegistry is ITaskRegistry, Bindable {
    struct Task {
        address creator;
        uint32 heads;
        bool closed;
        bytes32 manifest;
        bytes32 headId;
    }

    /* STORAGE */

    address private _distributor;
    uint64 private _count;
    mapping(TaskId id => Task task) private _tasks;
    mapping(TaskId id => Terms terms) private _terms;

    /* DEPLOYER */

    /// @inheritdoc ITaskRegistry
    function bind(address distributor) external {
        _requireBindable();
        _distributor = distributor;
    }

    /* ANYONE */

    /// @inheritdoc ITaskRegistry
    function createTask(Terms calldata terms_, bytes32 manifest) external returns (TaskId id) {
        _requireBound();
        TermsBounds.check(terms_);

        id = TaskId.wrap(++_count);
        _tasks[id] = Task({creator: msg.sender, heads: 0, closed: false, manifest: manifest, headId: manifest});
        _terms[id] = terms_;

        emit TaskCreated(id, msg.sender, manifest, terms_);
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
        _tasks[id].closed = true;
    }

    /* VIEWS */

    /// @inheritdoc ITaskRegistry
    function terms(TaskId id) external view returns (Terms memory) {
        require(_terms[id].seatStake != 0, UnknownTask(id));
        return _terms[id];
    }

    /// @inheritdoc ITaskRegistry
    function seatStake(TaskId id) external view returns (uint96 amount) {
        amount = _terms[id].seatStake;
        require(amount != 0, UnknownTask(id));
    }

    /// @inheritdoc ITaskRegistry
    function requireOpen(TaskId id) external view {
        require(_tasks[id].creator != address(0), UnknownTask(id));
        require(!_tasks[id].closed, AlreadyClosed(id));
    }

    /// @inheritdoc ITaskRegistry
    function task(
        TaskId id
    ) external view returns (address creator, bytes32 manifest, bytes32 headId, uint32 heads, bool closed) {
        Task storage self = _tasks[id];
        require(self.creator != address(0), UnknownTask(id));
        return (self.creator, self.manifest, self.headId, self.heads, self.closed);
    }

    /* INTERNAL */

    function _isBound() internal view override returns (bool) {
        return _distributor != address(0);
    }

    function _requireDistributor() private view {
        require(msg.sender == _distributor, NotDistributor(msg.sender));
    }
}
