// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Number of a round within its task, from 1 upwards. A void round keeps its number.
type RoundId is uint32;

using {equals as ==, differs as !=, next} for RoundId global;

/// @dev Names no round: where a round number is stored, "none".
RoundId constant NO_ROUND = RoundId.wrap(0);

function equals(RoundId a, RoundId b) pure returns (bool) {
    return RoundId.unwrap(a) == RoundId.unwrap(b);
}

function differs(RoundId a, RoundId b) pure returns (bool) {
    return RoundId.unwrap(a) != RoundId.unwrap(b);
}

/// @dev The round after this one.
function next(RoundId round) pure returns (RoundId) {
    return RoundId.wrap(RoundId.unwrap(round) + 1);
}
