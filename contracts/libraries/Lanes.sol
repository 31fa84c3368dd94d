// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ballot} from "../types/Ballot.sol";
import {Ballots} from "./Ballots.sol";

/// @title Eight numbers in one word
/// @notice A word holds eight lanes of 32 bits, lane k at bit 32 * k. A lane holds a *biased* score (score + 32768, so
/// ABSTAIN is 0, MISSING 1, real scores from 2), a bar up to 65536, or a sum of seats below 65536. One subtraction then
/// compares eight proposals at once, and no lane ever reaches into its neighbour.
/// @dev Everything is unchecked: with these ranges nothing overflows.
library Lanes {
    uint256 internal constant ONES = 0x0000000100000001000000010000000100000001000000010000000100000001;

    uint256 private constant PAIRS = 0x0000000000000000FFFFFFFFFFFFFFFF0000000000000000FFFFFFFFFFFFFFFF;
    uint256 private constant HALVES = 0x00000000FFFFFFFF00000000FFFFFFFF00000000FFFFFFFF00000000FFFFFFFF;
    uint256 private constant SCORES = 0x0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF;

    /// @notice The biased scores of slots 0 to 7 (bank 0) or 8 to 15 (bank 1), spread over the lanes.
    function spread(Ballot scores, uint256 bank) internal pure returns (uint256 x) {
        unchecked {
            x = ((Ballot.unwrap(scores) ^ Ballots.SIGNS) >> (128 * bank)) & type(uint128).max;
            x = (x | (x << 64)) & PAIRS;
            x = (x | (x << 32)) & HALVES;
            x = (x | (x << 16)) & SCORES;
        }
    }

    /// @notice `value` in every lane.
    function fill(uint256 value) internal pure returns (uint256) {
        unchecked {
            return value * ONES;
        }
    }

    /// @notice `value` in lane k of an otherwise empty word.
    function put(uint256 value, uint256 k) internal pure returns (uint256) {
        unchecked {
            return value << (32 * k);
        }
    }

    /// @notice The value of lane k.
    function get(uint256 lanes, uint256 k) internal pure returns (uint256) {
        unchecked {
            return (lanes >> (32 * k)) & type(uint32).max;
        }
    }

    /// @notice 1 in every lane where a < b. For a below 65536 and b up to 65536.
    function lessThan(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            return ((b + 0xFFFF * ONES - a) >> 16) & ONES; // b - a + 65535 reaches bit 16 exactly if b > a
        }
    }

    /// @notice The sum of the eight lanes, for sums below 2^32.
    function sum(uint256 lanes) internal pure returns (uint256) {
        unchecked {
            return (lanes * ONES) >> 224;
        }
    }

    /// @notice 1 in every lane where low <= a < high. For bars as `lessThan` takes them, with low up to high.
    function within(uint256 a, uint256 low, uint256 high) internal pure returns (uint256) {
        unchecked {
            uint256 reach = 0xFFFF * ONES - a;
            return (((low + reach) ^ (high + reach)) >> 16) & ONES; // above one of them, and not the other
        }
    }

    /// @notice In every lane, the weight of those voters whose score is below the bar of that lane.
    /// @param scores One word a voter.
    /// @param weights As many.
    /// @dev The heart of every settlement: the same as `below += lessThan(scores[v], bars) * weights[v]` over all voters,
    /// at an eighth of the gas. Both lists are walked by address, four voters a step and then one by one, and neither is
    /// left.
    function weightBelow(
        uint256[] memory scores,
        uint256[] memory weights,
        uint256 bars
    ) internal pure returns (uint256 below) {
        assert(scores.length == weights.length);
        uint256 reach;
        unchecked {
            reach = bars + 0xFFFF * ONES;
        }
        assembly ("memory-safe") {
            let apart := sub(weights, scores)
            let at := add(scores, 0x20)
            let end := add(at, shl(5, mload(scores)))
            for {
                let fours := add(at, and(sub(end, at), not(0x7f)))
            } lt(at, fours) {
                at := add(at, 0x80)
            } {
                let a := mul(and(shr(16, sub(reach, mload(at))), ONES), mload(add(at, apart)))
                let p := add(at, 0x20)
                let b := mul(and(shr(16, sub(reach, mload(p))), ONES), mload(add(p, apart)))
                p := add(at, 0x40)
                let c := mul(and(shr(16, sub(reach, mload(p))), ONES), mload(add(p, apart)))
                p := add(at, 0x60)
                let d := mul(and(shr(16, sub(reach, mload(p))), ONES), mload(add(p, apart)))
                below := add(below, add(add(a, b), add(c, d)))
            }
            for {} lt(at, end) {
                at := add(at, 0x20)
            } {
                below := add(below, mul(and(shr(16, sub(reach, mload(at))), ONES), mload(add(at, apart))))
            }
        }
    }
}
