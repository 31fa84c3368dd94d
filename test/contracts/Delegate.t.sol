// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Staking} from "../../contracts/Staking.sol";
import {IBindable} from "../../contracts/interfaces/IBindable.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {ITaskRegistry} from "../../contracts/interfaces/ITaskRegistry.sol";
import {NO_ROUND, Pool, Position, RoundId, Role, TaskId, VaultBase, vm} from "./support/VaultBase.sol";

/// @notice The verbs of a delegator, one by one.
contract DelegateTest is VaultBase {
    function setUp() public override {
        super.setUp();
        stake(operator, Role.Trainer, UNIT);
        accept(operator, 1000);
    }

    /* DELEGATE */

    function test_delegate_revertsIfNotBound() public {
        Staking unbound = new Staking(token, registry);
        vm.expectRevert(IBindable.NotBound.selector);
        unbound.delegate(task, operator, 1);
    }

    function test_delegate_revertsIfTheTaskIsUnknownOrClosed() public {
        TaskId unknown = TaskId.wrap(9);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, unknown));
        staking.delegate(unknown, operator, 1);
        registry.close(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.AlreadyClosed.selector, task));
        staking.delegate(task, operator, 1);
    }

    function test_delegate_revertsIfTheOperatorDidNotAccept() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.DelegationNotAccepted.selector, rival));
        staking.delegate(task, rival, 1);
    }

    function test_delegate_revertsToOneself() public {
        supply(operator, UNIT);
        vm.expectRevert(abi.encodeWithSelector(IStaking.SelfDelegation.selector, operator));
        vm.prank(operator);
        staking.delegate(task, operator, UNIT);
    }

    function test_delegate_revertsIfTheAmountIsZero() public {
        vm.expectRevert(IStaking.ZeroAmount.selector);
        staking.delegate(task, operator, 0);
    }

    function test_delegate_countsAtOnceIfNoRoundIsOpen() public {
        supply(alice, UNIT);
        vm.expectEmit(address(staking));
        emit IStaking.Delegated(task, operator, alice, UNIT, RoundId.wrap(1));
        vm.prank(alice);
        staking.delegate(task, operator, UNIT);

        vm.assertEq(pool(operator).active, UNIT, "active");
        vm.assertEq(position(operator, alice).shares, UNIT, "shares, one a wei");
        vm.assertEq(weight(operator), 2 * UNIT, "weight");
        assertTotals();
        assertConserved(0);
    }

    function test_delegate_joinsIfARoundIsOpen() public {
        open();
        supply(alice, UNIT);
        vm.expectEmit(address(staking));
        emit IStaking.Delegated(task, operator, alice, UNIT, RoundId.wrap(2));
        vm.prank(alice);
        staking.delegate(task, operator, UNIT);

        Pool memory p = pool(operator);
        vm.assertEq(p.active, 0, "active");
        vm.assertEq(p.joining, UNIT, "joining");
        vm.assertEq(RoundId.unwrap(p.pendingRound), 1, "pending round");
        vm.assertEq(weight(operator), UNIT, "weight in the open round");
        (uint96 total, ) = staking.latched(task);
        vm.assertEq(total, UNIT, "latched total");
        assertTotals();

        close();
        p = pool(operator);
        Position memory its = position(operator, alice);
        vm.assertEq(p.active, UNIT, "active once settled");
        vm.assertEq(p.joining, 0, "joining once settled");
        vm.assertEq(RoundId.unwrap(p.pendingRound), 0, "pending round once settled");
        vm.assertEq(its.shares, UNIT, "shares once settled");
        vm.assertEq(RoundId.unwrap(its.pendingRound), 0, "of the position");
        vm.assertEq(weight(operator), 2 * UNIT, "weight in the next round");
        assertTotals();
        assertConserved(0);
    }

    /* REQUEST EXIT */

    function test_requestExit_revertsIfADelegatorAsksForTooMuch() public {
        delegate(alice, operator, UNIT);
        open();
        delegate(alice, operator, UNIT);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ExitTooLarge.selector, 2 * UNIT + 1, 2 * UNIT));
        exit(alice, operator, 2 * UNIT + 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ExitTooLarge.selector, 1, 0));
        exit(bob, operator, 1);
    }

    function test_requestExit_ofADelegatorTakesActiveBeforeJoining() public {
        delegate(alice, operator, UNIT);
        open();
        delegate(alice, operator, UNIT);
        vm.expectEmit(address(staking));
        emit IStaking.ExitRequested(
            task,
            operator,
            alice,
            UNIT + 1,
            RoundId.wrap(1),
            uint40(block.timestamp + UNBONDING)
        );
        exit(alice, operator, UNIT + 1);
        Position memory its = position(operator, alice);
        vm.assertEq(its.leavingShares, UNIT, "leaving");
        vm.assertEq(its.shares, 0, "shares");
        vm.assertEq(its.joining, UNIT - 1, "joining");
        vm.assertEq(its.left, 1, "never exposed");
        vm.assertEq(weight(operator), 2 * UNIT, "weight in the open round");
        assertTotals();

        vm.expectEmit(address(staking));
        emit IStaking.ExitRequested(task, operator, alice, 1, NO_ROUND, uint40(block.timestamp + UNBONDING));
        exit(alice, operator, 1);
        vm.assertEq(position(operator, alice).left, 2, "only joining left");

        // What is pending by mistake is taken back without a trace.
        delegate(bob, operator, UNIT);
        exit(bob, operator, UNIT);
        vm.assertEq(RoundId.unwrap(position(operator, bob).pendingRound), 0, "nothing pending");
        close();
        vm.assertEq(position(operator, alice).left, UNIT + 2, "left once settled");
        vm.assertEq(weight(operator), 2 * UNIT - 2, "weight in the next round");
        assertTotals();
        assertConserved(0);
    }

    /* WITHDRAW */

    function test_withdraw_ofADelegatorRevertsBeforeItIsFree() public {
        delegate(alice, operator, UNIT);
        open();
        exit(alice, operator, UNIT);
        uint40 unlockAt = position(operator, alice).unlockAt;
        vm.assertEq(unlockAt, block.timestamp + UNBONDING, "unlock");
        vm.warp(unlockAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.StillLocked.selector, unlockAt));
        staking.withdraw(task, operator, alice);

        vm.warp(unlockAt);
        bytes memory expected = abi.encodeWithSelector(IStaking.NothingToWithdraw.selector, task, operator, alice);
        vm.expectRevert(expected);
        staking.withdraw(task, operator, alice);

        close();
        vm.expectEmit(address(staking));
        emit IStaking.Withdrawn(task, operator, alice, UNIT);
        vm.prank(bob);
        staking.withdraw(task, operator, alice);
        vm.assertEq(token.balanceOf(alice), UNIT, "paid");
        vm.expectRevert(expected);
        staking.withdraw(task, operator, alice);
        assertConserved(0);
    }

    /// @dev If nobody settles, delegated stake is free as well, and out of reach of a late slash.
    function test_withdraw_ofADelegatorEscapesFromARoundThatNobodySettles() public {
        delegate(alice, operator, 2 * UNIT);
        delegate(bob, operator, UNIT);
        open();
        exit(alice, operator, UNIT);
        exit(bob, operator, UNIT / 2);
        vm.warp(block.timestamp + 1 days + UNBONDING - 1);
        bytes memory expected = abi.encodeWithSelector(IStaking.NothingToWithdraw.selector, task, operator, alice);
        vm.expectRevert(expected);
        staking.withdraw(task, operator, alice);

        skip(1);
        staking.withdraw(task, operator, alice);
        vm.assertEq(token.balanceOf(alice), UNIT, "paid");
        vm.assertEq(pool(operator).active, 2 * UNIT, "active");
        vm.assertEq(pool(operator).leavingShares, UNIT / 2, "bob's");
        vm.assertEq(RoundId.unwrap(position(operator, alice).pendingRound), 0, "nothing pending");
        assertTotals();

        uint256 cut = settle(operator, 30 ether, 0);
        vm.assertEq(cut, 30 ether, "a tenth from those who stayed exposed");
        vm.assertEq(position(operator, bob).left, 45 ether - 1, "bob's part of it");
        vm.assertEq(worth(operator, alice), 90 ether - 1, "alice's part of it");
        assertTotals();
        assertConserved(2);
    }

    function test_slash_takesNothingWhereEverybodyEscaped() public {
        delegate(alice, operator, UNIT);
        open();
        exit(alice, operator, UNIT);
        exit(operator, operator, account(operator).active);
        skip(1 days + UNBONDING);
        staking.withdraw(task, operator, alice);
        staking.withdraw(task, operator, operator);
        vm.assertEq(settle(operator, UNIT, 0), 0, "cut");
        assertTotals();
        assertConserved(1);
    }

    /// @dev What leaves one by one is rounded down more often than what leaves at once: the sums of weights follow. The
    /// fault leaves something to whoever has least.
    function test_withdraw_ofEscapingDelegatorsKeepsTheSums_fuzz(uint72[3] memory amounts, uint72 fault) public {
        address[3] memory owners = [alice, bob, carol];
        for (uint256 i = 0; i < 3; ++i) delegate(owners[i], operator, 1000 + uint256(amounts[i]));
        open();
        settle(operator, fault % (UNIT - UNIT / 500), 0);
        stake(operator, Role.Trainer, UNIT);
        open();
        for (uint256 i = 0; i < 3; ++i) exit(owners[i], operator, 1 + worth(operator, owners[i]) / 2);
        skip(1 days + UNBONDING);
        for (uint256 i = 0; i < 3; ++i) {
            staking.withdraw(task, operator, owners[i]);
            assertTotals();
        }
        vm.assertEq(pool(operator).leavingShares, 0, "nothing is leaving");
        vm.assertEq(RoundId.unwrap(pool(operator).pendingRound), 0, "nothing is pending");
        assertConserved(20);
    }

    /* CLAIM */

    function test_claim_paysADelegatorOnceWhoeverCalls() public {
        delegate(alice, operator, UNIT);
        bytes memory expected = abi.encodeWithSelector(IStaking.NothingToClaim.selector, task, operator, alice);
        vm.expectRevert(expected);
        staking.claim(task, operator, alice);

        open();
        settle(operator, 0, 20 ether);
        uint256 due = position(operator, alice).claimable;
        vm.assertLe(9 ether - due, 1e6, "half of it, less the commission");
        vm.expectEmit(address(staking));
        emit IStaking.Claimed(task, operator, alice, due);
        vm.prank(bob);
        staking.claim(task, operator, alice);
        vm.assertEq(token.balanceOf(alice), due, "paid");
        vm.expectRevert(expected);
        staking.claim(task, operator, alice);
        assertConserved(1);
    }

    function test_claim_ofADelegatorOutlivesItsStakeAndTheTask() public {
        delegate(alice, operator, UNIT);
        open();
        settle(operator, 0, 20 ether);
        uint256 due = position(operator, alice).claimable;
        exit(alice, operator, UNIT);
        registry.close(task);
        open();
        settle(operator, 0, 20 ether);
        vm.assertEq(position(operator, alice).claimable, due, "nothing after the exit");
        staking.claim(task, operator, alice);
        skip(UNBONDING);
        staking.withdraw(task, operator, alice);
        vm.assertEq(token.balanceOf(alice), UNIT + due, "all of it");
        assertConserved(1);
    }
}
