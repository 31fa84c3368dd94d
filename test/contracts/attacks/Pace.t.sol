// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Commitments, Phase, Role, vm} from "../support/Base.sol";
import {Luck} from "../support/Luck.sol";

/// @notice Attacks on the time that a round leaves, and on what its acts cost.
contract PaceAttacksTest is Luck {
    uint256 private constant ACTS = 7;

    /// @dev Sealing goes on to its end although every place is taken and every seat has sealed: nobody is cut off early.
    function test_F18_sealingNeverEndsEarly() public {
        createTask(defaultTerms());
        address[] memory lucky = luckyOperators(Role.Trainer, 16, 6);
        stakeAll(lucky, Role.Trainer);
        for (uint256 i = 0; i < 9; ++i) stake(validators[i], Role.Validator, UNIT);
        openRound();
        uint256 end = block.timestamp + 6 hours;
        for (uint256 i = 0; i < 16; ++i) sealProposal(lucky[i]);
        vm.warp(end - 1);
        assertPhase(Phase.Propose);
        vm.warp(end);
        for (uint256 i = 0; i < 16; ++i) publish(lucky[i]);
        assertPhase(Phase.Ballot);
        for (uint256 i = 0; i < 9; ++i) sealBallot(validators[i], ballot(300));
        vm.warp(end + 30 minutes + 2 hours - 1);
        assertPhase(Phase.Ballot);
        vm.warp(end + 30 minutes + 2 hours);
        assertPhase(Phase.Reveal);
    }

    /// @dev Who fills the pools with operators makes nothing dearer for anybody: with 400 more no act costs more gas.
    function test_T11_moreOperatorsMakeNoActDearer_gas() public {
        uint256[ACTS] memory few = _costs(10);
        uint256[ACTS] memory many = _costs(400);
        for (uint256 i = 0; i < ACTS; ++i) {
            vm.assertGt(few[i], 20_000, "measured");
            vm.assertLe(many[i] * 100, few[i] * 102, string.concat("act ", string(abi.encodePacked(uint8(48 + i)))));
        }
    }

    /// @dev Gas of each act of one trainer and one voter, beside `crowd` operators of each kind.
    function _costs(uint256 crowd) private returns (uint256[ACTS] memory gas) {
        createTask(defaultTerms());
        fund(creator, FUNDS);
        for (uint160 i = 0; i < crowd; ++i) {
            stake(address(0x50000 + i), Role.Trainer, UNIT);
            stake(address(0x60000 + i), Role.Validator, UNIT);
        }
        (address trainer, address voter) = (trainers[0], validators[0]);
        stake(trainer, Role.Trainer, 2 * crowd * UNIT); // two thirds of the pool: seats, and a quorum of them
        token.transfer(voter, 2 * crowd * UNIT);
        allow(voter);
        gas[0] = _costOf(
            voter,
            address(staking),
            abi.encodeCall(staking.stake, (task, Role.Validator, 2 * crowd * UNIT))
        );
        gas[1] = _costOf(stranger, address(rounds), abi.encodeCall(rounds.openRound, (task, none(), none())));
        vm.roll(block.number + 2);
        vm.setBlockhash(block.number - 1, SEED);
        (bytes32 artifact, bytes32 salt) = (artifactOf(trainer), saltOf(trainer));
        bytes32 sealedOne = Commitments.proposal(address(rounds), task, newest(), trainer, artifact, salt);
        gas[2] = _costOf(trainer, address(rounds), abi.encodeCall(rounds.commitProposal, (task, trainer, sealedOne)));
        endPhase(Phase.Propose);
        bytes memory opening = abi.encodeCall(rounds.publishProposal, (task, trainer, artifact, salt));
        gas[3] = _costOf(trainer, address(rounds), opening);
        vm.roll(block.number + 2);
        vm.setBlockhash(rounds.round(task).voterBlock, VOTER_VALUE);
        sealedOne = ballotCommitment(voter, ballot(300), HEAD);
        gas[4] = _costOf(voter, address(voting), abi.encodeCall(voting.commitBallot, (task, voter, sealedOne, "")));
        endPhase(Phase.Ballot);
        opening = abi.encodeCall(voting.revealBallot, (task, voter, ballot(300), REPORT, HEAD, saltOf(voter)));
        gas[5] = _costOf(voter, address(voting), opening);
        endPhase(Phase.Reveal);
        (address[] memory one, address[] memory other) = (new address[](1), new address[](1));
        (one[0], other[0]) = (trainer, voter);
        gas[6] = _costOf(stranger, address(distributor), abi.encodeCall(distributor.settle, (task, one, other)));
    }

    /// @dev Gas of a call with all storage cold, as in a transaction of its own.
    function _costOf(address caller, address to, bytes memory data) private returns (uint256 used) {
        vm.cool(address(token));
        vm.cool(address(registry));
        vm.cool(address(staking));
        vm.cool(address(rounds));
        vm.cool(address(voting));
        vm.cool(address(distributor));
        vm.prank(caller);
        used = gasleft();
        (bool isDone, ) = to.call(data);
        used -= gasleft();
        vm.assertTrue(isDone, "done");
    }
}
