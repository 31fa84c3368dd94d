// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Stake, StakePool} from "../../../contracts/libraries/StakePool.sol";
import {NO_ROUND, RoundId} from "../../../contracts/types/RoundId.sol";
import {vm} from "../support/Vm.sol";

contract StakePoolTest {
    using StakePool for Stake;

    struct Step {
        uint8 act;
        uint64 amount;
    }

    /// @dev Any order of deposits, exits, slashes, opens, settlements and withdrawals conserves every unit; what joined is
    /// never slashed and what left never again.
    function test_account_conserves_fuzz(Step[24] memory steps) public pure {
        Stake memory a;
        uint256 net;
        uint32 last;
        RoundId open = NO_ROUND;
        for (uint256 i = 0; i < steps.length; ++i) {
            a.touch(open);
            uint256 safe = uint256(a.joining) + a.left;
            uint256 available = uint256(a.active) + a.joining;
            uint256 act = steps[i].act % 6;
            if (act == 0) {
                a.join(steps[i].amount, open);
                net += steps[i].amount;
            } else if (act == 1 && available != 0) {
                a.exit(uint96(steps[i].amount % (available + 1)), open);
            } else if (act == 2 && open != NO_ROUND) {
                (uint256 fromActive, uint256 fromLeaving) = a.slash(steps[i].amount);
                net -= fromActive + fromLeaving;
                vm.assertEq(uint256(a.joining) + a.left, safe, "out of reach of slashes");
            } else if (act == 3 && open == NO_ROUND) {
                open = RoundId.wrap(++last);
            } else if (act == 4) {
                open = NO_ROUND;
            } else if (act == 5) {
                net -= a.take(steps[i].amount % 2 == 0);
            }
            vm.assertEq(uint256(a.active) + a.joining + a.leaving + a.left, net, "sum");
        }
        a.touch(NO_ROUND);
        vm.assertEq(uint256(a.joining) + a.leaving, 0, "all settled");
        vm.assertTrue(a.isEmpty() == (net == 0), "empty");
    }

    function test_slash_takesTheFaultInProportion_fuzz(uint96 active, uint96 leaving, uint128 fault) public pure {
        vm.assume(uint256(active) + leaving < type(uint96).max);
        Stake memory a;
        (a.active, a.leaving) = (active, leaving);
        (uint256 fromActive, uint256 fromLeaving) = a.slash(fault);
        uint256 exposed = uint256(active) + leaving;
        uint256 cut = fault < exposed ? fault : exposed;
        vm.assertEq(fromActive + fromLeaving, cut, "cut");
        vm.assertLe(fromActive * exposed, cut * active + exposed, "active share, rounded up");
        vm.assertLe(cut * active, fromActive * exposed, "active share, not less");
    }

    /// @dev Slashing an account in two parts or one costs the same, but for rounding: exits do not dodge.
    function test_exit_doesNotChangeTheCut_fuzz(uint96 active, uint96 leaves, uint96 fault) public pure {
        vm.assume(active < type(uint96).max && leaves <= active);
        Stake memory stays;
        Stake memory goes;
        (stays.active, goes.active) = (active, active);
        goes.exit(leaves, RoundId.wrap(1));
        (uint256 a, uint256 b) = stays.slash(fault);
        (uint256 c, uint256 d) = goes.slash(fault);
        vm.assertEq(a + b, c + d, "cut");
        vm.assertEq(uint256(goes.active) + goes.leaving, stays.active, "rest");
    }

    function test_weights_countFromTheRoundTheyBelongTo() public pure {
        Stake memory a;
        RoundId one = RoundId.wrap(1);
        a.join(100, NO_ROUND);
        a.join(50, one);
        a.exit(30, one);
        vm.assertEq(a.countsNow(), 100, "in the open round");
        vm.assertEq(a.countsNext(), 120, "in the next");
        a.touch(NO_ROUND);
        vm.assertEq(a.active, 120, "active");
        vm.assertEq(a.left, 30, "left");
        vm.assertEq(a.countsNow(), a.countsNext(), "the same if none is open");
    }

    function test_weight_isTheStakeOrNothing() public pure {
        vm.assertEq(StakePool.weightOf(99, 100), 0, "below the seat stake");
        vm.assertEq(StakePool.weightOf(100, 100), 100, "at the seat stake");
    }
}
