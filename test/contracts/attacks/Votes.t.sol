// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds} from "../../../contracts/interfaces/IRounds.sol";
import {BallotState, IValidatorVoting} from "../../../contracts/interfaces/IValidatorVoting.sol";
import {Commitments} from "../../../contracts/libraries/Commitments.sol";
import {Ballot, Base, Phase, Role, RoundId, TaskId, vm} from "../support/Base.sol";

/// @notice Attacks on what is sealed, opened and counted.
contract VoteAttacksTest is Base {
    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    /// @dev Less than half of the seats, however wild their scores, leave the median where the others have it.
    function test_T10_extremeScoresMoveNoMedian() public {
        proposeAndPublish(1);
        for (uint256 i = 0; i < 5; ++i) sealBallot(validators[i], ballot(int16(int256(298 + i))));
        for (uint256 i = 5; i < 9; ++i) sealBallot(validators[i], ballot(i % 2 == 0 ? int16(32_767) : int16(-32_766)));
        revealBallots();
        settle();
        // Two far above, two far below: 300 is the middle of all, and the accepted one's factor is 300 - 5.
        bytes32[] memory artifacts = new bytes32[](1);
        uint256[] memory factors = new uint256[](1);
        (artifacts[0], factors[0]) = (artifactOf(trainers[0]), 295);
        bytes32 expected = keccak256(abi.encode(MANIFEST, uint32(1), uint256(1), artifacts, factors));
        vm.assertEq(headId(), expected, "head");
    }

    /// @dev The same operator, artifact and salt: a commitment of one task, round or deployment opens in no other.
    function test_P10_commitmentOpensInNoOtherTask() public {
        TaskId first = task;
        openRound();
        bytes32 elsewhere = _proposal(first, RoundId.wrap(1), address(rounds));
        createTask(defaultTerms(), 3, 9);
        openRound();
        _sealAndExpectMismatch(elsewhere);
    }

    function test_P10_commitmentOpensInNoOtherRound() public {
        openRound();
        _sealAndExpectMismatch(_proposal(task, RoundId.wrap(2), address(rounds)));
    }

    function test_P10_commitmentOpensInNoOtherDeployment() public {
        openRound();
        _sealAndExpectMismatch(_proposal(task, RoundId.wrap(1), address(distributor)));
    }

    /// @dev Whoever left and comes back, in whatever role, finds nothing of what it did before to be counted.
    function test_P11_whoComesBackInheritsNothing() public {
        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        settle();
        requestExit(validators[8], UNIT);
        skip(7 days);
        staking.withdraw(task, validators[8], validators[8]);
        stake(validators[8], Role.Trainer, UNIT);

        proposeAndPublish(1);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.NoSeats.selector, validators[8]));
        vm.prank(validators[8]);
        voting.commitBallot(task, validators[8], "commitment", "");
        for (uint256 i = 0; i < 7; ++i) sealBallot(validators[i], ballot(300));
        revealBallots();
        address[] memory first = proposers();
        address[] memory list = new address[](7);
        for (uint256 i = 0; i < 6; ++i) list[i] = validators[i];
        list[6] = validators[8];
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.WrongOrder.selector, 6));
        distributor.settle(task, first, list);
        list[6] = validators[6];
        distributor.settle(task, first, list);
    }

    /// @dev A reveal that fails says why and leaves the ballot sealed for the right one.
    function test_P13_failedRevealKeepsTheCommitmentAndSaysWhy() public {
        proposeAndPublish(1);
        sealBallot(validators[0], ballot(300));
        endPhase(Phase.Ballot);
        (, , , bytes32 sealedOne, ) = voting.ballot(task, validators[0]);
        bytes32 salt = saltOf(validators[0]);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.CommitmentMismatch.selector, validators[0]));
        voting.revealBallot(task, validators[0], ballot(301), REPORT, HEAD, salt);
        (, , BallotState state, bytes32 kept, ) = voting.ballot(task, validators[0]);
        vm.assertTrue(state == BallotState.Sealed, "state");
        vm.assertEq(kept, sealedOne, "commitment");
        reveal(validators[0]);
    }

    /// @dev Sealing and opening never share a time, and what comes late is refused, not destroyed.
    function test_P14_windowsDoNotTouchAndLatenessDestroysNothing() public {
        openRound();
        sealProposal(trainers[0]);
        sealProposal(trainers[1]);
        bytes32 late = _proposal(task, RoundId.wrap(1), address(rounds));
        endPhase(Phase.Propose);
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, task, Phase.Publish, Phase.Propose));
        vm.prank(trainers[2]);
        rounds.commitProposal(task, trainers[2], late);
        publish(trainers[0]);
        endPhase(Phase.Publish);
        (bytes32 artifact, bytes32 salt) = (artifactOf(trainers[1]), saltOf(trainers[1]));
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, task, Phase.Ballot, Phase.Publish));
        rounds.publishProposal(task, trainers[1], artifact, salt);
        (RoundId round, , , bool isOut, bytes32 word) = rounds.proposal(task, trainers[1]);
        vm.assertEq(RoundId.unwrap(round), 1, "round");
        vm.assertFalse(isOut, "published");
        bytes32 sealedOne = Commitments.proposal(address(rounds), task, round, trainers[1], artifact, salt);
        vm.assertEq(word, sealedOne, "commitment");
    }

    /// @dev Ballots of a former round, of oneself, of strangers and twice the same are not counted.
    function test_P23_onlyThisRoundsVotesCountAndNoneOfItsTrainers() public {
        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        settle();
        proposeAndPublish(2);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.NoSeats.selector, trainers[0]));
        vm.prank(trainers[0]);
        voting.commitBallot(task, trainers[0], "for myself", "");
        for (uint256 i = 0; i < 8; ++i) sealBallot(validators[i], ballot(300, 20));
        revealBallots();

        address[3] memory wrong = [validators[8], stranger, validators[6]]; // former round, nobody, twice
        address[] memory first = proposers();
        address[] memory list = voters();
        for (uint256 i = 0; i < 3; ++i) {
            list[7] = wrong[i];
            vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.WrongOrder.selector, 7));
            distributor.settle(task, first, list);
        }
    }

    function _proposal(TaskId id, RoundId round, address contract_) private view returns (bytes32) {
        return Commitments.proposal(contract_, id, round, trainers[0], "artifact", "salt");
    }

    function _sealAndExpectMismatch(bytes32 commitment) private {
        vm.prank(trainers[0]);
        rounds.commitProposal(task, trainers[0], commitment);
        endPhase(Phase.Propose);
        vm.expectRevert(abi.encodeWithSelector(IRounds.CommitmentMismatch.selector, trainers[0]));
        rounds.publishProposal(task, trainers[0], "artifact", "salt");
    }
}
