// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {IValidatorVoting} from "../../contracts/interfaces/IValidatorVoting.sol";
import {Sortition} from "../../contracts/libraries/Sortition.sol";
import {Base, Phase, Role, Round, RoundId, vm} from "./support/Base.sol";

contract LatchSeedTest is Base {
    bytes32 private constant OTHER_VALUE = "another value";

    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    function test_latchSeed_revertsIfNoRoundIsOpen() public {
        vm.expectRevert(abi.encodeWithSelector(IRounds.NoOpenRound.selector, task));
        rounds.latchSeed(task);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NoOpenRound.selector, task));
        rounds.seats(task, Role.Trainer, trainers[0]);
    }

    /* THE SEED */

    function test_latchSeed_revertsIfTheSeedIsNotKnown() public {
        rounds.openRound(task, none(), none());
        bytes memory expected = abi.encodeWithSelector(IRounds.SeedUnavailable.selector, block.number + 1);
        vm.expectRevert(expected);
        rounds.latchSeed(task);
        vm.roll(block.number + 1);
        vm.expectRevert(expected);
        rounds.latchSeed(task);
        vm.expectRevert(expected);
        rounds.seats(task, Role.Trainer, trainers[0]);
    }

    function test_latchSeed_keepsTheSeedOnce() public {
        openRound();
        vm.expectEmit(address(rounds));
        emit IRounds.SeedLatched(task, RoundId.wrap(1), SEED);
        rounds.latchSeed(task);
        vm.assertEq(rounds.round(task).seed, SEED, "seed");
        vm.assertEq(rounds.round(task).seedsLatched, 1, "seeds latched");
        vm.expectRevert(abi.encodeWithSelector(IRounds.SeedUnavailable.selector, 0)); // no voters' block yet
        rounds.latchSeed(task);
    }

    /// @dev A seed that nobody latched in time voids the round: no choice, and one state fewer.
    function test_missedSeed_voidsTheRoundAtOnce() public {
        openRound();
        assertPhase(Phase.Propose);
        vm.roll(block.number + 8192);
        vm.assertTrue(rounds.seedMissed(task), "missed");
        assertPhase(Phase.Settle);
        settle();
        vm.assertEq(rounds.round(task).voids, 1, "voids");
        vm.assertFalse(rounds.seedMissed(task), "missed once settled");
    }

    function test_missedSeed_doesNotConcernALatchedOne() public {
        openRound();
        rounds.latchSeed(task);
        vm.roll(block.number + 8192);
        vm.assertFalse(rounds.seedMissed(task), "missed");
        assertPhase(Phase.Propose);
    }

    /* THE VOTERS' SEED */

    /// @dev Who publishes late, in the grace, cannot put the block out of reach: its value is kept as soon as it exists.
    function test_latchSeed_ofVotersNeedNotWaitForTheEndOfPublish() public {
        sealThree();
        publish(trainers[0]);
        rounds.latchSeed(task);
        endPhase(Phase.Publish);
        vm.roll(block.number + 8192);
        publish(trainers[1]);
        publish(trainers[2]);
        bytes32 accumulator = Sortition.mix(0, VOTER_VALUE);
        for (uint256 i = 0; i < 3; ++i) accumulator = Sortition.fold(accumulator, saltOf(trainers[i]), trainers[i]);
        vm.assertEq(rounds.round(task).accumulator, accumulator, "accumulator");
        sealBallot(validators[0], ballot(300));
    }

    function test_latchSeed_ofVotersRevertsIfNothingIsPublished() public {
        sealThree();
        vm.expectRevert(abi.encodeWithSelector(IRounds.SeedUnavailable.selector, 0));
        rounds.latchSeed(task);
    }

    /// @dev The block is named by the first publication and does not exist yet; later publications move nothing.
    function test_latchSeed_ofVotersRevertsBeforeItsBlock() public {
        sealThree();
        for (uint256 i = 0; i < 3; ++i) publishRaw(i);
        uint40 voterBlock = rounds.round(task).voterBlock;
        vm.assertEq(voterBlock, block.number + 1, "voters' block");
        bytes memory expected = abi.encodeWithSelector(IRounds.SeedUnavailable.selector, voterBlock);
        vm.expectRevert(expected);
        rounds.latchSeed(task);
        vm.roll(voterBlock);
        vm.expectRevert(expected);
        rounds.latchSeed(task);
        vm.expectRevert(expected);
        rounds.seats(task, Role.Validator, validators[0]);
        vm.expectRevert(expected);
        vm.prank(validators[0]);
        voting.commitBallot(task, validators[0], "commitment", "");
    }

    function test_latchSeed_ofVotersNamesItsBlockOnce() public {
        sealThree();
        publishRaw(0);
        uint40 voterBlock = rounds.round(task).voterBlock;
        vm.roll(block.number + 5);
        publishRaw(1);
        vm.assertEq(rounds.round(task).voterBlock, voterBlock, "voters' block");
    }

    function test_latchSeed_keepsTheVotersSeedOnce() public {
        proposeAndPublish(3);
        bytes32 accumulator = rounds.round(task).accumulator;
        vm.expectEmit(address(rounds));
        emit IRounds.VoterSeedLatched(task, RoundId.wrap(1), VOTER_VALUE);
        rounds.latchSeed(task);
        Round memory r = rounds.round(task);
        vm.assertEq(r.seedsLatched, 2, "seeds latched");
        vm.assertEq(r.accumulator, accumulator ^ keccak256(abi.encode(VOTER_VALUE)), "accumulator");
        vm.assertEq(r.seed, SEED, "seed");
        vm.expectRevert(abi.encodeWithSelector(IRounds.AlreadyLatched.selector, task, 1));
        rounds.latchSeed(task);
    }

    function test_latchSeed_ofVotersHappensWithTheFirstBallot() public {
        proposeAndPublish(1);
        vm.expectEmit(address(rounds));
        emit IRounds.VoterSeedLatched(task, RoundId.wrap(1), VOTER_VALUE);
        sealBallot(validators[0], ballot(300));
        vm.roll(block.number + 8192); // kept: out of reach of the beacon now
        sealBallot(validators[1], ballot(300));
        vm.assertEq(voting.poll(task).ballots, 2, "ballots");
    }

    /// @dev The view tells the seats before anybody latches, and the same afterwards.
    function test_seats_ofVotersAreTheSameBeforeAndAfterTheLatch() public {
        crowd();
        proposeAndPublish(3);
        uint256 before = panel();
        rounds.latchSeed(task);
        vm.assertEq(panel(), before, "panel");
        vm.roll(block.number + 8192);
        vm.assertEq(panel(), before, "panel, for good");
    }

    /// @dev Nobody latched, nobody voted: the round is over at its deadlines, and void.
    function test_missedVoterSeed_voidsTheRoundAtItsDeadlines() public {
        proposeAndPublish(1);
        vm.roll(block.number + 8192);
        bytes memory expected = abi.encodeWithSelector(IRounds.SeedUnavailable.selector, rounds.round(task).voterBlock);
        vm.expectRevert(expected);
        rounds.latchSeed(task);
        vm.expectRevert(expected);
        vm.prank(validators[0]);
        voting.commitBallot(task, validators[0], "commitment", "");
        endPhase(Phase.Ballot);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.TooFewSealed.selector, 0, 5));
        voting.accuseAbsence(task, validators[0]);
        endPhase(Phase.Reveal);
        settle();
        vm.assertEq(rounds.round(task).voids, 1, "voids");
        vm.assertEq(account(trainers[0]).active, UNIT, "nobody's fault");
    }

    /// @dev Every salt is sealed before the voters' block exists, and another block is another panel.
    function test_voterSeed_holderOfAllSaltsCannotChoose() public {
        crowd();
        sealThree();
        for (uint256 i = 0; i < 3; ++i) publishRaw(i);
        uint40 voterBlock = rounds.round(task).voterBlock;
        vm.assertEq(beacon.valueOf(voterBlock), 0, "unknown when the first salt comes out");
        vm.roll(voterBlock + 1);
        vm.setBlockhash(voterBlock, VOTER_VALUE);
        uint256 first = panel();
        vm.setBlockhash(voterBlock, OTHER_VALUE);
        vm.assertTrue(panel() != first, "another block, another panel");
    }

    /// @dev Whoever builds the voters' block tries panels in vain: the next salt makes another one.
    function test_voterSeed_builderWithoutAllSaltsCannotChoose() public {
        crowd();
        sealThree();
        publishRaw(0);
        publishRaw(1);
        uint40 voterBlock = rounds.round(task).voterBlock;
        vm.roll(voterBlock + 1);
        vm.setBlockhash(voterBlock, VOTER_VALUE);
        uint256 built = panel(); // as if publish were over
        publishRaw(2);
        vm.assertTrue(panel() != built, "another salt, another panel");
    }

    function sealThree() private {
        openRound();
        for (uint256 i = 0; i < 3; ++i) sealProposal(trainers[i]);
        endPhase(Phase.Propose);
    }

    /// @dev Publishes and goes on to no later block.
    function publishRaw(uint256 i) private {
        rounds.publishProposal(task, trainers[i], artifactOf(trainers[i]), saltOf(trainers[i]));
    }

    /// @dev So many validators that luck decides who has a seat.
    function crowd() private {
        for (uint256 i = 9; i < 64; ++i) stake(validators[i], Role.Validator, UNIT);
    }

    /// @dev Who has a seat as a voter.
    function panel() private view returns (uint256 bits) {
        for (uint256 i = 0; i < 64; ++i) {
            if (rounds.seats(task, Role.Validator, validators[i]) != 0) bits |= 1 << i;
        }
    }
}
