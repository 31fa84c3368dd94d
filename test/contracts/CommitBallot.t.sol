// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IValidatorVoting, Poll} from "../../contracts/interfaces/IValidatorVoting.sol";
import {Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Sortition} from "../../contracts/libraries/Sortition.sol";
import {Phase, Role, RoundId, vm} from "./support/Base.sol";
import {Luck} from "./support/Luck.sol";

contract CommitBallotTest is Luck {
    bytes32 private constant COMMITMENT = "commitment";

    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    function test_commitBallot_revertsOutsideBallot() public {
        _expectPhase(Phase.None);
        commit(validators[0]);
        openRound();
        _expectPhase(Phase.Propose);
        commit(validators[0]);
        sealProposal(trainers[0]);
        sealProposal(trainers[1]);
        endPhase(Phase.Propose);
        publish(trainers[0]);
        _expectPhase(Phase.Publish);
        commit(validators[0]);
        endPhase(Phase.Publish);
        endPhase(Phase.Ballot);
        _expectPhase(Phase.Reveal);
        commit(validators[0]);
    }

    function test_commitBallot_revertsIfAlreadySealed() public {
        proposeAndPublish(1);
        commit(validators[0]);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.AlreadySealed.selector, validators[0]));
        commit(validators[0]);
    }

    function test_commitBallot_revertsIfSixtyFourAreSealed() public {
        Terms memory terms = defaultTerms();
        terms.expectedVoters = 40;
        createTask(terms);
        stake(trainers[0], Role.Trainer, UNIT);
        bytes32 salt = keccak256(abi.encode("salt", trainers[0], uint32(1)));
        bytes32 voterSeed = Sortition.voterSeed(SEED, Sortition.fold(0, salt, trainers[0]));
        address[] memory lucky = luckyOperators(Role.Validator, 65, 40, voterSeed);
        stakeAll(lucky, Role.Validator);
        proposeAndPublish(1);
        for (uint256 i = 0; i < 64; ++i) commit(lucky[i]);
        vm.assertEq(voting.poll(task).ballots, 64, "ballots");
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.BallotsFull.selector, 64));
        commit(lucky[64]);
    }

    function test_commitBallot_revertsWithoutSeats() public {
        proposeAndPublish(1);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.NoSeats.selector, stranger));
        commit(stranger);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.NoSeats.selector, trainers[0]));
        commit(trainers[0]);

        stake(validators[10], Role.Validator, UNIT);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.NoSeats.selector, validators[10]));
        commit(validators[10]);
    }

    function test_commitBallot_sealsWithTheSeatsOfTheVotersSeed() public {
        stake(validators[0], Role.Validator, UNIT);
        proposeAndPublish(1);
        uint16 seats = rounds.seats(task, Role.Validator, validators[0]);
        vm.expectEmit(address(voting));
        emit IValidatorVoting.BallotCommitted(task, RoundId.wrap(1), validators[0], seats, COMMITMENT);
        commit(validators[0]);

        (RoundId round, uint16 kept, bool revealed, bytes32 word, bytes20 head) = voting.ballot(task, validators[0]);
        vm.assertEq(RoundId.unwrap(round), 1, "round");
        vm.assertEq(kept, seats, "seats");
        vm.assertFalse(revealed, "revealed");
        vm.assertEq(word, COMMITMENT, "commitment");
        vm.assertEq(bytes32(head), 0, "head");
        Poll memory poll = voting.poll(task);
        vm.assertEq(poll.ballots, 1, "ballots");
        vm.assertEq(poll.sealedSeats, seats, "sealed seats");
    }

    function test_commitBallot_startsANewPollInTheNextRound() public {
        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        settle();
        proposeAndPublish(2);
        commit(validators[3]);
        Poll memory poll = voting.poll(task);
        vm.assertEq(RoundId.unwrap(poll.round), 2, "round");
        vm.assertEq(poll.ballots, 1, "ballots");
        vm.assertEq(uint256(poll.revealed) + poll.revealedSeats + poll.onTimeSeats + poll.lastRevealedAt, 0, "rest");
        (, , bool revealed, , bytes20 head) = voting.ballot(task, validators[3]);
        vm.assertFalse(revealed, "revealed");
        vm.assertEq(bytes32(head), 0, "head");
    }

    function commit(address voter) private {
        vm.prank(voter);
        voting.commitBallot(task, COMMITMENT);
    }

    function _expectPhase(Phase current) private {
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.UnexpectedPhase.selector, task, current, Phase.Ballot));
    }
}
