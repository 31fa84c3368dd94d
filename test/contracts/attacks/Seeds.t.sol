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

    /// @dev A seed is kept at its first answer: a beacon that says something else later changes nobody's seats.
    function test_P20_theFirstAnswerOfTheBeaconStays() public {
        for (uint256 i = 3; i < 16; ++i) stake(trainers[i], Role.Trainer, UNIT);
        for (uint256 i = 9; i < 64; ++i) stake(validators[i], Role.Validator, UNIT);
        openRound();
        rounds.latchSeed(task);
        uint256 seats = _seated(Role.Trainer, trainers);
        _answerAnew(rounds.round(task).seedBlock);
        vm.assertEq(rounds.round(task).seed, SEED, "seed");
        vm.assertEq(_seated(Role.Trainer, trainers), seats, "trainers' seats");

        address proposer = _first(seats, trainers);
        sealProposal(proposer);
        endPhase(Phase.Propose);
        publish(proposer);
        seats = _seated(Role.Validator, validators);
        sealBallot(_first(seats, validators), ballot(300));
        _answerAnew(rounds.round(task).voterBlock);
        vm.assertEq(_seated(Role.Validator, validators), seats, "voters' seats");
    }

    /// @dev Stake that is none, too little, locked in an exit or all gone gives no seat and holds nothing up.
    function test_P19_stakeWithoutWeightDrawsNothing() public {
        stake(trainers[3], Role.Trainer, UNIT - 1);
        stake(trainers[4], Role.Trainer, UNIT);
        requestExit(trainers[4], UNIT);
        openRound();
        stake(trainers[5], Role.Trainer, UNIT);
        address[5] memory seatless = [stranger, trainers[3], trainers[4], trainers[5], validators[0]];
        for (uint256 i = 0; i < seatless.length; ++i) {
            uint256 used = gasleft();
            vm.assertEq(rounds.seats(task, Role.Trainer, seatless[i]), 0, "seats");
            vm.assertLt(used - gasleft(), 100_000, "gas of a draw of nothing");
            vm.expectRevert(abi.encodeWithSelector(IRounds.NoSeats.selector, seatless[i]));
            vm.prank(seatless[i]);
            rounds.commitProposal(task, seatless[i], "commitment");
        }
        endPhase(Phase.Propose);
        settle();

        for (uint256 i = 0; i < 9; ++i) requestExit(validators[i], UNIT);
        vm.expectRevert(abi.encodeWithSelector(IRounds.PoolTooSmall.selector, Role.Validator, 0, 5 * uint256(UNIT)));
        rounds.openRound(task, none(), none());
    }

    function _answerAnew(uint40 block_) private {
        vm.setBlockhash(block_, "a second answer");
        vm.assertEq(beacon.valueOf(block_), "a second answer", "of the beacon");
    }

    /// @dev Who has a seat, one bit each.
    function _seated(Role role, address[] memory all) private view returns (uint256 bits) {
        for (uint256 i = 0; i < all.length; ++i) if (rounds.seats(task, role, all[i]) != 0) bits |= 1 << i;
    }

    function _first(uint256 bits, address[] memory all) private pure returns (address) {
        for (uint256 i = 0; i < all.length; ++i) if (bits & (1 << i) != 0) return all[i];
        revert("nobody");
    }

    function _expectUnknown(uint40 block_) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.SeedUnavailable.selector, block_));
        rounds.seats(task, Role.Validator, validators[0]);
    }
}
