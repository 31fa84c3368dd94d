// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The 16 scores of one voter in one word: the score of slot i is `int16(uint16(word >> (16 * i)))`.
/// Slots are numbered in the order of publication. Positive is better than the head, in the manifest's score unit.
type Ballot is uint256;

/// @dev "I could not judge this proposal." Smaller than every score.
int16 constant ABSTAIN = -32768;

/// @dev "The bytes of this proposal did not come." Smaller than every score.
int16 constant MISSING = -32767;

/// @dev The range of a score. Measurements beyond it are clamped to it, never wrapped.
int16 constant LOWEST_SCORE = -32766;
int16 constant HIGHEST_SCORE = 32767;
