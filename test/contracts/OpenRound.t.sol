// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRewardDistributor} from "../../contracts/interfaces/IRewardDistributor.sol";
import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {ITaskRegistry, Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {IValidatorVoting} from "../../contracts/interfaces/IValidatorVoting.sol";
import {Base, Phase, Role, Round, RoundId, TaskId, vm} from "./support/Base.sol";

contract OpenRoundTest is Base {
    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    function test_openRound_revertsIfTheTaskIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, TaskId.wrap(9)));
        rounds.openRound(TaskId.wrap(9), none(), none());
    }

    function test_openRound_revertsIfTheTaskIsClosed() public {
        vm.prank(creator);
        registry.announceClose(task);
        skip(7 days);
        distributor.close(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.AlreadyClosed.selector, task));
        rounds.openRound(task, none(), none());
    }

    function test_openRound_revertsIfARoundIsOpen() public {
        openRound();
        vm.expectRevert(abi.encodeWithSelector(IRounds.RoundStillOpen.selector, task, 1));
        rounds.openRound(task, none(), none());
    }

    function test_openRound_revertsIfNoRoundIsLeft() public {
        Terms memory terms = defaultTerms();
        terms.rounds = 1;
        createTask(terms, 1, 9);
        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        settle();
        vm.assertEq(rounds.roundsLeft(task), 0, "rounds left");
        vm.expectRevert(abi.encodeWithSelector(IRounds.NoRoundsLeft.selector, task));
        rounds.openRound(task, none(), none());
    }

    function test_openRound_revertsAfterTooManyVoids() public {
        for (uint256 i = 0; i < 5; ++i) voidRound();
        vm.expectRevert(abi.encodeWithSelector(IRounds.TooManyVoids.selector, task, 5));
        rounds.openRound(task, none(), none());
    }

    function test_open_below_minimum_total_reverts() public {
        createTask(defaultTerms(), 0, 5);
        vm.expectRevert(abi.encodeWithSelector(IRounds.PoolTooSmall.selector, Role.Trainer, 0, UNIT));
        rounds.openRound(task, none(), none());

        createTask(defaultTerms(), 1, 4);
        vm.expectRevert(abi.encodeWithSelector(IRounds.PoolTooSmall.selector, Role.Validator, 4 * UNIT, 5 * UNIT));
        rounds.openRound(task, none(), none());

        createTask(defaultTerms(), 1, 5);
        rounds.openRound(task, none(), none());
    }

    function test_openRound_fixesWeightsAndSchedulesTheSeed() public {
        vm.expectEmit(address(rounds));
        emit IRounds.RoundOpened(
            task,
            RoundId.wrap(1),
            uint40(block.timestamp),
            uint40(block.number + 1),
            3 * uint256(UNIT),
            9 * uint256(UNIT)
        );
        rounds.openRound(task, none(), none());

        Round memory r = rounds.round(task);
        vm.assertEq(RoundId.unwrap(r.number), 1, "number");
        vm.assertTrue(r.open, "open");
        vm.assertEq(r.openedAt, block.timestamp, "opened at");
        vm.assertEq(r.seedBlock, block.number + 1, "seed block");
        (uint96 trainerTotal, uint96 voterTotal) = staking.latched(task);
        vm.assertEq(trainerTotal, 3 * uint256(UNIT), "latched trainers");
        vm.assertEq(voterTotal, 9 * uint256(UNIT), "latched voters");
        vm.assertEq(r.trainerTotal, trainerTotal, "trainers");
        vm.assertEq(r.voterTotal, voterTotal, "voters");
        vm.assertEq(r.seedsLatched, 0, "seeds latched");
        vm.assertEq(r.voterBlock, 0, "voters' block");
        vm.assertEq(r.seed, 0, "seed");
        vm.assertEq(r.voterBlock, 0, "block of the voters' seed");
        assertPhase(Phase.Propose);
    }

    function test_openRound_startsEmptyAfterAFullRound() public {
        proposeAndPublish(2);
        voteAlike(9, ballot(300, 20));
        settle();
        openRound();
        Round memory r = rounds.round(task);
        vm.assertEq(RoundId.unwrap(r.number), 2, "number");
        vm.assertEq(uint256(r.sealedCount) + r.published + r.onTime + r.lastPublishedAt, 0, "counts");
        vm.assertEq(r.seed, 0, "seed");
        vm.assertEq(r.voterBlock, 0, "block of the voters' seed");
        vm.assertEq(r.accumulator, 0, "accumulator");
        vm.assertEq(r.paidRounds, 1, "paid rounds");
    }

    function test_void_does_not_consume_round() public {
        uint256 pot = distributor.potOfRound(task);
        voidRound();
        vm.assertEq(rounds.roundsLeft(task), 10, "rounds left");
        vm.assertEq(rounds.round(task).voids, 1, "voids");
        vm.assertEq(distributor.potOfRound(task), pot, "pot");

        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        settle();
        vm.assertEq(rounds.round(task).voids, 0, "voids in a row");
        vm.assertEq(rounds.roundsLeft(task), 9, "rounds left after a paid one");
    }

    /* OVER A VOID PREDECESSOR */

    function test_openRound_settlesAVoidPredecessor() public {
        openRound();
        endPhase(Phase.Propose);
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.RoundSettled(task, RoundId.wrap(1), true, FUNDS / 10, 0, 0, 0, 0, 0, 0);
        openRound();
        Round memory r = rounds.round(task);
        vm.assertEq(RoundId.unwrap(r.number), 2, "number");
        vm.assertEq(r.voids, 1, "voids");
        vm.assertEq(account(address(this)).claimable, 0, "no bounty");
        assertConserved();
    }

    /// @dev What was sealed and not opened is at fault whoever settles; the lists are checked as `settle` checks them.
    function test_openRound_faultsTheOmissionsOfAVoidPredecessor() public {
        openRound();
        sealProposal(trainers[0]);
        sealProposal(trainers[1]);
        endPhase(Phase.Propose);
        endPhase(Phase.Publish);
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongCount.selector, 0, 2));
        rounds.openRound(task, none(), none());
        rounds.openRound(task, proposers(), none());
        uint256 fault = (uint256(UNIT) * 1500) / 10_000;
        vm.assertEq(account(trainers[0]).active, UNIT - fault, "first");
        vm.assertEq(account(trainers[1]).active, UNIT - fault, "second");
        (uint96 latchedTrainers, ) = staking.latched(task);
        vm.assertEq(latchedTrainers, UNIT, "who fell below a seat stake has no weight in the new round");
        assertConserved();
    }

    function test_openRound_settlesAPredecessorWithoutAQuorum() public {
        proposeAndPublish(1);
        for (uint256 i = 0; i < 4; ++i) sealBallot(validators[i], ballot(300));
        endPhase(Phase.Ballot);
        for (uint256 i = 0; i < 3; ++i) reveal(validators[i]);
        endPhase(Phase.Reveal);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.WrongCount.selector, 0, 4));
        rounds.openRound(task, proposers(), none());
        rounds.openRound(task, proposers(), voters());
        vm.assertEq(account(validators[3]).active, UNIT - (uint256(UNIT) * 1500) / 10_000, "never revealed");
        vm.assertEq(account(trainers[0]).claimable, 0, "pay");
        assertConserved();
    }

    function test_openRound_revertsIfThePredecessorIsNotVoid() public {
        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        vm.expectRevert(abi.encodeWithSelector(IRounds.RoundStillOpen.selector, task, 1));
        rounds.openRound(task, proposers(), voters());
    }

    /// @dev A void that is one too many ends the task: it is settled by itself, and nothing opens.
    function test_openRound_revertsIfThePredecessorWasTheLastVoid() public {
        for (uint256 i = 0; i < 4; ++i) voidRound();
        openRound();
        endPhase(Phase.Propose);
        vm.expectRevert(abi.encodeWithSelector(IRounds.TooManyVoids.selector, task, 5));
        rounds.openRound(task, none(), none());
        settle();
        distributor.close(task);
    }

    function test_openRound_looksAtNoListIfThePredecessorIsSettled() public {
        rounds.openRound(task, trainers, validators);
        vm.assertTrue(rounds.round(task).open, "open");
    }

    function voidRound() private {
        openRound();
        endPhase(Phase.Propose);
        settle();
    }
}
