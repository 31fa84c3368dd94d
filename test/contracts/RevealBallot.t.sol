// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BallotState, IValidatorVoting, Poll} from "../../contracts/interfaces/IValidatorVoting.sol";
import {ABSTAIN, Ballot, Base, MISSING, Phase, RoundId, vm} from "./support/Base.sol";

contract RevealBallotTest is Base {
    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
        proposeAndPublish(2);
    }

    function test_revealBallot_revertsOutsideReveal() public {
        sealBallot(validators[0], ballot(300, 20));
        _expectPhase(Phase.Ballot);
        _reveal(validators[0]);
        endPhase(Phase.Ballot);
        revealAll();
        endPhase(Phase.Reveal);
        _expectPhase(Phase.Settle);
        _reveal(validators[0]);
    }

    function test_revealBallot_revertsIfNotSealed() public {
        sealOne(ballot(300, 20), HEAD);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.NotSealed.selector, validators[1]));
        _reveal(validators[1]);
    }

    function test_revealBallot_revertsIfAlreadyRevealed() public {
        sealOne(ballot(300, 20), HEAD);
        reveal(validators[0]);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.AlreadyRevealed.selector, validators[0]));
        _reveal(validators[0]);
    }

    function test_revealBallot_revertsIfItIsNotWhatWasSealed() public {
        sealOne(ballot(300, 20), HEAD);
        bytes memory expected = abi.encodeWithSelector(IValidatorVoting.CommitmentMismatch.selector, validators[0]);
        bytes32 salt = saltOf(validators[0]);
        vm.expectRevert(expected);
        voting.revealBallot(task, validators[0], ballot(300, 21), REPORT, HEAD, salt);
        vm.expectRevert(expected);
        voting.revealBallot(task, validators[0], ballot(300, 20), "another", HEAD, salt);
        vm.expectRevert(expected);
        voting.revealBallot(task, validators[0], ballot(300, 20), REPORT, bytes20("other"), salt);
        vm.expectRevert(expected);
        voting.revealBallot(task, validators[0], ballot(300, 20), REPORT, HEAD, "salt");
    }

    function test_revealBallot_clonedCommitmentIsUnrevealable() public {
        sealBallot(validators[0], ballot(300, 20));
        (, , , bytes32 commitment, ) = voting.ballot(task, validators[0]);
        vm.prank(validators[1]);
        voting.commitBallot(task, validators[1], commitment, "");
        endPhase(Phase.Ballot);
        bytes32 salt = saltOf(validators[0]);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.CommitmentMismatch.selector, validators[1]));
        voting.revealBallot(task, validators[1], ballot(300, 20), REPORT, HEAD, salt);
    }

    function test_revealBallot_revertsIfNotCanonical() public {
        Ballot scores = ballot(300, 20, 1);
        sealOne(scores, HEAD);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.NotCanonical.selector, scores, 2));
        reveal(validators[0]);
    }

    function test_revealBallot_revertsIfItJudgesWithoutAHead() public {
        Ballot scores = ballot(ABSTAIN, 0);
        sealOne(scores, 0);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.HeadRequired.selector, scores));
        reveal(validators[0]);
    }

    function test_revealBallot_needsNoHeadIfItJudgesNothing() public {
        sealOne(ballot(ABSTAIN, MISSING), 0);
        reveal(validators[0]);
        vm.assertEq(voting.poll(task).revealed, 1, "revealed");
    }

    function test_revealBallot_opensWhoeverCalls() public {
        Ballot scores = ballot(300, ABSTAIN);
        sealOne(scores, HEAD);
        bytes32 salt = saltOf(validators[0]);
        vm.expectEmit(address(voting));
        emit IValidatorVoting.BallotRevealed(task, RoundId.wrap(1), validators[0], scores, REPORT, HEAD, salt);
        vm.prank(stranger);
        voting.revealBallot(task, validators[0], scores, REPORT, HEAD, salt);

        (, , BallotState state, bytes32 word, bytes20 head) = voting.ballot(task, validators[0]);
        vm.assertTrue(state == BallotState.Revealed, "state");
        vm.assertEq(uint256(word), Ballot.unwrap(scores), "scores");
        vm.assertEq(bytes32(head), bytes32(HEAD), "head");
        Poll memory poll = voting.poll(task);
        vm.assertEq(poll.revealed, 1, "count");
        vm.assertEq(poll.revealedSeats, 1, "seats");
        vm.assertEq(poll.onTimeSeats, 1, "seats on time");
        vm.assertEq(poll.lastRevealedAt, block.timestamp, "last");
    }

    /// @dev Those who are quick cannot outrun anyone: half of reveal always passes.
    function test_reveal_lastsAtLeastHalfItsLength() public {
        sealOne(ballot(300, 20), HEAD);
        uint256 start = block.timestamp;
        reveal(validators[0]);
        (Phase phase, uint40 endsAt) = voting.phase(task);
        vm.assertEq(uint256(phase), uint256(Phase.Reveal), "phase");
        vm.assertEq(endsAt, start + 15 minutes, "half of reveal");
        vm.warp(endsAt);
        assertPhase(Phase.Settle);
    }

    function test_reveal_ofNothingLastsHalfItsLength() public {
        endPhase(Phase.Ballot);
        (Phase phase, uint40 endsAt) = voting.phase(task);
        vm.assertEq(uint256(phase), uint256(Phase.Reveal), "phase");
        vm.assertEq(endsAt, block.timestamp + 15 minutes, "half of reveal");
    }

    function test_reveal_endsWithTheLastBallot() public {
        sealTwoAndStart();
        skip(20 minutes);
        reveal(validators[0]);
        assertPhase(Phase.Reveal);
        reveal(validators[1]);
        assertPhase(Phase.Settle);
    }

    function test_reveal_runs_to_grace_when_short() public {
        sealTwoAndStart();
        uint256 deadline = block.timestamp + 30 minutes;
        reveal(validators[0]);
        vm.warp(deadline);
        (Phase phase, uint40 endsAt) = voting.phase(task);
        vm.assertEq(uint256(phase), uint256(Phase.Reveal), "phase");
        vm.assertEq(endsAt, deadline + 12 hours, "grace");
        vm.warp(endsAt - 1);
        reveal(validators[1]);
        assertPhase(Phase.Settle);
        vm.assertEq(voting.poll(task).onTimeSeats, 1, "seats on time");
    }

    function test_reveal_endsAtItsDeadlineIfTwoThirdsAreOpen() public {
        sealBallot(validators[0], ballot(300, 20));
        sealBallot(validators[1], ballot(300, 20));
        sealBallot(validators[2], ballot(300, 20));
        endPhase(Phase.Ballot);
        reveal(validators[0]);
        reveal(validators[1]);
        uint256 start = block.timestamp;
        endPhase(Phase.Reveal);
        vm.assertEq(block.timestamp, start + 30 minutes, "deadline");
        assertPhase(Phase.Settle);
        _expectPhase(Phase.Settle);
        _reveal(validators[2]);
    }

    function sealOne(Ballot scores, bytes20 head) private {
        sealBallot(validators[0], scores, head);
        endPhase(Phase.Ballot);
    }

    function sealTwoAndStart() private {
        sealBallot(validators[0], ballot(300, 20));
        sealBallot(validators[1], ballot(300, 20));
        endPhase(Phase.Ballot);
    }

    function _reveal(address voter) private {
        voting.revealBallot(task, voter, ballot(300, 20), REPORT, HEAD, "salt");
    }

    function _expectPhase(Phase current) private {
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.UnexpectedPhase.selector, task, current, Phase.Reveal));
    }
}
