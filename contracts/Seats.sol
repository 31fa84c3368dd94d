// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bindable} from "./Bindable.sol";
import {IRandomBeacon} from "./interfaces/IRandomBeacon.sol";
import {IRounds, Round} from "./interfaces/IRounds.sol";
import {IStaking, Role} from "./interfaces/IStaking.sol";
import {ITaskRegistry} from "./interfaces/ITaskRegistry.sol";
import {Frame, Frames} from "./libraries/Frames.sol";
import {Lot, Sortition} from "./libraries/Sortition.sol";
import {TaskId} from "./types/TaskId.sol";

/// @title The part of the rounds that gives seats: keeps their seeds, and looks up what an operator's luck is worth
abstract contract Seats is IRounds, Bindable {
    using Frames for Frame;
    using Sortition for Lot;

    /* IMMUTABLES */

    /// @inheritdoc IRounds
    ITaskRegistry public immutable registry;
    /// @inheritdoc IRounds
    IStaking public immutable staking;
    /// @inheritdoc IRounds
    IRandomBeacon public immutable beacon;

    /* STORAGE: keyed by task and used again by every round, which costs a third of fresh slots */

    mapping(TaskId task => Round round) internal _rounds; // seed and accumulator are stale until `seedsLatched`, `published`
    mapping(TaskId task => Frame frame) internal _frames;

    /* CONSTRUCTOR */

    constructor(ITaskRegistry registry_, IStaking staking_, IRandomBeacon beacon_) {
        registry = registry_;
        staking = staking_;
        beacon = beacon_;
    }

    /* ANYONE */

    /// @inheritdoc IRounds
    function latchSeed(TaskId task) external {
        Round storage self = _rounds[task];
        require(self.open, NoOpenRound(task));
        uint8 latched = self.seedsLatched;
        require(latched < 2, AlreadyLatched(task, self.number));
        if (latched == 0) _latchSeed(task, self);
        else _latchVoterSeed(task, self);
    }

    /* VIEWS */

    /// @inheritdoc IRounds
    function seedMissed(TaskId task) public view returns (bool) {
        Round storage self = _rounds[task];
        return self.open && self.seedsLatched == 0 && beacon.missed(self.seedBlock);
    }

    /// @inheritdoc IRounds
    function seats(TaskId task, Role role, address operator) external view returns (uint16) {
        Round storage self = _rounds[task];
        require(self.open, NoOpenRound(task));
        return _seats(task, self, role, operator);
    }

    /* INTERNAL */

    function _latchSeed(TaskId task, Round storage self) internal {
        bytes32 seed = _valueOf(self.seedBlock);
        (self.seed, self.seedsLatched) = (seed, 1);
        emit SeedLatched(task, self.number, seed);
    }

    function _latchVoterSeed(TaskId task, Round storage self) internal {
        bytes32 value = _valueOf(self.voterBlock);
        (self.accumulator, self.seedsLatched) = (Sortition.mix(self.accumulator, value), 2);
        emit VoterSeedLatched(task, self.number, value);
    }

    function _valueOf(uint40 block_) private view returns (bytes32 value) {
        if (block_ != 0) value = beacon.valueOf(block_);
        require(value != 0, SeedUnavailable(block_));
    }

    function _seats(TaskId task, Round storage self, Role role, address operator) internal view returns (uint16) {
        Frame storage frame = _frames[task];
        Lot memory lot = _lot(task, self, frame, role, operator);
        if (lot.weight == 0) return 0;

        if (lot.pool == Role.Drawn) {
            uint256 u = lot.luck(_seed(self), address(this));
            if (lot.roleOf(u, frame.expectedTrainers) != role) return 0;
        }
        return lot.seats(lot.luck(role == Role.Trainer ? _seed(self) : _voterSeed(self), address(this)));
    }

    /// @dev Without weight if the operator is not in the pool of `role`.
    function _lot(
        TaskId task,
        Round storage self,
        Frame storage frame,
        Role role,
        address operator
    ) private view returns (Lot memory lot) {
        (lot.task, lot.round, lot.pool, lot.operator) = (task, self.number, frame.poolOf(role), operator);
        Role actual;
        (actual, lot.weight) = staking.weightUnder(task, operator, frame.seatStake, frame.maxLeverage);
        if (actual != lot.pool) lot.weight = 0;

        lot.expected = frame.expected(role);
        uint256 total = role == Role.Trainer ? self.trainerTotal : self.voterTotal;
        lot.divisor = Sortition.divisorOf(total, lot.expected, frame.seatStake);
    }

    function _seed(Round storage self) private view returns (bytes32) {
        return self.seedsLatched == 0 ? _valueOf(self.seedBlock) : self.seed;
    }

    function _voterSeed(Round storage self) private view returns (bytes32) {
        bytes32 accumulator = self.accumulator;
        if (self.seedsLatched < 2) accumulator = Sortition.mix(accumulator, _valueOf(self.voterBlock));
        return Sortition.voterSeed(_seed(self), accumulator);
    }
}
