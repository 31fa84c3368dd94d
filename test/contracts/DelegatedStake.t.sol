// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Position, Role, VaultBase, vm} from "./support/VaultBase.sol";

/// @notice The rules of delegated stake: each attack that a rule answers, under its name.
contract DelegatedStakeTest is VaultBase {
    function setUp() public override {
        super.setUp();
        stake(operator, Role.Trainer, UNIT);
        accept(operator, 1000);
        stake(rival, Role.Trainer, UNIT);
    }

    /// @dev Who delegates when it is known who will be paid takes nothing from those who were there.
    function test_late_delegation_earns_nothing() public {
        delegate(alice, operator, UNIT);
        open();
        delegate(bob, operator, 99 * UNIT);
        settle(operator, 0, 500 ether);
        assertNear(position(operator, alice).claimable, 225 ether, "half, less the commission");
        vm.assertEq(position(operator, bob).claimable, 0, "nothing");

        open();
        settle(operator, 0, 101 ether);
        vm.assertGt(position(operator, bob).claimable, 80 ether, "its part of the next");
        assertConserved(4);
    }

    /// @dev Stake that asked to leave made the round's seats and bears its faults, so it is paid for the round as well.
    function test_leaving_operatorIsPaidForTheRoundItWorksIn() public {
        delegate(alice, operator, 1);
        open();
        exit(operator, operator, UNIT);
        settle(operator, 0, 40 ether);
        assertNear(account(operator).claimable, 40 ether, "the operator");
        assertNear(position(operator, alice).claimable, 0, "a wei takes next to nothing");
        assertConserved(2);
    }

    function test_deposit_beforeSettlementIsNotSlashed() public {
        delegate(alice, operator, UNIT);
        open();
        delegate(bob, operator, UNIT);
        delegate(alice, operator, UNIT);
        vm.assertEq(settle(operator, 1000 * UNIT, 0), 2 * UNIT, "all that was exposed");
        assertNear(worth(operator, bob), UNIT, "bob");
        assertNear(worth(operator, alice), UNIT, "alice's second part");
        assertTotals();
        assertConserved(2);
    }

    /// @dev 100 own, 200 delegated, half of one of them leaving: a tenth from each, and pay for those who stay.
    function test_exit_beforeSettlementIsSlashedItsShareAndPaidNothing() public {
        delegate(alice, operator, UNIT);
        delegate(bob, operator, UNIT);
        open();
        exit(alice, operator, UNIT / 2);
        settle(operator, 30 ether, 90 ether);
        vm.assertEq(account(operator).active, 90 ether, "own");
        assertNear(position(operator, alice).left, 45 ether, "what leaves");
        assertNear(worth(operator, alice), 45 ether, "what stays");
        assertNear(worth(operator, bob), 90 ether, "who stays");
        // 90 own and 135 staying: three fifths of 90, less the commission.
        assertNear(position(operator, alice).claimable, 16.2 ether, "a third of it");
        assertNear(position(operator, bob).claimable, 32.4 ether, "two thirds of it");
        assertTotals();
        assertConserved(4);

        // It is free now: the next round does not reach it.
        open();
        settle(operator, 1000 * UNIT, 0);
        assertNear(position(operator, alice).left, 45 ether, "out of reach");
    }

    function test_exit_beforeTheRoundOpensIsUntouchedAndHasNoWeight() public {
        delegate(alice, operator, 2 * UNIT);
        exit(alice, operator, UNIT);
        open();
        vm.assertEq(weight(operator), 2 * UNIT, "weight of what stayed");
        settle(operator, 1000 * UNIT, 50 ether);
        vm.assertEq(position(operator, alice).left, UNIT, "left");
        vm.assertEq(position(operator, alice).claimable, 0, "nothing stayed to earn");
    }

    /// @dev Own and delegated alike, the operator bearing what does not divide.
    function test_faults_fallProRata() public {
        delegate(alice, operator, 2 * UNIT);
        open();
        settle(operator, 10, 0);
        vm.assertEq(account(operator).active, UNIT - 4, "own, rounded up");
        vm.assertEq(pool(operator).active, 2 * UNIT - 6, "delegated");
        open();
        settle(operator, 1, 0);
        vm.assertEq(account(operator).active, UNIT - 5, "the single wei");
        vm.assertEq(pool(operator).active, 2 * UNIT - 6, "nothing");
        assertTotals();
    }

    /// @dev Delegated stake counts up to nine times the own, and nothing without enough of that.
    function test_leverage_isCapped() public {
        delegate(alice, operator, 9 * UNIT);
        vm.assertEq(weight(operator), 10 * UNIT, "all of it");
        delegate(bob, operator, 90 * UNIT);
        vm.assertEq(weight(operator), 10 * UNIT, "capped");
        assertTotals();

        stake(operator, Role.Trainer, UNIT);
        vm.assertEq(weight(operator), 20 * UNIT, "twice the own stake");
        assertTotals();
        exit(operator, operator, UNIT + 1);
        vm.assertEq(weight(operator), 0, "own stake below the seat stake");
        assertTotals();
        stake(operator, Role.Trainer, 1);
        exit(bob, operator, 90 * UNIT);
        exit(alice, operator, 4 * UNIT);
        vm.assertEq(weight(operator), 6 * UNIT, "below the cap");
        assertTotals();
        open();
        settle(operator, 3 * UNIT, 0);
        vm.assertEq(weight(operator), 0, "slashed below the seat stake");
        assertTotals();
    }

    /// @dev A hundred rounds without it: nothing is owed, nothing is lost, and catching up costs the same.
    function test_missedRounds_oweNothing() public {
        delegate(alice, operator, UNIT);
        delegate(bob, operator, UNIT);
        open();
        delegate(bob, operator, UNIT);
        settle(operator, 0, 90 ether);
        uint256 due = position(operator, alice).claimable;
        uint256 gasAtOnce = gasOfClaim(alice);
        for (uint256 i = 0; i < 100; ++i) {
            open();
            settle(rival, 1 ether / 10, 1 ether);
        }
        vm.assertEq(token.balanceOf(alice), due, "claimed at once");
        vm.assertEq(position(operator, bob).claimable, due, "the same a hundred rounds later");
        vm.assertEq(worth(operator, bob), 2 * UNIT, "what joined then");
        vm.assertLe(gasOfClaim(bob), gasAtOnce + 60_000, "gas");
        vm.assertEq(weight(operator), 4 * UNIT, "weight");
        assertTotals();
        assertConserved(3);
    }

    function gasOfClaim(address owner) private returns (uint256 used) {
        used = gasleft();
        staking.claim(task, operator, owner);
        used -= gasleft();
    }

    /// @dev Tokens sent to the vault by hand belong to nobody: no share, weight or price moves.
    function test_donation_changesNothing() public {
        delegate(alice, operator, UNIT);
        bytes32 before = keccak256(abi.encode(pool(operator), position(operator, alice), account(operator)));
        token.transfer(address(staking), 1000 * UNIT);
        bytes32 afterwards = keccak256(abi.encode(pool(operator), position(operator, alice), account(operator)));
        vm.assertEq(afterwards, before, "pool and position");
        delegate(bob, operator, UNIT);
        vm.assertEq(position(operator, bob).shares, position(operator, alice).shares, "as many shares as before");
        vm.assertEq(worth(operator, bob), UNIT, "worth");
        vm.assertEq(weight(operator), 3 * UNIT, "weight");
    }

    /// @dev A first deposit of one wei, gifts and rewards on top of it, cannot round the next deposit away.
    function test_inflation_byAFirstWeiHarmsNobody() public {
        delegate(bob, operator, 1);
        token.transfer(address(staking), 1000 * UNIT);
        open();
        settle(operator, 0, 1000 * UNIT);
        uint256 gained = position(operator, bob).claimable;
        delegate(alice, operator, 10 * UNIT);
        vm.assertEq(worth(operator, alice), 10 * UNIT, "worth");
        exit(alice, operator, 10 * UNIT);
        vm.assertEq(position(operator, alice).left, 10 * UNIT, "all of it");
        vm.assertEq(worth(operator, bob), 1, "the first wei");
        vm.assertEq(position(operator, bob).claimable, gained, "nothing of the newcomer");
        assertConserved(1000 * UNIT + 1);
    }

    /// @dev Everything lost: old shares are worth nothing for ever, old rewards stay, and newcomers start at par.
    function test_wipedPool_isRefilledWithoutTouchingOldShares() public {
        delegate(alice, operator, UNIT);
        open();
        settle(operator, 0, 20 ether);
        uint256 due = position(operator, alice).claimable;
        open();
        delegate(carol, operator, UNIT);
        settle(operator, 1000 * UNIT, 0);
        vm.assertEq(worth(operator, alice), 0, "old shares");
        assertNear(worth(operator, carol), UNIT, "joined in the same round");

        stake(operator, Role.Trainer, UNIT);
        delegate(bob, operator, 3 * UNIT);
        vm.assertEq(worth(operator, bob), 3 * UNIT, "new shares");
        open();
        settle(operator, 50 ether, 90 ether);
        Position memory its = position(operator, alice);
        vm.assertEq(its.claimable, due, "old rewards, and none since");
        vm.assertEq(uint256(its.shares) + its.left, 0, "no shares");
        assertNear(worth(operator, bob), 270 ether, "bears its part");
        staking.claim(task, operator, alice);
        vm.assertEq(token.balanceOf(alice), due, "claimed");
        assertTotals();
        assertConserved(8);
    }

    /// @dev A share that became worth next to nothing endangers nobody who comes later: a small fault takes a small part.
    function test_wornPool_doesNotTakeMoreThanTheFault() public {
        delegate(alice, operator, UNIT);
        for (uint256 i = 0; i < 3; ++i) {
            open();
            uint256 exposed = uint256(account(operator).active) + pool(operator).active;
            settle(operator, exposed - exposed / 1000, 0);
        }
        delegate(bob, operator, 1000 * UNIT);
        open();
        uint256 holdings = uint256(account(operator).active) + pool(operator).active;
        vm.assertEq(settle(operator, holdings / 100, 0), holdings / 100, "the fault");
        vm.assertLe(990 * UNIT - worth(operator, bob), 1e9, "a hundredth less");
        open();
        settle(operator, holdings / 100, 90 ether);
        vm.assertLe(980 * UNIT - worth(operator, bob), 1e9, "another hundredth");
        vm.assertGt(position(operator, bob).claimable, 80 ether, "rewards");
        assertConserved(1e6);
    }

    /// @dev Whoever comes after a round opened and goes before the next one gets back what it brought, and nothing else.
    function test_aroundASettlement_nobodyGains_fuzz(uint64 first, uint80 amount, uint72 fault, uint72 pay) public {
        delegate(alice, operator, 1 + uint256(first));
        open();
        delegate(bob, operator, 1 + uint256(amount));
        settle(operator, fault, pay);
        vm.assertLe(worth(operator, bob), 1 + uint256(amount), "not more");
        vm.assertLe(1 + uint256(amount), worth(operator, bob) + 1, "not less");
        vm.assertEq(position(operator, bob).claimable, 0, "nothing earned");
        if (worth(operator, bob) == 0) return; // a last wei that rounds down stays, and earns as less than one
        exit(bob, operator, worth(operator, bob));
        open();
        settle(operator, fault, pay);
        vm.assertLe(1 + uint256(amount), position(operator, bob).left + 1, "out of reach");
        vm.assertEq(position(operator, bob).claimable, 0, "nothing earned");
    }

    /// @dev Any order of acts in one block conserves, and the sums of weights stay the sums of weights.
    function test_anyOrderInABlock_conserves_fuzz(uint256[16] memory words) public {
        accept(rival, 0);
        for (uint256 i = 0; i < words.length; ++i) {
            _act(words[i]);
            assertTotals();
            assertConserved(20 * (i + 1));
        }
    }

    function _act(uint256 word) private {
        address who = (word >> 8) % 3 == 0 ? rival : operator;
        address owner = [alice, bob, carol, who][(word >> 16) % 4];
        uint256 amount = 1 + ((word >> 24) % (5 * UNIT));
        uint256 act = word % 6;
        if (act == 0 && owner == who) stake(who, Role.Trainer, amount);
        else if (act == 0) delegate(owner, who, amount);
        else if (act == 1) _exit(owner, who, amount);
        else if (act == 2 && !isOpen) open();
        else if (act == 3 && isOpen) settle(who, (word >> 128) % (2 * UNIT), (word >> 192) % (10 * UNIT));
        else if (act == 4 && isOpen) close();
        else if (act == 5) _claim(owner, who);
    }

    function _exit(address owner, address who, uint256 amount) private {
        uint256 available = worth(who, owner) + position(who, owner).joining;
        if (owner == who) available = uint256(account(who).active) + account(who).joining;
        if (available != 0) exit(owner, who, 1 + (amount % available));
    }

    function _claim(address owner, address who) private {
        uint256 due = owner == who ? account(who).claimable : position(who, owner).claimable;
        if (due != 0) staking.claim(task, who, owner);
    }

    function assertNear(uint256 actual, uint256 expected, string memory what) private pure {
        vm.assertLe(actual, expected, what);
        vm.assertLe(expected, actual + 1e6, what);
    }
}
