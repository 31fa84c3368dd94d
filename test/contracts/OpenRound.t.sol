// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {ITaskRegistry, Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Base, Phase, Role, Round, RoundId, TaskId, vm} from "./support/Base.sol";

contract OpenRoundTest is Base {
    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    function test_openRound_revertsIfTheTaskIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, TaskId.wrap(9)));
        rounds.openRound(TaskId.wrap(9));
    }

    function test_openRound_revertsIfTheTaskIsClosed() public {
        vm.prank(creator);
        distributor.announceClose(task);
        skip(7 days);
        distributor.close(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.AlreadyClosed.selector, task));
        rounds.openRound(task);
    }

    function test_openRound_revertsIfARoundIsOpen() public {
        openRound();
        vm.expectRevert(abi.encodeWithSelector(IRounds.RoundStillOpen.selector, task, 1));
        rounds.openRound(task);
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
        rounds.openRound(task);
    }

    function test_openRound_revertsAfterTooManyVoids() public {
        for (uint256 i = 0; i < 5; ++i) voidRound();
        vm.expectRevert(abi.encodeWithSelector(IRounds.TooManyVoids.selector, task, 5));
        rounds.openRound(task);
    }

    function test_open_below_minimum_total_reverts() public {
        createTask(defaultTerms(), 0, 5);
        vm.expectRevert(abi.encodeWithSelector(IRounds.PoolTooSmall.selector, Role.Trainer, 0, UNIT));
        rounds.openRound(task);

        createTask(defaultTerms(), 1, 4);
        vm.expectRevert(abi.encodeWithSelector(IRounds.PoolTooSmall.selector, Role.Validator, 4 * UNIT, 5 * UNIT));
        rounds.openRound(task);

        createTask(defaultTerms(), 1, 5);
        rounds.openRound(task);
    }

    function test_openRound_fixesWeightsAndSchedulesTheSeed() public {
        vm.expectEmit(address(rounds));
        emit IRounds.RoundOpened(
            task,
            RoundId.wrap(1),
            uint40(block.timestamp),
            uint64(block.number + 1),
            3 * uint256(UNIT),
            9 * uint256(UNIT)
        );
        rounds.openRound(task);

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
        vm.assertFalse(r.seeded, "seeded");
        vm.assertEq(r.seed, 0, "seed");
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

    function test_latchSeed_revertsIfNoRoundIsOpen() public {
        vm.expectRevert(abi.encodeWithSelector(IRounds.NoOpenRound.selector, task));
        rounds.latchSeed(task);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NoOpenRound.selector, task));
        rounds.seats(task, Role.Trainer, trainers[0]);
    }

    function test_latchSeed_revertsIfTheSeedIsNotKnown() public {
        rounds.openRound(task);
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

        vm.expectRevert(abi.encodeWithSelector(IRounds.AlreadyLatched.selector, task, 1));
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

    function voidRound() private {
        openRound();
        endPhase(Phase.Propose);
        settle();
    }
}
