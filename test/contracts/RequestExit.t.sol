// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Account, Base, NO_ROUND, Phase, Role, RoundId, vm} from "./support/Base.sol";

contract RequestExitTest is Base {
    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    function test_requestExit_revertsIfTheAmountIsZero() public {
        vm.expectRevert(IStaking.ZeroAmount.selector);
        requestExit(trainers[0], 0);
    }

    function test_requestExit_revertsIfItAsksForTooMuch() public {
        openRound();
        stake(trainers[0], Role.Trainer, UNIT);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ExitTooLarge.selector, 2 * UNIT + 1, 2 * UNIT));
        requestExit(trainers[0], 2 * UNIT + 1);
    }

    function test_requestExit_leavesAtOnceIfNoRoundIsOpen() public {
        uint40 unlockAt = uint40(block.timestamp + 7 days);
        vm.expectEmit(address(staking));
        emit IStaking.ExitRequested(task, trainers[0], trainers[0], UNIT, NO_ROUND, unlockAt);
        requestExit(trainers[0], UNIT);

        Account memory a = account(trainers[0]);
        vm.assertEq(a.left, UNIT, "left");
        vm.assertEq(a.unlockAt, unlockAt, "unlock");
        vm.assertEq(weight(trainers[0]), 0, "weight");
        assertConserved();
    }

    function test_requestExit_staysExposedToTheOpenRoundAndKeepsItsWeightThere() public {
        openRound();
        vm.expectEmit(address(staking));
        emit IStaking.ExitRequested(
            task,
            trainers[0],
            trainers[0],
            UNIT,
            RoundId.wrap(1),
            uint40(block.timestamp + 7 days)
        );
        requestExit(trainers[0], UNIT);

        Account memory a = account(trainers[0]);
        vm.assertEq(a.leaving, UNIT, "leaving");
        vm.assertEq(RoundId.unwrap(a.leaveRound), 1, "leave round");
        vm.assertEq(weight(trainers[0]), UNIT, "weight in the open round");
        (uint96 total, ) = staking.totals(task);
        vm.assertEq(total, 2 * uint256(UNIT), "next total");

        endPhase(Phase.Propose);
        settle();
        a = account(trainers[0]);
        vm.assertEq(a.left, UNIT, "left once settled");
        vm.assertEq(a.leaving, 0, "leaving once settled");
        vm.assertEq(RoundId.unwrap(a.leaveRound), 0, "leave round once settled");
        vm.assertEq(weight(trainers[0]), 0, "weight in the next round");
        assertConserved();
    }

    function test_requestExit_takesBackWhatIsJoiningAfterWhatIsActive() public {
        openRound();
        stake(trainers[0], Role.Trainer, 2 * UNIT);
        requestExit(trainers[0], UNIT + UNIT / 2);
        Account memory a = account(trainers[0]);
        vm.assertEq(a.active, 0, "active");
        vm.assertEq(a.leaving, UNIT, "leaving");
        vm.assertEq(a.joining, UNIT + UNIT / 2, "joining");
        vm.assertEq(a.left, UNIT / 2, "never exposed");

        vm.expectEmit(address(staking));
        emit IStaking.ExitRequested(task, trainers[0], trainers[0], UNIT, NO_ROUND, uint40(block.timestamp + 7 days));
        requestExit(trainers[0], UNIT);
        a = account(trainers[0]);
        vm.assertEq(a.left, UNIT + UNIT / 2, "only joining left");
        requestExit(trainers[0], UNIT / 2);
        a = account(trainers[0]);
        vm.assertEq(a.joining, 0, "nothing is joining");
        vm.assertEq(RoundId.unwrap(a.joinRound), 0, "nor named a round");
        assertConserved();
    }

    function test_requestExit_restartsTheClock() public {
        requestExit(trainers[0], 1);
        skip(1 days);
        requestExit(trainers[0], 1);
        vm.assertEq(account(trainers[0]).unlockAt, block.timestamp + 7 days, "unlock");
    }

    /// @dev What left earlier stays out of reach of a slash that finds nothing leaving.
    function test_requestExit_ofEarlierRoundsIsNotSlashed() public {
        requestExit(trainers[0], UNIT / 2);
        stake(trainers[0], Role.Trainer, UNIT);
        openRound();
        requestExit(trainers[0], UNIT / 4);
        vm.prank(address(distributor));
        staking.closeRound(task);
        vm.prank(address(rounds));
        staking.open(task, RoundId.wrap(2), 0);
        address[] memory one = new address[](1);
        uint256[] memory faults = new uint256[](1);
        (one[0], faults[0]) = (trainers[0], 9 * uint256(UNIT));
        vm.prank(address(distributor));
        uint256 cut = staking.settleAccounts(task, one, new uint256[](1), faults);
        vm.assertEq(cut, UNIT + UNIT / 4, "everything active");
        vm.assertEq(account(trainers[0]).left, UNIT / 2 + UNIT / 4, "left");
    }

    function test_requestExit_isSlashedExactlyItsShare() public {
        proposeAndPublish(2);
        voteAlike(9, ballot(-900, 20));
        requestExit(trainers[0], UNIT / 4);
        uint256 cut = (uint256(UNIT) * 3000) / 10_000;
        vm.expectEmit(address(staking));
        emit IStaking.Slashed(task, trainers[0], RoundId.wrap(1), (cut * 3) / 4, cut / 4, 0);
        settle();

        Account memory a = account(trainers[0]);
        vm.assertEq(a.active, (uint256(UNIT) * 3) / 4 - (cut * 3) / 4, "active");
        vm.assertEq(a.left, UNIT / 4 - cut / 4, "left");
        assertConserved();
    }

    function test_requestExit_beforeTheRoundOpensIsUntouchedAndHasNoWeight() public {
        stake(trainers[0], Role.Trainer, UNIT);
        requestExit(trainers[0], UNIT);
        proposeAndPublish(1);
        vm.assertEq(rounds.seats(task, Role.Trainer, trainers[0]), 1, "seats of what stayed");
        voteAlike(9, ballot(-900));
        settle();
        vm.assertEq(account(trainers[0]).left, UNIT, "left");
        assertConserved();
    }

    function test_settleThenOpen_inOneBlockUsesTheSlashedWeight() public {
        proposeAndPublish(1);
        voteAlike(9, ballot(-900));
        settle();
        vm.assertEq(weight(trainers[0]), 0, "below the seat stake");
        openRound();
        vm.assertEq(rounds.round(task).trainerTotal, 2 * uint256(UNIT), "total");
        vm.assertEq(rounds.seats(task, Role.Trainer, trainers[0]), 0, "seats");
    }

    function test_requestExit_worksOnAClosedTask() public {
        vm.prank(creator);
        registry.announceClose(task);
        skip(7 days);
        distributor.close(task);
        requestExit(trainers[0], UNIT);
        skip(7 days);
        staking.withdraw(task, trainers[0], trainers[0]);
        vm.assertEq(token.balanceOf(trainers[0]), UNIT, "paid out");
    }
}
