// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ballot} from "../types/Ballot.sol";

/// @title Which words are ballots
library Ballots {
    /// @dev The sign bit of every score: flipped, signed order becomes unsigned order and ABSTAIN and MISSING become 0 and 1.
    uint256 internal constant SIGNS = 0x8000800080008000800080008000800080008000800080008000800080008000;

    /// @dev Every bit of every score but the lowest.
    uint256 private constant BEYOND_SPECIAL = 0xFFFEFFFEFFFEFFFEFFFEFFFEFFFEFFFEFFFEFFFEFFFEFFFEFFFEFFFEFFFEFFFE;

    /// @notice The score of one slot.
    function scoreOf(Ballot scores, uint256 slot) internal pure returns (int16) {
        return int16(uint16(Ballot.unwrap(scores) >> (16 * slot)));
    }

    /// @notice Whether every lane beyond the published proposals is 0.
    function isCanonical(Ballot scores, uint256 published) internal pure returns (bool) {
        return Ballot.unwrap(scores) >> (16 * published) == 0;
    }

    /// @notice Whether a canonical ballot scores at least one published proposal, other than ABSTAIN or MISSING.
    function judges(Ballot scores, uint256 published) internal pure returns (bool) {
        uint256 lanes = ~(type(uint256).max << (16 * published));
        return (Ballot.unwrap(scores) ^ SIGNS) & lanes & BEYOND_SPECIAL != 0;
    }
}
