// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Mark, Pool} from "../../../contracts/interfaces/IStaking.sol";
import {Holding, Shares, Visit} from "../../../contracts/libraries/Shares.sol";
import {NO_ROUND, RoundId} from "../../../contracts/types/RoundId.sol";
import {vm} from "../support/Vm.sol";

contract SharesTest {
    using Shares for Holding;
    using Shares for Pool;
    using Shares for Visit;

    /// @dev What a new share costs it is worth, to the wei below, after any loss that left shares standing.
    function test_shares_areWorthWhatTheyCost_fuzz(uint96 amount, uint80 factor) public pure {
        uint256 f = _bound(factor);
        uint256 shares = Shares.sharesFor(amount, f);
        uint256 value = Shares.valueOf(shares, f);
        vm.assertLe(shares, type(uint112).max, "shares fit");
        vm.assertLe(value, amount, "not more");
        vm.assertLe(amount, value + 1, "at most a wei less");
        vm.assertTrue(amount == 0 || shares != 0, "something for something");
    }

    /// @dev An exit of less than everything takes exactly what it asked for, out of shares that are worth it.
    function test_exit_takesExactlyWhatItAsked_fuzz(uint96 held, uint96 amount, uint80 factor) public pure {
        vm.assume(held > 1);
        Visit memory act = _visit(NO_ROUND);
        act.pool.mark.factor = uint80(_bound(factor));
        act.join(held);
        uint256 available = act.available();
        vm.assume(available > 1);
        uint256 asked = 1 + (amount % (available - 1));
        act.exit(asked);
        vm.assertEq(act.holding.left, asked, "left");
        vm.assertEq(act.pool.active, held - asked, "active");
        vm.assertLe(act.available(), available - asked, "what stays");
        vm.assertLe(available - asked, act.available() + 1, "what stays, to the wei");
    }

    /// @dev Never more than the rule gives, and all of it but what a share's last 2^-48 wei make.
    function test_reward_isTheRule_fuzz(
        uint88 active,
        uint88 leaves,
        uint88 own,
        uint96 amount,
        uint16 rate
    ) public pure {
        Visit memory act = _visit(RoundId.wrap(1));
        act.pool.commissionBps = rate % 10_001;
        (act.pool.active, act.pool.shares, act.holding.shares) = (active, active, active);
        leaves = uint88(uint256(leaves) % (uint256(active) + 1));
        if (leaves != 0) act.exit(leaves);
        uint256 credited = act.pool.reward(own, amount);
        uint256 earning = uint256(active) - leaves;
        if (earning == 0) {
            vm.assertEq(credited, 0, "nobody to share with");
            return;
        }
        uint256 gross = (uint256(amount) * earning) / (uint256(own) + earning);
        uint256 net = (gross * (10_000 - act.pool.commissionBps)) / 10_000;
        vm.assertLe(credited, net, "not more");
        vm.assertLe(net, credited + (earning >> 48) + 1, "not less");
        act.holding.earn(act.pool.mark.index);
        vm.assertLe(act.holding.claimable, credited, "nor does anybody get more");
        vm.assertLe(credited, act.holding.claimable + 1, "nor much less");
    }

    /// @dev An owner that counts two rewards at once rounds down once; each by itself would be rounded down to 1 and 4.
    function test_rewards_countedAtOnceAreNotMoreThanWhatWasCredited() public pure {
        Visit memory act = _visit(NO_ROUND);
        act.join(6);
        vm.assertEq(act.pool.reward(3, 3), 2, "two of three");
        vm.assertEq(act.pool.reward(30, 30), 5, "five of thirty");
        act.holding.earn(act.pool.mark.index);
        vm.assertEq(act.holding.claimable, 6, "six of seven");
    }

    /// @dev Rewards that no index can count any more are the operator's.
    function test_reward_stopsAtTheEndOfTheIndex() public pure {
        Visit memory act = _visit(NO_ROUND);
        act.join(1);
        act.pool.mark.index = type(uint144).max - (5 << 48);
        vm.assertEq(act.pool.reward(0, 6), 0, "beyond the end");
        vm.assertEq(act.pool.reward(0, 5), 5, "up to the end");
    }

    /// @dev A loss of all but 2^-16 keeps its shares; a wei more, and they are as many as they are worth.
    function test_slash_countsAnewBelowTheLeastFactor() public pure {
        Visit memory act = _visit(RoundId.wrap(1));
        (act.pool.active, act.pool.shares, act.pool.leavingShares) = (1 << 24, 3 << 22, 1 << 22);
        Mark memory end = act.pool.slash((1 << 24) - (1 << 8));
        vm.assertEq(end.factor, Shares.FACTOR_MIN, "the least factor");
        vm.assertEq(act.pool.mark.generation, 0, "still the first generation");
        act.pool.mark.index = 77;
        end = act.pool.slash(1 << 7);
        vm.assertEq(end.factor, Shares.FACTOR_MIN / 2, "where it ended");
        vm.assertEq(end.index, 77, "what was earned until then");
        vm.assertEq(end.generation, 0, "the first");
        vm.assertEq(act.pool.mark.generation, 1, "the second");
        vm.assertEq(act.pool.mark.factor, Shares.FACTOR_ONE, "at par");
        vm.assertEq(act.pool.mark.index, 77, "index goes on");
        vm.assertEq(act.pool.active, 128, "active");
        vm.assertEq(act.pool.shares, 96, "shares");
        vm.assertEq(act.pool.leavingShares, 32, "leaving shares");

        Holding memory its;
        (its.shares, its.leavingShares, its.index) = (3 << 22, 1 << 22, 7);
        its.renew(end);
        vm.assertEq(its.shares, 96, "of the only owner");
        vm.assertEq(its.leavingShares, 32, "leaving, of the only owner");
        vm.assertEq(its.generation, 1, "generation of the owner");
        vm.assertEq(its.claimable, (uint256(3 << 22) * 70) >> 48, "earned until then");
    }

    function _visit(RoundId open) private pure returns (Visit memory act) {
        act.pool.accept(0);
        act.open = open;
    }

    function _bound(uint256 factor) private pure returns (uint256) {
        return Shares.FACTOR_MIN + (factor % (Shares.FACTOR_ONE - Shares.FACTOR_MIN + 1));
    }
}
