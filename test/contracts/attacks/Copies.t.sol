// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds} from "../../../contracts/interfaces/IRounds.sol";
import {IValidatorVoting} from "../../../contracts/interfaces/IValidatorVoting.sol";
import {Commitments} from "../../../contracts/libraries/Commitments.sol";
import {Base, Phase, vm} from "../support/Base.sol";

/// @notice Attacks by whoever reads what others opened, copies it, or runs ahead of them.
contract CopyAttacksTest is Base {
    address private copier;

    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    /// @dev The first open ballot shows what to vote; by then nobody can seal any more, whoever has not sealed yet.
    function test_T1_whoReadsAnOpenBallotCannotSealACopy() public {
        copier = validators[8];
        proposeAndPublish(1);
        for (uint256 i = 0; i < 8; ++i) sealBallot(validators[i], ballot(300));
        (, uint40 closes) = voting.phase(task);
        vm.warp(closes - 1);
        bytes32 salt = saltOf(validators[0]);
        vm.expectRevert(
            abi.encodeWithSelector(IValidatorVoting.UnexpectedPhase.selector, task, Phase.Ballot, Phase.Reveal)
        );
        voting.revealBallot(task, validators[0], ballot(300), REPORT, HEAD, salt);

        vm.warp(closes);
        reveal(validators[0]);
        bytes32 copied = ballotCommitment(copier, ballot(300), HEAD);
        vm.expectRevert(
            abi.encodeWithSelector(IValidatorVoting.UnexpectedPhase.selector, task, Phase.Reveal, Phase.Ballot)
        );
        vm.prank(copier);
        voting.commitBallot(task, copier, copied, "");
    }

    /// @dev The first open update shows what to propose; by then nobody can seal it, nor open another commitment with it.
    function test_T9_whoReadsAnOpenUpdateCannotProposeIt() public {
        (copier, trainers[2]) = (trainers[2], trainers[1]);
        openRound();
        sealProposal(trainers[0]);
        sealProposal(trainers[1]); // of whatever the copier's second identity could think of before
        endPhase(Phase.Propose);
        bytes32 stolen = artifactOf(trainers[0]);
        publish(trainers[0]);

        bytes32 commitment = Commitments.proposal(address(rounds), task, newest(), copier, stolen, "salt");
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, task, Phase.Publish, Phase.Propose));
        vm.prank(copier);
        rounds.commitProposal(task, copier, commitment);
        bytes32 salt = saltOf(trainers[1]);
        vm.expectRevert(abi.encodeWithSelector(IRounds.CommitmentMismatch.selector, trainers[1]));
        rounds.publishProposal(task, trainers[1], stolen, salt);
    }

    /// @dev Whoever sees an opening, a claim or a withdrawal under way and is faster does it for its owner.
    function test_T16_whoRunsAheadServesTheOwner() public {
        openRound();
        sealProposal(trainers[0]);
        sealProposal(trainers[1]);
        endPhase(Phase.Propose);
        (bytes32 artifact, bytes32 salt) = (artifactOf(trainers[0]), saltOf(trainers[0]));
        vm.expectRevert(abi.encodeWithSelector(IRounds.CommitmentMismatch.selector, trainers[1]));
        vm.prank(trainers[1]);
        rounds.publishProposal(task, trainers[1], artifact, salt);
        vm.prank(stranger);
        publish(trainers[0]);
        publish(trainers[1]);
        voteAlike(9, ballot(300, 20));
        settle();
        requestExit(trainers[0], UNIT);
        skip(7 days);

        uint256 due = account(trainers[0]).claimable;
        vm.assertGt(due, account(trainers[1]).claimable, "the proposer is paid, whoever opened");
        vm.prank(stranger);
        staking.claim(task, trainers[0], trainers[0]);
        vm.prank(stranger);
        staking.withdraw(task, trainers[0], trainers[0]);
        vm.assertEq(token.balanceOf(trainers[0]), due + UNIT, "all to the owner");
        vm.assertEq(token.balanceOf(stranger), 0, "nothing to who was faster");
    }

    /// @dev A key belongs to nobody: whoever names somebody's signer first neither keeps nor gets anything.
    function test_F21_whoNamesASignersAddressFirstBlocksNobody() public {
        address signer = address(0x51);
        vm.prank(stranger);
        staking.setSigner(task, signer);
        vm.prank(trainers[0]);
        staking.setSigner(task, signer);
        vm.prank(trainers[1]);
        staking.setSigner(task, trainers[0]); // another operator's own address
        openRound();
        vm.assertTrue(staking.mayAct(task, trainers[0], signer), "the signer acts for its operator");
        vm.assertFalse(staking.mayAct(task, signer, stranger), "not the other way round");
        vm.assertFalse(staking.mayAct(task, trainers[0], trainers[1]), "nor for who named an operator");

        vm.prank(signer);
        rounds.commitProposal(task, trainers[0], "commitment");
        vm.expectRevert(abi.encodeWithSelector(IRounds.NoSeats.selector, stranger));
        vm.prank(signer);
        rounds.commitProposal(task, stranger, "commitment");
        vm.prank(trainers[0]);
        rounds.commitProposal(task, trainers[1], "commitment");
    }
}
