// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Role} from "../interfaces/IStaking.sol";
import {RoundId} from "../types/RoundId.sol";
import {TaskId} from "../types/TaskId.sol";

/// @title Seats without a draw
/// @notice The expectation of the seats is exactly `expected * weight / d`, so splitting stake changes neither pay nor
/// risk, and anyone computes them off chain.
library Sortition {
    /// @notice The luck of one operator in one role of one round, uniform over 256 bits.
    /// @param seed The round's seed for trainers, `voterSeed` for validators.
    /// @param rounds The contract of rounds, so that two deployments never share luck.
    function luck(
        bytes32 seed,
        address rounds,
        TaskId task,
        RoundId round,
        Role role,
        address operator
    ) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, rounds, task, round, role, operator)));
    }

    /// @notice The seats that `weight` out of `total` gets with `u`: `expected * weight / d` rounded up or down by luck.
    /// @dev At most `expected`, because `weight <= total`; a pool short of `expected * seatStake` fills fewer seats.
    function seats(
        uint256 u,
        uint256 expected,
        uint256 weight,
        uint256 total,
        uint256 seatStake
    ) internal pure returns (uint16) {
        uint256 d = Math.max(total, expected * seatStake);
        if (d == 0 || weight == 0) return 0;

        return uint16((expected * weight + (u % d)) / d);
    }

    /// @notice The seed of the voters: unknown before the last publication.
    function voterSeed(bytes32 seed, bytes32 accumulator) internal pure returns (bytes32) {
        return keccak256(abi.encode(seed, accumulator));
    }

    /// @notice Folds one publication into the accumulator. The order of publications does not matter.
    function fold(bytes32 accumulator, bytes32 salt, address operator) internal pure returns (bytes32) {
        return accumulator ^ keccak256(abi.encode(salt, operator));
    }
}
