// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRewardDistributor} from "../../contracts/interfaces/IRewardDistributor.sol";
import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {ITaskRegistry, Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Base, Phase, Role, TaskId, vm} from "./support/Base.sol";
import {RefusingToken} from "./support/Tokens.sol";

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

    /// @dev What no round can pay any more would only burn.
    function test_fund_revertsIfNoRoundIsLeft() public {
        playLastRound();
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NoRoundsLeft.selector, task));
        vm.prank(stranger);
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

    /* NOTICE */

    function test_announceClose_revertsIfNotTheCreator() public {
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.NotCreator.selector, stranger, creator));
        vm.prank(stranger);
        registry.announceClose(task);
    }

    function test_announceClose_revertsIfClosed() public {
        closeByNotice();
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.AlreadyClosed.selector, task));
        announce();
    }

    function test_announceClose_revertsIfTheTaskIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, TaskId.wrap(9)));
        registry.announceClose(TaskId.wrap(9));
    }

    function test_announceClose_restartsTheNotice() public {
        announce();
        skip(7 days - 1);
        announce();
        skip(7 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotClosable.selector, task));
        distributor.close(task);
        skip(1);
        distributor.close(task);
    }

    /// @dev Voters who go on opening rounds cannot deny the creator its close.
    function test_close_cannotBeDeniedByOpeningRounds() public {
        announce();
        skip(7 days - 1);
        openRound();
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IRounds.RoundStillOpen.selector, task, 1));
        distributor.close(task);
        endPhase(Phase.Propose);
        settle();
        (, , , , , uint40 closableAt) = registry.task(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.NoticeOver.selector, task, closableAt));
        rounds.openRound(task, none(), none());
        distributor.close(task);
        assertConserved();
    }

    function test_openRound_revertsFromTheEndOfTheNoticeOn() public {
        announce();
        (, , , , , uint40 closableAt) = registry.task(task);
        vm.warp(closableAt);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.NoticeOver.selector, task, closableAt));
        rounds.openRound(task, none(), none());
    }

    /* CLOSE */

    function test_close_revertsWithoutAReason() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotClosable.selector, task));
        distributor.close(task);
    }

    function test_close_revertsBeforeTheNoticeIsOver() public {
        uint40 closableAt = uint40(block.timestamp + 7 days);
        vm.expectEmit(address(registry));
        emit ITaskRegistry.CloseAnnounced(task, closableAt);
        announce();
        vm.warp(closableAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotClosable.selector, task));
        distributor.close(task);
    }

    function test_close_revertsIfClosed() public {
        closeByNotice();
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.AlreadyClosed.selector, task));
        distributor.close(task);
    }

    function test_close_byNoticeRefundsTheCreatorWhoeverCalls() public {
        announce();
        skip(7 days);
        vm.expectEmit(address(staking));
        emit IStaking.Credited(task, creator, FUNDS);
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.TaskClosed(task, FUNDS, 0);
        vm.prank(stranger);
        distributor.close(task);
        (, , , , bool closed, ) = registry.task(task);
        vm.assertTrue(closed, "closed");
        vm.assertEq(purse().pot, 0, "pot");
        assertConserved();
        _assertRefund(FUNDS);
    }

    function test_close_onceRoundsAreUsedUp() public {
        playLastRound();
        vm.assertEq(distributor.potOfRound(task), 0, "no next pot");
        uint256 left = purse().pot;
        distributor.close(task);
        assertConserved();
        _assertRefund(left); // of what was not paid out
    }

    function test_close_afterTooManyVoids() public {
        for (uint256 i = 0; i < 4; ++i) voidRound();
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotClosable.selector, task));
        distributor.close(task);
        voidRound();
        distributor.close(task);
        assertConserved();
    }

    function test_close_ofAnIdleTask() public {
        skip(30 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotClosable.selector, task));
        distributor.close(task);
        skip(1);
        distributor.close(task);
        assertConserved();
        _assertRefund(FUNDS);
    }

    /// @dev Idleness counts from the newest settlement, and a round that is open is no idleness.
    function test_close_ofAnIdleTaskCountsFromTheNewestSettlement() public {
        skip(20 days);
        openRound();
        skip(11 days);
        vm.expectRevert(abi.encodeWithSelector(IRounds.RoundStillOpen.selector, task, 1));
        distributor.close(task);
        settle();
        skip(30 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotClosable.selector, task));
        distributor.close(task);
        skip(1);
        distributor.close(task);
    }

    /// @dev A task nobody funded yet waits for its creator, however long.
    function test_close_ofAnIdleTaskNeedsAFirstDeposit() public {
        createTask(defaultTerms());
        skip(180 days);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotClosable.selector, task));
        distributor.close(task);
        fund(creator, 1);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotClosable.selector, task));
        distributor.close(task);
        skip(20 days);
        fund(creator, 1); // a second deposit is no round
        skip(10 days);
        distributor.close(task);
    }

    /// @dev Slashing others never pays the creator: what others funded or lost burns.
    function test_creator_refund_excludes_slashes() public {
        fund(stranger, FUNDS);
        proposeAndPublish(2);
        voteAlike(9, ballot(300, -900));
        settle();
        announce();
        skip(7 days);
        uint256 refund = FUNDS - purse().paid;
        uint256 burned = purse().pot - refund;
        uint256 toBurn = staking.toBurn();
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.TaskClosed(task, refund, burned);
        distributor.close(task);
        vm.assertEq(staking.toBurn(), toBurn + burned, "burned");
        vm.assertGt(burned, FUNDS, "the stranger's deposit and the slash");
        assertConserved();
        _assertRefund(refund);
    }

    /// @dev Closing and settling move no token, so a token that refuses its creator stops neither.
    function test_close_creditsTheRefundEvenIfTheTokenRefuses() public {
        RefusingToken refusing = new RefusingToken(address(this));
        deploy(refusing);
        token.transfer(creator, FUNDS);
        allow(creator);
        createTask(defaultTerms(), 2, 9);
        announce();
        skip(7 days);
        refusing.refuse(true);
        distributor.close(task);
        vm.assertEq(account(creator).claimable, FUNDS, "credited");
        vm.expectRevert(RefusingToken.Refused.selector);
        staking.claim(task, creator, creator);
        refusing.refuse(false);
        _assertRefund(FUNDS);
    }

    /// @dev Stakes and rewards of a closed task stay their owners'.
    function test_close_leavesStakesAndRewardsWithdrawable() public {
        playLastRound();
        distributor.close(task);
        requestExit(trainers[0], UNIT);
        skip(7 days);
        staking.withdraw(task, trainers[0], trainers[0]);
        staking.claim(task, trainers[0], trainers[0]);
        vm.assertGt(token.balanceOf(trainers[0]), UNIT, "stake and reward");
        assertConserved();
    }

    function announce() private {
        vm.prank(creator);
        registry.announceClose(task);
    }

    function closeByNotice() private {
        announce();
        skip(7 days);
        distributor.close(task);
    }

    /// @dev Plays the one round of a new task.
    function playLastRound() private {
        Terms memory terms = defaultTerms();
        terms.rounds = 1;
        createTask(terms, 2, 9);
        proposeAndPublish(2);
        voteAlike(9, ballot(300, 20));
        settle();
    }

    function voidRound() private {
        openRound();
        endPhase(Phase.Propose);
        settle();
    }

    /// @dev The creator's refund is credited and claimable by it.
    function _assertRefund(uint256 refund) private {
        vm.assertEq(account(creator).claimable, refund, "credited");
        uint256 before = token.balanceOf(creator);
        staking.claim(task, creator, creator);
        vm.assertEq(token.balanceOf(creator), before + refund, "refund");
        assertConserved();
    }
}
