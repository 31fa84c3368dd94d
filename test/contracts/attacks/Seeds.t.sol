// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds} from "../../../contracts/interfaces/IRounds.sol";
import {Base, Phase, Role, vm} from "../support/Base.sol";

/// @notice Attacks on who is drawn.
contract SeedAttacksTest is Base {
    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    /// @dev Who votes is nobody's knowledge until every proposal is out, so nobody can be bribed while trainers work.
    function test_T3_votersAreUnknownWhileTrainersWork() public {
        openRound();
        _expectUnknown(0);
        sealProposal(trainers[0]);
        sealProposal(trainers[1]);
        _expectUnknown(0);
        endPhase(Phase.Propose);
        _expectUnknown(0);
        rounds.publishProposal(task, trainers[0], artifactOf(trainers[0]), saltOf(trainers[0]));
        _expectUnknown(rounds.round(task).voterBlock);
        vm.roll(block.number + 2);
        // The last salt still decides: what one would compute now is not what it will be.
        bytes32 before = rounds.round(task).accumulator;
        publish(trainers[1]);
        vm.assertTrue(rounds.round(task).accumulator != before, "accumulator");
    }

    /// @dev Whoever latches, and whenever, gets the block that was named at the opening.
    function test_T5_callerOfTheLatchChoosesNothing() public {
        openRound();
        uint40 seedBlock = rounds.round(task).seedBlock;
        uint16[3] memory seats;
        for (uint256 i = 0; i < 3; ++i) seats[i] = rounds.seats(task, Role.Trainer, trainers[i]);
        vm.roll(seedBlock + 200);
        vm.setBlockhash(block.number - 1, "a block that suits me");
        vm.prank(stranger);
        rounds.latchSeed(task);
        vm.assertEq(rounds.round(task).seed, SEED, "seed");
        vm.assertEq(rounds.round(task).seedBlock, seedBlock, "seed block");
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(rounds.seats(task, Role.Trainer, trainers[i]), seats[i], "seats");
        }
    }

    function _expectUnknown(uint40 block_) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.SeedUnavailable.selector, block_));
        rounds.seats(task, Role.Validator, validators[0]);
    }
}
