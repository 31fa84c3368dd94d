// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ballot} from "../types/Ballot.sol";
import {Vote} from "../types/Vote.sol";

/// @title Lists in memory, for loops whose index cannot leave them
/// @dev A check of the bounds costs three times what is checked, and a settlement reads thousands of places.
library Lists {
    /// @notice The value at `i`, which must be below the length.
    function get(uint256[] memory self, uint256 i) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(self, 0x20), shl(5, i)))
        }
    }

    /// @notice The same of a list of votes.
    function get(Vote[] memory self, uint256 i) internal pure returns (Vote value) {
        assembly ("memory-safe") {
            value := mload(add(add(self, 0x20), shl(5, i)))
        }
    }

    /// @notice Puts `value` at `i`, which must be below the length.
    function set(uint256[] memory self, uint256 i, uint256 value) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(self, 0x20), shl(5, i)), value)
        }
    }

    /// @notice The same in a list of votes.
    function set(Vote[] memory self, uint256 i, Vote value) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(self, 0x20), shl(5, i)), value)
        }
    }

    /// @notice The same in a list of scores.
    function set(Ballot[] memory self, uint256 i, Ballot value) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(self, 0x20), shl(5, i)), value)
        }
    }
}
