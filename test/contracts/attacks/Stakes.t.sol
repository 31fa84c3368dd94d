// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Role, VaultBase, vm} from "../support/VaultBase.sol";

/// @notice Attacks on stake by those whom it does not belong to.
contract StakeAttacksTest is VaultBase {
    mapping(address owner => uint256 amount) private _taken; // withdrawn by strangers

    function setUp() public override {
        super.setUp();
        accept(operator, 1000);
        accept(rival, 1000);
        stake(operator, Role.Trainer, 4 * UNIT);
        stake(rival, Role.Trainer, 4 * UNIT);
    }

    /// @dev Two operators live the same life; at the second one strangers claim and withdraw whatever they can, whenever
    /// they like. No fault finds more or less there, so nobody chooses what a fault is counted from.
    /// hardhat-config: fuzz.runs = 1000
    function test_P5_strangersDoNotChooseWhatAFaultFinds_fuzz(uint256[12] memory words) public {
        for (uint256 i = 0; i < words.length; ++i) {
            _act(words[i]);
            _meddle(words[i] >> 240);
            vm.assertEq(account(operator).active, account(rival).active, "active stake");
            vm.assertEq(pool(operator).active, pool(rival).active, "delegated stake");
        }
        if (isOpen) close();
        vm.assertEq(_owned(operator, operator), _owned(rival, rival), "the operator's, paid out or not");
        vm.assertEq(_owned(operator, alice), _owned(rival, bob), "the delegator's, paid out or not");
        assertTotals();
    }

    /// @dev Who joined or leaves a round is valued as that round left it, whether anybody looked before the next fault or not.
    function test_P5_aStrangersLookBetweenTwoFaultsChangesNothing() public {
        for (uint256 i = 0; i < 2; ++i) delegate(i == 0 ? alice : bob, i == 0 ? operator : rival, 3 * UNIT);
        open();
        for (uint256 i = 0; i < 2; ++i) {
            delegate(i == 0 ? alice : bob, i == 0 ? operator : rival, 2 * UNIT);
            exit(i == 0 ? alice : bob, i == 0 ? operator : rival, UNIT);
        }
        _settleBoth(UNIT, UNIT);
        open();
        skip(UNBONDING);
        vm.prank(carol);
        staking.claim(task, rival, bob);
        _takeOut(rival, bob);
        _settleBoth(2 * UNIT, 0);
        vm.assertEq(worth(operator, alice), worth(rival, bob), "what joined and stayed");
        vm.assertEq(_owned(operator, alice), _owned(rival, bob), "with what left");
        vm.assertGt(_taken[bob], 0, "a stranger withdrew it");
    }

    /// @dev Who goes moves nobody else: not their stake, weight, or place, whatever the order of coming and going.
    function test_P4_exitsMoveNobodyElse() public {
        address[5] memory others = [address(0xE1), address(0xE2), address(0xE3), address(0xE4), address(0xE5)];
        for (uint256 i = 0; i < 5; ++i) stake(others[i], Role.Trainer, (i + 1) * UNIT);
        exit(others[2], others[2], 3 * UNIT); // from the midst, then the first, then the last
        exit(others[0], others[0], UNIT);
        open();
        exit(others[4], others[4], 5 * UNIT);
        vm.assertEq(weight(others[1]), 2 * UNIT, "second");
        vm.assertEq(weight(others[3]), 4 * UNIT, "fourth");
        vm.assertEq(weight(others[4]), 5 * UNIT, "the fifth counts in the open round");
        settle(others[1], UNIT, 0);
        (uint96 total, ) = staking.totals(task);
        vm.assertEq(total, (8 + 1 + 4) * uint256(UNIT), "who stays, less the fault");
        vm.assertEq(account(others[3]).active, 4 * UNIT, "stake of who was beside");
        vm.assertEq(account(others[4]).left, 5 * UNIT, "what left bears nothing of others' faults");
        assertConserved(30 * UNIT);
    }

    /* THE TWO LIVES */

    function _act(uint256 word) private {
        uint256 act = word % 8;
        uint256 amount = 1 + ((word >> 8) % (3 * UNIT));
        if (act == 0) _both(operator, rival, 0, amount);
        else if (act == 1) _both(alice, bob, 1, amount);
        else if (act == 2) _both(operator, rival, 2, amount);
        else if (act == 3) _both(alice, bob, 3, amount);
        else if (act == 4) _passTime();
        else if (!isOpen) open();
        else _settleBoth((word >> 128) % (2 * UNIT), (word >> 200) % (10 * UNIT));
    }

    /// @dev Long enough for every exit. A round is settled first: from one that nobody settles stake may escape, and does
    /// so when somebody withdraws.
    function _passTime() private {
        if (isOpen) close();
        skip(UNBONDING);
    }

    function _both(address first, address second, uint256 act, uint256 amount) private {
        _one(operator, first, act, amount);
        _one(rival, second, act, amount);
    }

    function _one(address who, address owner, uint256 act, uint256 amount) private {
        if (act == 0) stake(who, Role.Trainer, amount);
        else if (act == 1) delegate(owner, who, amount);
        else {
            Account memory a = account(who);
            uint256 available =
                act == 2 ? uint256(a.active) + a.joining : worth(who, owner) + position(who, owner).joining;
            if (available != 0) exit(owner, who, 1 + (amount % available));
        }
    }

    function _settleBoth(uint256 fault, uint256 pay) private {
        vm.assertEq(book(operator, fault, pay), book(rival, fault, pay), "what the fault found");
        close();
    }

    function _meddle(uint256 luck) private {
        if (luck & 1 != 0) _takeOut(rival, rival);
        if (luck & 2 != 0) _takeOut(rival, bob);
        if (luck & 4 != 0) _claim(rival);
        if (luck & 8 != 0) _claim(bob);
    }

    /// @dev A stranger withdraws for `owner`, if anything can be withdrawn.
    function _takeOut(address who, address owner) private {
        uint256 before = token.balanceOf(owner);
        vm.prank(carol);
        try staking.withdraw(task, who, owner) {} catch {}
        _taken[owner] += token.balanceOf(owner) - before;
    }

    function _claim(address owner) private {
        vm.prank(carol);
        try staking.claim(task, rival, owner) {} catch {}
    }

    /// @dev Stake, wherever it is by now; rewards apart, of which looking may round off a wei.
    function _owned(address who, address owner) private view returns (uint256) {
        if (owner != who) return holding(who, owner) + _taken[owner];
        Account memory a = account(who);
        return uint256(a.active) + a.joining + a.leaving + a.left + _taken[owner];
    }
}
