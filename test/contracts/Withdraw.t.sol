// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Account, Base, Role, vm} from "./support/Base.sol";

contract WithdrawTest is Base {
    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    function test_withdraw_revertsBeforeTheUnbondingPeriodIsOver() public {
        requestExit(trainers[0], UNIT);
        uint40 unlockAt = account(trainers[0]).unlockAt;
        vm.warp(unlockAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.StillLocked.selector, unlockAt));
        staking.withdraw(task, trainers[0], trainers[0]);
    }

    function test_withdraw_revertsIfNothingAskedToLeave() public {
        bytes memory expected = abi.encodeWithSelector(
            IStaking.NothingToWithdraw.selector,
            task,
            trainers[0],
            trainers[0]
        );
        vm.expectRevert(expected);
        staking.withdraw(task, trainers[0], trainers[0]);
    }

    function test_withdraw_revertsWhileTheRoundIsNotSettled() public {
        openRound();
        requestExit(trainers[0], UNIT);
        skip(7 days);
        bytes memory expected = abi.encodeWithSelector(
            IStaking.NothingToWithdraw.selector,
            task,
            trainers[0],
            trainers[0]
        );
        vm.expectRevert(expected);
        staking.withdraw(task, trainers[0], trainers[0]);
        settle();
        staking.withdraw(task, trainers[0], trainers[0]);
    }

    function test_withdraw_paysTheOperatorWhoeverCalls() public {
        requestExit(trainers[0], UNIT);
        skip(7 days);
        vm.expectEmit(address(staking));
        emit IStaking.Withdrawn(task, trainers[0], trainers[0], UNIT);
        vm.prank(stranger);
        staking.withdraw(task, trainers[0], trainers[0]);
        vm.assertEq(token.balanceOf(trainers[0]), UNIT, "paid");
        vm.assertEq(account(trainers[0]).left, 0, "left");
        assertConserved();
    }

    function test_withdraw_paysWhatLeftEarlierWhileTheRestIsExposed() public {
        stake(trainers[0], Role.Trainer, UNIT);
        requestExit(trainers[0], UNIT);
        openRound();
        requestExit(trainers[0], UNIT);
        skip(7 days);
        staking.withdraw(task, trainers[0], trainers[0]);
        vm.assertEq(token.balanceOf(trainers[0]), UNIT, "paid");
        vm.assertEq(account(trainers[0]).leaving, UNIT, "still exposed");
        assertConserved();
    }

    /// @dev If nobody settles, stake is free one unbonding period after the round's last deadline.
    function test_withdraw_escapesFromARoundThatNobodySettles() public {
        openRound();
        uint256 lastDeadline = block.timestamp + 9 hours + 2 * 12 hours;
        requestExit(trainers[0], UNIT);
        vm.warp(lastDeadline + 7 days - 1);
        bytes memory expected = abi.encodeWithSelector(
            IStaking.NothingToWithdraw.selector,
            task,
            trainers[0],
            trainers[0]
        );
        vm.expectRevert(expected);
        staking.withdraw(task, trainers[0], trainers[0]);

        vm.warp(lastDeadline + 7 days);
        staking.withdraw(task, trainers[0], trainers[0]);
        vm.assertEq(token.balanceOf(trainers[0]), UNIT, "paid");
        assertConserved();

        // The account is empty: another role, joining the round after the one that is stuck.
        stake(trainers[0], Role.Validator, UNIT);
        vm.assertEq(weight(trainers[0]), 0, "weight in the stuck round");
        settle();
        vm.assertEq(weight(trainers[0]), UNIT, "weight in the next round");
        assertConserved();
    }

    /// @dev A slash that finds nothing exposed takes nothing and does not revert.
    function test_withdraw_escapedStakeIsNotSlashed() public {
        openRound();
        sealProposal(trainers[0]);
        requestExit(trainers[0], UNIT);
        skip(9 hours + 2 * 12 hours + 7 days);
        staking.withdraw(task, trainers[0], trainers[0]);
        settle();
        Account memory a = account(trainers[0]);
        vm.assertEq(uint256(a.active) + a.leaving + a.left, 0, "nothing left");
        vm.assertEq(staking.toBurn(), 0, "nothing burned");
        assertConserved();
    }
}
