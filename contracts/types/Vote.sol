// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BallotState} from "../interfaces/IValidatorVoting.sol";

/// @notice One voter of a round in one word, but for its scores: seats (16 bits), then what became of its ballot (8 bits),
/// and in the upper 160 bits the head it names once revealed, or of the absent their accuser.
type Vote is uint256;

using {seatsOf, weightOf, headOf, accuserOf} for Vote global;

/// @dev `named` is 0 where the ballot is sealed.
function voteOf(uint16 seats, BallotState state, bytes20 named) pure returns (Vote) {
    return Vote.wrap((uint256(uint160(named)) << 96) | (uint256(state) << 16) | seats);
}

/// @dev Sealed with, or missing.
function seatsOf(Vote self) pure returns (uint256) {
    return uint16(Vote.unwrap(self));
}

/// @dev The seats if the ballot is revealed, otherwise 0.
function weightOf(Vote self) pure returns (uint256) {
    return _stateOf(self) == uint8(BallotState.Revealed) ? seatsOf(self) : 0;
}

/// @dev 0 if not revealed, or if the voter could not build the head.
function headOf(Vote self) pure returns (bytes20) {
    return _stateOf(self) == uint8(BallotState.Absent) ? bytes20(0) : _namedBy(self);
}

/// @dev Who accused the voter of sealing nothing, 0 if nobody did.
function accuserOf(Vote self) pure returns (address) {
    return _stateOf(self) == uint8(BallotState.Absent) ? address(_namedBy(self)) : address(0);
}

function _stateOf(Vote self) pure returns (uint256) {
    return uint8(Vote.unwrap(self) >> 16);
}

function _namedBy(Vote self) pure returns (bytes20) {
    return bytes20(uint160(Vote.unwrap(self) >> 96));
}
