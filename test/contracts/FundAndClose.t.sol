// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRewardDistributor} from "../../contracts/interfaces/IRewardDistributor.sol";
import {ITaskRegistry, Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Base, Phase, TaskId, vm} from "./support/Base.sol";

contract FundAndCloseTest is Base {
    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 2, 9);
        token.transfer(stranger, FUNDS);
        allow(stranger);
    }

    /* FUND */

    function test_fund_revertsIfTheAmountIsZero() public {
        vm.expectRevert(IRewardDistributor.ZeroAmount.selector);
        distributor.fund(task, 0);
    }

    function test_fund_revertsIfTheTaskIsUnknownOrClosed() public {
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, TaskId.wrap(9)));
        distributor.fund(TaskId.wrap(9), 1);
        closeByNotice();
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.AlreadyClosed.selector, task));
        distributor.fund(task, 1);
    }

    function test_fund_isRefundableOnlyToTheCreator() public {
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.Funded(task, stranger, FUNDS, false);
        fund(stranger, FUNDS);
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.Funded(task, creator, 1, true);
        fund(creator, 1);
        vm.assertEq(purse().pot, 2 * FUNDS + 1, "pot");
        vm.assertEq(purse().deposited, FUNDS + 1, "deposited");
        assertConserved();
    }

    /* CLOSE */

    function test_announceClose_revertsIfNotTheCreator() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotCreator.selector, stranger, creator));
        vm.prank(stranger);
        distributor.announceClose(task);
    }

    function test_announceClose_revertsIfClosed() public {
        closeByNotice();
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.AlreadyClosed.selector, task));
        vm.prank(creator);
        distributor.announceClose(task);
    }

    function test_close_revertsWithoutAReason() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotClosable.selector, task, 0));
        distributor.close(task);
    }

    function test_close_revertsBeforeTheNoticeIsOver() public {
        uint40 closableAt = uint40(block.timestamp + 7 days);
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.CloseAnnounced(task, closableAt);
        vm.prank(creator);
        distributor.announceClose(task);
        vm.warp(closableAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotClosable.selector, task, closableAt));
        distributor.close(task);
    }

    function test_close_revertsWhileARoundIsOpen() public {
        vm.prank(creator);
        distributor.announceClose(task);
        skip(7 days);
        openRound();
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.RoundStillOpen.selector, task, 1));
        distributor.close(task);
    }

    function test_close_revertsIfClosed() public {
        closeByNotice();
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.AlreadyClosed.selector, task));
        distributor.close(task);
    }

    function test_close_byNoticeRefundsTheCreatorWhoeverCalls() public {
        uint256 before = token.balanceOf(creator);
        vm.prank(creator);
        distributor.announceClose(task);
        skip(7 days);
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.TaskClosed(task, FUNDS, 0);
        vm.prank(stranger);
        distributor.close(task);
        vm.assertEq(token.balanceOf(creator), before + FUNDS, "refund");
        (, , , , bool closed) = registry.task(task);
        vm.assertTrue(closed, "closed");
        vm.assertEq(purse().pot, 0, "pot");
        assertConserved();
    }

    function test_close_onceRoundsAreUsedUp() public {
        Terms memory terms = defaultTerms();
        terms.rounds = 1;
        createTask(terms, 2, 9);
        proposeAndPublish(2);
        voteAlike(9, ballot(300, 20));
        settle();
        vm.assertEq(distributor.potOfRound(task), 0, "no next pot");
        uint256 left = purse().pot;
        uint256 before = token.balanceOf(creator);
        distributor.close(task);
        vm.assertEq(token.balanceOf(creator), before + left, "refund of what was not paid out");
        assertConserved();
    }

    function test_close_afterTooManyVoids() public {
        for (uint256 i = 0; i < 4; ++i) voidRound();
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotClosable.selector, task, 0));
        distributor.close(task);
        voidRound();
        distributor.close(task);
        assertConserved();
    }

    /// @dev Slashing others never pays the creator: what others funded or lost burns.
    function test_creator_refund_excludes_slashes() public {
        fund(stranger, FUNDS);
        proposeAndPublish(2);
        voteAlike(9, ballot(300, -900));
        settle();
        vm.prank(creator);
        distributor.announceClose(task);
        skip(7 days);
        uint256 refund = FUNDS - purse().paid;
        uint256 burned = purse().pot - refund;
        uint256 before = token.balanceOf(creator);
        uint256 toBurn = staking.toBurn();
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.TaskClosed(task, refund, burned);
        distributor.close(task);
        vm.assertEq(token.balanceOf(creator), before + refund, "refund");
        vm.assertEq(staking.toBurn(), toBurn + burned, "burned");
        vm.assertGt(burned, FUNDS, "the stranger's deposit and the slash");
        assertConserved();
    }

    function closeByNotice() private {
        vm.prank(creator);
        distributor.announceClose(task);
        skip(7 days);
        distributor.close(task);
    }

    function voidRound() private {
        openRound();
        endPhase(Phase.Propose);
        settle();
    }
}
