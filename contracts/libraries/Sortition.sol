// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Role} from "../interfaces/IStaking.sol";
import {RoundId} from "../types/RoundId.sol";
import {TaskId} from "../types/TaskId.sol";

/// @notice One operator in one round's pool. `divisor` is above 0 if `weight` is.
struct Lot {
    TaskId task;
    RoundId round;
    Role pool; // that the operator stakes in
    address operator;
    uint256 expected; // seats that the pool fills on average
    uint256 weight; // the operator's
    uint256 divisor; // the sum of the weights, or what a full pool would have
}

/// @title Seats without a draw
/// @notice The expectation of the seats is exactly `expected * weight / divisor`, so splitting stake changes neither pay nor
/// risk, and anyone computes them off chain.
library Sortition {
    /// @notice What luck is divided by in a pool of `total`: a pool short of `expected * seatStake` fills fewer seats.
    function divisorOf(uint256 total, uint256 expected, uint256 seatStake) internal pure returns (uint256) {
        return Math.max(total, expected * seatStake);
    }

    /// @notice The luck of an operator in a round, uniform over 256 bits.
    /// @param seed The round's seed for trainers and for drawing roles, `voterSeed` for voters.
    /// @param rounds The contract of rounds, so that two deployments never share luck.
    function luck(Lot memory lot, bytes32 seed, address rounds) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, rounds, lot.task, lot.round, lot.pool, lot.operator)));
    }

    /// @notice The seats that luck `u` gives: `expected * weight / divisor`, rounded up or down.
    /// @dev At most `expected`, because `weight <= divisor`.
    function seats(Lot memory lot, uint256 u) internal pure returns (uint16) {
        return lot.weight == 0 ? 0 : uint16((lot.expected * lot.weight + (u % lot.divisor)) / lot.divisor);
    }

    /// @notice The role that luck `u` under the round's seed draws. The quotient decides the role and the remainder the
    /// seats, so that they are independent.
    function roleOf(Lot memory lot, uint256 u, uint256 expectedTrainers) internal pure returns (Role) {
        return (u / lot.divisor) % lot.expected < expectedTrainers ? Role.Trainer : Role.Validator;
    }

    /// @notice The seed of the voters, over all salts and the value of a block after the first publication.
    function voterSeed(bytes32 seed, bytes32 accumulator) internal pure returns (bytes32) {
        return keccak256(abi.encode(seed, accumulator));
    }

    /// @notice Mixes the beacon's value into the accumulator, like one more salt. Whoever builds the block of `value` does not
    /// know all salts, unless every proposal is its own; and whoever holds all proposals does not know `value` when it
    /// seals them.
    function mix(bytes32 accumulator, bytes32 value) internal pure returns (bytes32) {
        return accumulator ^ keccak256(abi.encode(value));
    }

    /// @notice Folds one publication into the accumulator. The order of publications does not matter.
    function fold(bytes32 accumulator, bytes32 salt, address operator) internal pure returns (bytes32) {
        return accumulator ^ keccak256(abi.encode(salt, operator));
    }
}
