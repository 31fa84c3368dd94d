// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Base, Commitments, Phase, RoundId, vm} from "./support/Base.sol";

contract PublishProposalTest is Base {
    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 6, 9);
    }

    function test_publishProposal_revertsOutsidePublish() public {
        _expectPhase(Phase.None);
        _publish(trainers[0]);
        openRound();
        sealProposal(trainers[0]);
        sealProposal(trainers[1]);
        _expectPhase(Phase.Propose);
        _publish(trainers[0]);
        endPhase(Phase.Propose);
        publish(trainers[0]);
        endPhase(Phase.Publish);
        _expectPhase(Phase.Ballot);
        _publish(trainers[1]);
    }

    function test_publishProposal_revertsIfNotSealed() public {
        sealTwo();
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotSealed.selector, trainers[2]));
        _publish(trainers[2]);
    }

    function test_publishProposal_revertsIfSealedInAnEarlierRound() public {
        proposeAndPublish(2);
        voteAlike(9, ballot(300, 20));
        settle();
        openRound();
        sealProposal(trainers[0]);
        endPhase(Phase.Propose);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotSealed.selector, trainers[1]));
        _publish(trainers[1]);
    }

    function test_publishProposal_revertsIfAlreadyPublished() public {
        sealTwo();
        publish(trainers[0]);
        vm.expectRevert(abi.encodeWithSelector(IRounds.AlreadyPublished.selector, trainers[0]));
        _publish(trainers[0]);
    }

    function test_publishProposal_revertsIfItIsNotWhatWasSealed() public {
        sealTwo();
        bytes memory expected = abi.encodeWithSelector(IRounds.CommitmentMismatch.selector, trainers[0]);
        (bytes32 artifact, bytes32 salt) = (artifactOf(trainers[0]), saltOf(trainers[0]));
        vm.expectRevert(expected);
        rounds.publishProposal(task, trainers[0], "another", salt);
        vm.expectRevert(expected);
        rounds.publishProposal(task, trainers[0], artifact, "another");
    }

    /// @dev A copied commitment binds the operator it was made for: its copier can never open it.
    function test_publishProposal_clonedCommitmentIsUnrevealable() public {
        openRound();
        sealProposal(trainers[0]);
        (, , , , bytes32 commitment) = rounds.proposal(task, trainers[0]);
        vm.prank(trainers[1]);
        rounds.commitProposal(task, trainers[1], commitment);
        endPhase(Phase.Propose);
        (bytes32 artifact, bytes32 salt) = (artifactOf(trainers[0]), saltOf(trainers[0]));
        vm.expectRevert(abi.encodeWithSelector(IRounds.CommitmentMismatch.selector, trainers[1]));
        rounds.publishProposal(task, trainers[1], artifact, salt);
    }

    function test_publishProposal_revertsIfTheArtifactIsAlreadyThere() public {
        openRound();
        bytes32 artifact = artifactOf(trainers[0]);
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 commitment = Commitments.proposal(address(rounds), task, newest(), trainers[i], artifact, "salt");
            vm.prank(trainers[i]);
            rounds.commitProposal(task, trainers[i], commitment);
        }
        endPhase(Phase.Propose);
        rounds.publishProposal(task, trainers[0], artifact, "salt");
        vm.expectRevert(abi.encodeWithSelector(IRounds.DuplicateArtifact.selector, artifact));
        rounds.publishProposal(task, trainers[1], artifact, "salt");
    }

    function test_publishProposal_numbersSlotsInOrderWhoeverCalls() public {
        sealTwo();
        bytes32 artifact = artifactOf(trainers[1]);
        bytes32 salt = saltOf(trainers[1]);
        vm.expectEmit(address(rounds));
        emit IRounds.ProposalPublished(task, RoundId.wrap(1), trainers[1], 0, artifact, salt);
        vm.prank(stranger);
        rounds.publishProposal(task, trainers[1], artifact, salt);
        publish(trainers[0]);

        (, , uint8 slot, bool published, bytes32 word) = rounds.proposal(task, trainers[0]);
        vm.assertEq(slot, 1, "slot");
        vm.assertTrue(published, "published");
        vm.assertEq(word, artifactOf(trainers[0]), "artifact");
        vm.assertEq(rounds.round(task).lastPublishedAt, block.timestamp, "last");
    }

    function test_publish_endsWhenAllIsPublishedWithoutMovingTheBallotsEnd() public {
        openRound();
        uint256 openedAt = block.timestamp;
        openRoundSealed(3);
        endPhase(Phase.Propose);
        skip(60);
        for (uint256 i = 0; i < 3; ++i) publish(trainers[i]);
        (Phase phase, uint40 endsAt) = voting.phase(task);
        vm.assertEq(uint256(phase), uint256(Phase.Ballot), "phase");
        vm.assertEq(endsAt, openedAt + 6 hours + 30 minutes + 2 hours, "end of ballots");
    }

    function test_publish_runsToGraceIfShort() public {
        openRound();
        openRoundSealed(3);
        uint256 deadline = block.timestamp + 6 hours + 30 minutes;
        endPhase(Phase.Propose);
        publish(trainers[0]);
        vm.warp(deadline);
        assertPhase(Phase.Publish);
        publish(trainers[1]);
        (, uint40 endsAt) = voting.phase(task);
        vm.assertEq(endsAt, deadline + 12 hours, "grace, though two thirds are out now");
        vm.assertEq(rounds.round(task).onTime, 1, "on time");
        publish(trainers[2]);
        (, endsAt) = voting.phase(task);
        vm.assertEq(endsAt, deadline + 12 hours + 2 hours, "ballots end later by the grace");
    }

    function test_publish_takesNoGraceForTwoThirdsOrForTwo() public {
        openRound();
        openRoundSealed(3);
        endPhase(Phase.Propose);
        publish(trainers[0]);
        publish(trainers[1]);
        endPhase(Phase.Publish);
        assertPhase(Phase.Ballot);

        createTask(defaultTerms(), 6, 9);
        sealTwo();
        publish(trainers[0]);
        endPhase(Phase.Publish);
        assertPhase(Phase.Ballot);
    }

    function test_publish_ofNothingVoidsTheRound() public {
        sealTwo();
        endPhase(Phase.Publish);
        assertPhase(Phase.Settle);
        settle();
        uint256 fault = (uint256(UNIT) * 1500) / 10_000;
        vm.assertEq(account(trainers[0]).active, UNIT - fault, "an omission is never forgiven");
        vm.assertEq(rounds.round(task).voids, 1, "voids");
        assertConserved();
    }

    /// @dev Whoever publishes last cannot choose among the orders of publication.
    function test_xor_accumulator_order_free() public {
        openRound();
        openRoundSealed(3);
        endPhase(Phase.Propose);
        for (uint256 i = 0; i < 3; ++i) publish(trainers[i]);
        bytes32 forwards = rounds.round(task).accumulator;
        bytes32 expected;
        for (uint256 i = 0; i < 3; ++i) expected ^= keccak256(abi.encode(saltOf(trainers[i]), trainers[i]));
        vm.assertEq(forwards, expected, "accumulator");

        createTask(defaultTerms(), 6, 9);
        openRound();
        openRoundSealed(3);
        endPhase(Phase.Propose);
        for (uint256 i = 0; i < 3; ++i) publish(trainers[2 - i]);
        vm.assertEq(rounds.round(task).accumulator, forwards, "backwards");
    }

    function test_accumulator_startsAnewInEachRound() public {
        proposeAndPublish(2);
        voteAlike(9, ballot(300, 20));
        settle();
        proposeAndPublish(1);
        bytes32 expected = keccak256(abi.encode(saltOf(trainers[0]), trainers[0]));
        vm.assertEq(rounds.round(task).accumulator, expected, "accumulator");
    }

    function openRoundSealed(uint256 count) private {
        for (uint256 i = 0; i < count; ++i) sealProposal(trainers[i]);
    }

    function sealTwo() private {
        openRound();
        openRoundSealed(2);
        endPhase(Phase.Propose);
    }

    function _publish(address trainer) private {
        rounds.publishProposal(task, trainer, keccak256(abi.encode("artifact", trainer)), "salt");
    }

    function _expectPhase(Phase current) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, task, current, Phase.Publish));
    }
}
