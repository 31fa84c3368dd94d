// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The artifacts of a round, by their last eight bytes
/// @notice Sixteen tags in four words that every round uses again. Two artifacts that agree in eight bytes by accident do
/// not occur, and whoever makes two of its own agree keeps only its own second one out.
library Tags {
    /// @notice Adds the artifact of `slot`, unless an earlier slot has the same tag. Slots are added in order, so what a
    /// former round left in later ones is never read.
    /// @return isNew Whether it was added.
    function add(uint256[4] storage self, uint256 slot, bytes32 artifact) internal returns (bool isNew) {
        uint64 tag = uint64(uint256(artifact));
        uint256 word;
        for (uint256 i = 0; i <= slot; ++i) {
            if (i % 4 == 0) word = self[i / 4];
            if (i < slot && _at(word, i) == tag) return false;
        }

        uint256 bit = 64 * (slot % 4);
        self[slot / 4] = (word & ~(uint256(type(uint64).max) << bit)) | (uint256(tag) << bit);
        return true;
    }

    function _at(uint256 word, uint256 slot) private pure returns (uint64) {
        return uint64(word >> (64 * (slot % 4)));
    }
}
