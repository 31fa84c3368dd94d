// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BPS} from "./Constants.sol";
import {Outcome} from "./Tally.sol";

/// @title Pay by rank
/// @notice Accepted proposals are ordered by their medians. A proposal with k seats takes the next k places, and each place
/// weighs `ratioBps` of the one before, so splitting a stake into several proposals of the same quality gains nothing.
library Ranking {
    /// @dev Weight of the first place.
    uint256 internal constant FIRST = 1 << 64;

    /// @notice The weights of the accepted proposals.
    /// @param seats Of all proposers, published ones first.
    /// @param factors By slot, 0 where not accepted.
    /// @param seed The round's seed: with the proposer it decides between equal medians.
    /// @return weights By slot, 0 where not accepted.
    function weightsOf(
        uint256[] memory seats,
        uint256[] memory factors,
        Outcome memory outcome,
        address[] calldata proposers,
        bytes32 seed,
        uint256 ratioBps
    ) internal pure returns (uint256[] memory weights) {
        uint256[] memory keys = new uint256[](factors.length);
        for (uint256 slot = 0; slot < keys.length; ++slot) {
            if (factors[slot] != 0) keys[slot] = _key(outcome.medians[slot], seed, proposers[slot]);
        }

        weights = new uint256[](factors.length);
        uint256 place = FIRST;
        for (uint256 best = _best(keys); best < keys.length; best = _best(keys)) {
            for (uint256 k = 0; k < seats[best]; ++k) {
                weights[best] += place;
                place = (place * ratioBps) / BPS;
            }
            keys[best] = 0;
        }
    }

    /// @dev Greater is better: the median (above 0, for it is accepted), then the tie's hash, less being better.
    function _key(int256 median, bytes32 seed, address proposer) private pure returns (uint256) {
        uint256 tie = uint256(keccak256(abi.encode(seed, proposer)));
        return (uint256(median) << 240) | (~tie >> 16);
    }

    /// @dev The slot of the greatest key, `keys.length` if all are 0.
    function _best(uint256[] memory keys) private pure returns (uint256 best) {
        uint256 greatest;
        best = keys.length;
        for (uint256 slot = 0; slot < keys.length; ++slot) {
            if (keys[slot] > greatest) (best, greatest) = (slot, keys[slot]);
        }
    }
}
