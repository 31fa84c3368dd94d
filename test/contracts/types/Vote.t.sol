// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BallotState} from "../../../contracts/interfaces/IValidatorVoting.sol";
import {Vote, voteOf} from "../../../contracts/types/Vote.sol";
import {vm} from "../support/Vm.sol";

contract VoteTest {
    function test_voteOf_keepsItsParts_fuzz(uint16 seats, uint8 what, bytes20 named) public pure {
        BallotState state = BallotState(1 + (what % 3));
        if (state == BallotState.Sealed) named = 0;
        Vote vote = voteOf(seats, state, named);
        vm.assertEq(vote.seatsOf(), seats, "seats");
        vm.assertEq(vote.weightOf(), state == BallotState.Revealed ? seats : 0, "weight");
        vm.assertEq(bytes32(vote.headOf()), state == BallotState.Revealed ? bytes32(named) : bytes32(0), "head");
        address accuser = state == BallotState.Absent ? address(named) : address(0);
        vm.assertEq(vote.accuserOf(), accuser, "accuser");
    }
}
