// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {Sortition} from "../../../contracts/libraries/Sortition.sol";
import {RoundId} from "../../../contracts/types/RoundId.sol";
import {TaskId} from "../../../contracts/types/TaskId.sol";
import {vm} from "../support/Vm.sol";

contract SortitionTest {
    /// @dev The share of the seats, rounded down or up; never more than all of them.
    function test_seats_areTheShareRoundedByLuck_fuzz(
        uint256 u,
        uint8 e,
        uint96 w,
        uint96 others,
        uint96 unit
    ) public pure {
        vm.assume(e != 0 && unit != 0);
        uint256 total = uint256(w) + others;
        uint256 d = total > uint256(e) * unit ? total : uint256(e) * unit;
        uint256 seats = Sortition.seats(u, e, w, total, unit);
        uint256 floor = (uint256(e) * w) / d;
        bool isWhole = (uint256(e) * w) % d == 0;
        vm.assertLe(floor, seats, "at least the floor");
        vm.assertLe(seats, isWhole ? floor : floor + 1, "at most one more");
        vm.assertLe(seats, e, "at most all");
    }

    /// @dev Over all luck the expectation is exact: expected * weight / d.
    function test_seats_expectationIsExact_fuzz(uint8 e, uint8 w, uint8 others) public pure {
        vm.assume(e != 0 && w != 0);
        uint256 total = uint256(w) + others;
        uint256 d = total > e ? total : e;
        uint256 sum;
        for (uint256 u = 0; u < d; ++u) sum += Sortition.seats(u, e, w, total, 1);
        vm.assertEq(sum, uint256(e) * w, "sum over one period of luck");
    }

    function test_seats_areNoneWithoutWeightOrPool() public pure {
        vm.assertEq(Sortition.seats(type(uint256).max, 6, 0, 100, 1), 0, "no weight");
        vm.assertEq(Sortition.seats(7, 6, 0, 0, 0), 0, "no pool");
    }

    /// @dev Every part of the luck's domain matters.
    function test_luck_dependsOnEverything() public pure {
        bytes32 seed = "seed";
        address self = address(1);
        address op = address(2);
        uint256 u = Sortition.luck(seed, self, TaskId.wrap(1), RoundId.wrap(1), Role.Trainer, op);
        vm.assertEq(u, uint256(keccak256(abi.encode(seed, self, uint64(1), uint32(1), uint8(0), op))), "formula");
        vm.assertTrue(u != Sortition.luck("s", self, TaskId.wrap(1), RoundId.wrap(1), Role.Trainer, op), "seed");
        vm.assertTrue(u != Sortition.luck(seed, op, TaskId.wrap(1), RoundId.wrap(1), Role.Trainer, op), "contract");
        vm.assertTrue(u != Sortition.luck(seed, self, TaskId.wrap(2), RoundId.wrap(1), Role.Trainer, op), "task");
        vm.assertTrue(u != Sortition.luck(seed, self, TaskId.wrap(1), RoundId.wrap(2), Role.Trainer, op), "round");
        vm.assertTrue(u != Sortition.luck(seed, self, TaskId.wrap(1), RoundId.wrap(1), Role.Validator, op), "role");
        vm.assertTrue(u != Sortition.luck(seed, self, TaskId.wrap(1), RoundId.wrap(1), Role.Trainer, self), "operator");
    }

    function test_fold_doesNotDependOnOrder_fuzz(bytes32 s, bytes32 t, address a, address b) public pure {
        bytes32 ab = Sortition.fold(Sortition.fold(0, s, a), t, b);
        bytes32 ba = Sortition.fold(Sortition.fold(0, t, b), s, a);
        vm.assertEq(ab, ba, "order");
    }
}
