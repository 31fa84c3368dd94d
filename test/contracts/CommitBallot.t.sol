// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {BallotState, IValidatorVoting, Poll} from "../../contracts/interfaces/IValidatorVoting.sol";
import {Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Sortition} from "../../contracts/libraries/Sortition.sol";
import {Phase, Role, RoundId, vm} from "./support/Base.sol";
import {Luck} from "./support/Luck.sol";

contract CommitBallotTest is Luck {
    bytes32 private constant COMMITMENT = "commitment";

    address private signer = address(0x51);
    address private other = address(0x52);

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
        bytes32 voterSeed = Sortition.voterSeed(SEED, Sortition.mix(Sortition.fold(0, salt, trainers[0]), VOTER_VALUE));
        address[] memory lucky = luckyOperators(Role.Validator, 65, 40, voterSeed, UNIT);
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
        emit IValidatorVoting.BallotCommitted(task, RoundId.wrap(1), validators[0], seats, COMMITMENT, "");
        commit(validators[0]);

        (RoundId round, uint16 kept, BallotState state, bytes32 word, bytes20 head) = voting.ballot(
            task,
            validators[0]
        );
        vm.assertEq(RoundId.unwrap(round), 1, "round");
        vm.assertEq(kept, seats, "seats");
        vm.assertTrue(state == BallotState.Sealed, "state");
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
        vm.assertEq(
            uint256(poll.revealed) + poll.accused + poll.revealedSeats + poll.onTimeSeats + poll.lastRevealedAt,
            0,
            "rest"
        );
        (, , BallotState state, , bytes20 head) = voting.ballot(task, validators[3]);
        vm.assertTrue(state == BallotState.Sealed, "state");
        vm.assertEq(bytes32(head), 0, "head");
    }

    /* THE COPY */

    function test_commitBallot_tellsTheCopyAndKeepsNothingOfIt() public {
        proposeAndPublish(1);
        bytes memory copy = new bytes(160);
        copy[0] = 0x01;
        copy[159] = 0x02;
        uint16 seats = rounds.seats(task, Role.Validator, validators[0]);
        vm.expectEmit(address(voting));
        emit IValidatorVoting.BallotCommitted(task, RoundId.wrap(1), validators[0], seats, COMMITMENT, copy);
        vm.prank(validators[0]);
        voting.commitBallot(task, validators[0], COMMITMENT, copy);
    }

    function test_commitBallot_revertsIfTheCopyIsTooLong() public {
        proposeAndPublish(1);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.CopyTooLong.selector, 161));
        vm.prank(validators[0]);
        voting.commitBallot(task, validators[0], COMMITMENT, new bytes(161));
    }

    /* SIGNERS */

    function test_commitBallot_revertsForAStranger() public {
        proposeAndPublish(1);
        _expectNotSigner(validators[0], stranger);
        commitBy(stranger, validators[0]);
        _expectNotSigner(validators[0], validators[1]);
        commitBy(validators[1], validators[0]);
    }

    function test_commitBallot_bySignerIsTheOperators() public {
        name_(validators[0], signer);
        proposeAndPublish(1);
        vm.expectEmit(address(voting));
        emit IValidatorVoting.BallotCommitted(task, RoundId.wrap(1), validators[0], 1, COMMITMENT, "");
        commitBy(signer, validators[0]);
        _expectNotSigner(validators[1], signer);
        commitBy(signer, validators[1]);
        commit(validators[1]);
    }

    function test_commitBallot_takesTheOldSignerUntilTheNextRound() public {
        name_(validators[0], signer);
        proposeAndPublish(1);
        name_(validators[0], other);
        _expectNotSigner(validators[0], other);
        commitBy(other, validators[0]);
        commitBy(signer, validators[0]);
    }

    function test_commitBallot_revertsForARevokedSignerAtOnce() public {
        name_(validators[0], signer);
        proposeAndPublish(1);
        vm.prank(validators[0]);
        staking.revokeSigner(task);
        _expectNotSigner(validators[0], signer);
        commitBy(signer, validators[0]);
    }

    function name_(address operator, address key) private {
        vm.prank(operator);
        staking.setSigner(task, key);
    }

    function commit(address voter) private {
        commitBy(voter, voter);
    }

    function commitBy(address caller, address voter) private {
        vm.prank(caller);
        voting.commitBallot(task, voter, COMMITMENT, "");
    }

    function _expectNotSigner(address operator, address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotSigner.selector, operator, caller));
    }

    function _expectPhase(Phase current) private {
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.UnexpectedPhase.selector, task, current, Phase.Ballot));
    }
}
