// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Own, Scale, Stake, StakePool} from "../../../contracts/libraries/StakePool.sol";
import {NO_ROUND, RoundId} from "../../../contracts/types/RoundId.sol";
import {vm} from "../support/Vm.sol";

contract StakePoolTest {
    using StakePool for Own;
    using StakePool for Stake;

    struct Step {
        uint8 act;
        uint64 amount;
    }

    Stake private stored;

    /// @dev Any order of deposits, exits, slashes, opens, settlements and withdrawals conserves every unit; what joined is
    /// never slashed and what left never again.
    function test_account_conserves_fuzz(Step[24] memory steps) public pure {
        Own memory a;
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
                a.exit(steps[i].amount % (available + 1), open);
            } else if (act == 2 && open != NO_ROUND) {
                uint256 cut = Math.min(steps[i].amount, a.countsNow());
                (uint256 fromActive, uint256 fromLeaving) = a.slash(cut);
                vm.assertEq(fromActive + fromLeaving, cut, "cut");
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
    }

    function test_slash_takesTheFaultInProportion_fuzz(uint96 active, uint96 leaving, uint128 fault) public pure {
        vm.assume(uint256(active) + leaving < type(uint96).max);
        Own memory a;
        (a.active, a.leaving) = (active, leaving);
        uint256 exposed = uint256(active) + leaving;
        uint256 cut = fault < exposed ? fault : exposed;
        (uint256 fromActive, uint256 fromLeaving) = a.slash(cut);
        vm.assertEq(fromActive + fromLeaving, cut, "cut");
        vm.assertLe(fromActive * exposed, cut * active + exposed, "active share, rounded up");
        vm.assertLe(cut * active, fromActive * exposed, "active share, not less");
    }

    /// @dev Slashing an account in two parts or one costs the same, but for rounding: exits do not dodge.
    function test_exit_doesNotChangeTheCut_fuzz(uint96 active, uint96 leaves, uint96 fault) public pure {
        vm.assume(active < type(uint96).max && leaves <= active);
        Own memory stays;
        Own memory goes;
        (stays.active, goes.active) = (active, active);
        goes.exit(leaves, RoundId.wrap(1));
        uint256 cut = Math.min(fault, active);
        (uint256 a, uint256 b) = stays.slash(cut);
        (uint256 c, uint256 d) = goes.slash(cut);
        vm.assertEq(a + b, c + d, "cut");
        vm.assertEq(uint256(goes.active) + goes.leaving, stays.active, "rest");
    }

    function test_weights_countFromTheRoundTheyBelongTo() public pure {
        Own memory a;
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

    function test_weight_isNothingBelowTheSeatStakeAndCapsWhatIsDelegated() public pure {
        Scale memory scale = Scale(100, 9);
        vm.assertEq(StakePool.weightOf(99, 1000, scale), 0, "below the seat stake");
        vm.assertEq(StakePool.weightOf(100, 0, scale), 100, "at the seat stake");
        vm.assertEq(StakePool.weightOf(100, 899, scale), 999, "below the cap");
        vm.assertEq(StakePool.weightOf(100, 901, scale), 1000, "above the cap");
        vm.assertEq(StakePool.weightOf(100, 901, Scale(100, 0)), 100, "no leverage");
    }

    /// @dev One slot or two: what is saved is what is loaded, and what has left is never lost on the way.
    function test_account_survivesItsSlots_fuzz(Step[16] memory steps) public {
        Own memory whole; // the same acts, always with both slots
        RoundId open = NO_ROUND;
        for (uint256 i = 0; i < steps.length; ++i) {
            uint256 act = steps[i].act % 6;
            if (act == 3) open = RoundId.wrap(uint32(i + 1));
            if (act == 4) open = NO_ROUND;
            Own memory lean = stored.load(false);
            lean.touch(open);
            whole.touch(open);
            if (act == 0) {
                lean.join(steps[i].amount, open);
                whole.join(steps[i].amount, open);
                stored.save(lean, false);
            } else if (act == 1 || act == 5) {
                Own memory own = stored.load(true);
                own.touch(open);
                uint256 amount = steps[i].amount % (own.countsNext() + 1);
                if (act == 1) own.exit(amount, open);
                else own.take(amount % 2 == 0);
                if (act == 1) whole.exit(amount, open);
                else whole.take(amount % 2 == 0);
                stored.save(own, true);
            } else if (act == 2) {
                uint256 cut = Math.min(steps[i].amount, whole.countsNow());
                lean.slash(cut);
                whole.slash(cut);
                stored.save(lean, false);
            }
            Own memory now_ = stored.load(true);
            now_.touch(open);
            whole.hasExit = now_.hasExit;
            vm.assertEq(keccak256(abi.encode(now_)), keccak256(abi.encode(whole)), "account");
        }
    }
}
