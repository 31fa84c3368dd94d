// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {ITaskRegistry} from "../../contracts/interfaces/ITaskRegistry.sol";
import {RoundId, Role, TaskId, VaultBase, vm} from "./support/VaultBase.sol";

contract SetSignerTest is VaultBase {
    address private first = address(0x51);
    address private second = address(0x52);

    function setUp() public override {
        super.setUp();
        stake(operator, Role.Trainer, UNIT);
    }

    function test_setSigner_revertsIfTheTaskIsUnknownOrClosed() public {
        TaskId unknown = TaskId.wrap(9);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, unknown));
        staking.setSigner(unknown, first);
        registry.close(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.AlreadyClosed.selector, task));
        staking.setSigner(task, first);
    }

    function test_setSigner_countsFromTheNextRound() public {
        vm.expectEmit(address(staking));
        emit IStaking.SignerSet(task, operator, first, RoundId.wrap(1));
        name(first);
        assertSigner(address(0), "before the first round");
        open();
        assertSigner(first, "in the first round");

        // Rotated while the round is open: the key that began it ends it, even after it is settled.
        vm.expectEmit(address(staking));
        emit IStaking.SignerSet(task, operator, second, RoundId.wrap(2));
        name(second);
        assertSigner(first, "in the same round");
        close();
        assertSigner(first, "until the next is open");
        open();
        assertSigner(second, "in the next round");
        open();
        assertSigner(second, "in all later ones");
    }

    function test_setSigner_againInTheSameRoundKeepsWhoIsInEffect() public {
        name(first);
        open();
        name(second);
        name(address(0x53));
        assertSigner(first, "in the round");
        open();
        assertSigner(address(0x53), "in the next round");
        name(address(0));
        assertSigner(address(0x53), "until the next round");
        open();
        assertSigner(address(0), "nobody");
    }

    function test_revokeSigner_worksAtOnce() public {
        name(first);
        open();
        name(second);
        vm.expectEmit(address(staking));
        emit IStaking.SignerRevoked(task, operator);
        vm.prank(operator);
        staking.revokeSigner(task);
        assertSigner(address(0), "in the round");
        open();
        assertSigner(address(0), "in the next round");
        vm.assertFalse(staking.mayAct(task, operator, second), "the one that was to come");

        // And even if the task is closed.
        name(first);
        open();
        registry.close(task);
        vm.prank(operator);
        staking.revokeSigner(task);
        vm.assertFalse(staking.mayAct(task, operator, first), "closed");
    }

    function test_mayAct_isForTheOperatorAndItsSignerInItsTask() public {
        vm.assertTrue(staking.mayAct(task, operator, operator), "the operator");
        vm.assertFalse(staking.mayAct(task, operator, address(0)), "no signer is nobody");
        name(first);
        open();
        vm.assertTrue(staking.mayAct(task, operator, first), "the signer");
        vm.assertTrue(staking.mayAct(task, operator, operator), "the operator beside it");
        vm.assertFalse(staking.mayAct(task, rival, first), "for another operator");
        TaskId other = registry.createTask(terms(), "other");
        staking.open(other, RoundId.wrap(1), 0);
        vm.assertFalse(staking.mayAct(other, operator, first), "in another task");
    }

    /// @dev Whatever a signer calls concerns the signer's own, empty account.
    function test_signer_canMoveNothing() public {
        accept(operator, 1000);
        delegate(alice, operator, UNIT);
        name(first);
        open();
        settle(operator, 0, 10 ether);
        open();
        bytes[6] memory calls = [
            abi.encodeCall(IStaking.requestExit, (task, operator, 1)),
            abi.encodeCall(IStaking.stake, (task, Role.Trainer, UNIT)),
            abi.encodeCall(IStaking.delegate, (task, operator, 1)),
            abi.encodeCall(IStaking.claim, (task, operator, first)),
            abi.encodeCall(IStaking.withdraw, (task, operator, first)),
            abi.encodeCall(IStaking.claim, (task, first, first))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(first);
            (bool isDone, ) = address(staking).call(calls[i]);
            vm.assertFalse(isDone, "a door that opens for a signer");
        }

        // These concern the signer itself, or pay the owner.
        vm.prank(first);
        staking.acceptDelegation(task, 0);
        vm.prank(first);
        staking.setSigner(task, second);
        vm.prank(first);
        staking.revokeSigner(task);
        uint256 due = account(operator).claimable;
        vm.prank(first);
        staking.claim(task, operator, operator);
        vm.assertEq(token.balanceOf(operator), due, "paid to the owner");
        vm.assertEq(token.balanceOf(first), 0, "nothing for the signer");
        vm.assertEq(pool(operator).commissionBps, 1000, "commission");
        vm.assertEq(staking.signerOf(task, operator), first, "signer");
        vm.assertEq(account(operator).active, UNIT, "stake");
    }

    function name(address signer) private {
        vm.prank(operator);
        staking.setSigner(task, signer);
    }

    function assertSigner(address expected, string memory what) private view {
        vm.assertEq(staking.signerOf(task, operator), expected, what);
        if (expected != first) vm.assertFalse(staking.mayAct(task, operator, first), what);
        if (expected != second) vm.assertFalse(staking.mayAct(task, operator, second), what);
        if (expected != address(0)) vm.assertTrue(staking.mayAct(task, operator, expected), what);
    }
}
