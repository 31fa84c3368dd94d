// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Staking} from "../../contracts/Staking.sol";
import {IBindable} from "../../contracts/interfaces/IBindable.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {ITaskRegistry} from "../../contracts/interfaces/ITaskRegistry.sol";
import {RoundId, Role, TaskId, VaultBase, vm} from "./support/VaultBase.sol";

contract AcceptDelegationTest is VaultBase {
    function setUp() public override {
        super.setUp();
        stake(operator, Role.Trainer, UNIT);
    }

    function test_acceptDelegation_revertsIfNotBound() public {
        Staking unbound = new Staking(token, registry);
        vm.expectRevert(IBindable.NotBound.selector);
        unbound.acceptDelegation(task, 0);
    }

    function test_acceptDelegation_revertsIfTheTaskIsUnknownOrClosed() public {
        TaskId unknown = TaskId.wrap(9);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, unknown));
        staking.acceptDelegation(unknown, 0);
        registry.close(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.AlreadyClosed.selector, task));
        staking.acceptDelegation(task, 0);
    }

    function test_acceptDelegation_revertsIfTheCommissionIsMoreThanAll() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.CommissionTooHigh.selector, 10_001));
        accept(operator, 10_001);
        accept(operator, 10_000);
    }

    /// @dev Nobody's rate ever changes under him: not with shares, nor while his are joining or leaving.
    function test_commission_isFrozenWhileAnythingIsDelegated() public {
        bytes memory expected = abi.encodeWithSelector(IStaking.AlreadyDelegated.selector, operator);
        accept(operator, 100);
        open();
        delegate(alice, operator, UNIT);
        vm.expectRevert(expected);
        accept(operator, 200);

        close();
        vm.expectRevert(expected);
        accept(operator, 200);

        open();
        exit(alice, operator, UNIT);
        vm.expectRevert(expected);
        accept(operator, 200);
        vm.assertEq(pool(operator).commissionBps, 100, "commission");

        close();
        vm.expectEmit(address(staking));
        emit IStaking.DelegationAccepted(task, operator, 200);
        accept(operator, 200);
        vm.assertEq(pool(operator).commissionBps, 200, "commission once everybody left");
    }

    /// @dev A commission changed in between keeps the factor: whoever comes back finds what he knew.
    function test_acceptDelegation_keepsWhatAShareIsWorth() public {
        accept(operator, 100);
        delegate(alice, operator, UNIT);
        open();
        settle(operator, UNIT, 0);
        exit(alice, operator, UNIT / 2);
        uint256 factor = pool(operator).mark.factor;
        vm.assertEq(factor, 1 << 78, "half");
        accept(operator, 200);
        vm.assertEq(pool(operator).mark.factor, factor, "factor");
    }

    /// @dev One part own and three delegated: three quarters are the delegators', less the commission. All in powers of two,
    /// so that rewards per share are exact.
    function test_commission_isExact() public {
        uint16[4] memory rates = [uint16(0), 1, 1250, 10_000];
        for (uint256 i = 0; i < rates.length; ++i) {
            address one = address(uint160(0xA100 + i));
            stake(one, Role.Trainer, 1 << 66);
            accept(one, rates[i]);
            delegate(alice, one, 3 << 66);
            open();
            uint256 amount = 40_000 << 44;
            uint256 net = (3 * (10_000 - uint256(rates[i]))) << 44;
            vm.expectEmit(address(staking));
            emit IStaking.Rewarded(task, one, round, amount, net);
            settle(one, 0, amount);
            vm.assertEq(account(one).claimable, amount - net, "the operator's");
            vm.assertEq(position(one, alice).claimable, net, "the delegator's");
        }
    }

    function test_commission_takesNothingFromWhatTheOwnStakeEarns() public {
        accept(operator, 10_000);
        open();
        settle(operator, 0, 80 ether);
        vm.assertEq(account(operator).claimable, 80 ether, "all of it");
    }
}
