// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {Lot, Sortition} from "../../../contracts/libraries/Sortition.sol";
import {RoundId} from "../../../contracts/types/RoundId.sol";
import {TaskId} from "../../../contracts/types/TaskId.sol";
import {vm} from "../support/Vm.sol";

contract SortitionTest {
    using Sortition for Lot;

    /// @dev The share of the seats, rounded down or up; never more than all of them.
    function test_seats_areTheShareRoundedByLuck_fuzz(
        uint256 u,
        uint8 e,
        uint96 w,
        uint96 others,
        uint96 unit
    ) public pure {
        vm.assume(e != 0 && unit != 0);
        Lot memory lot = _lot(e, w, uint256(w) + others, unit);
        uint256 total = uint256(w) + others;
        uint256 d = total > uint256(e) * unit ? total : uint256(e) * unit;
        vm.assertEq(lot.divisor, d, "divisor");
        uint256 seats = lot.seats(u);
        uint256 floor = (uint256(e) * w) / d;
        bool isWhole = (uint256(e) * w) % d == 0;
        vm.assertLe(floor, seats, "at least the floor");
        vm.assertLe(seats, isWhole ? floor : floor + 1, "at most one more");
        vm.assertLe(seats, e, "at most all");
    }

    /// @dev Over all luck the expectation is exact: expected * weight / d.
    function test_seats_expectationIsExact_fuzz(uint8 e, uint8 w, uint8 others) public pure {
        vm.assume(e != 0 && w != 0);
        Lot memory lot = _lot(e, w, uint256(w) + others, 1);
        uint256 sum;
        for (uint256 u = 0; u < lot.divisor; ++u) sum += lot.seats(u);
        vm.assertEq(sum, uint256(e) * w, "sum over one period of luck");
    }

    function test_seats_areNoneWithoutWeightOrPool() public pure {
        vm.assertEq(_lot(6, 0, 100, 1).seats(type(uint256).max), 0, "no weight");
        vm.assertEq(_lot(6, 0, 0, 0).seats(7), 0, "no pool");
    }

    /// @dev Over all luck of one period of roles every role and every remainder meet equally often: each role has exactly
    /// its part, whatever the seats.
    function test_roleOf_isExactAndIndependentOfSeats_fuzz(uint8 eT, uint8 eV, uint8 w, uint8 others) public pure {
        (uint256 t, uint256 v) = (1 + (uint256(eT) % 4), 1 + (uint256(eV) % 6));
        vm.assume(w != 0);
        Lot memory lot = _lot(t + v, w % 32, uint256(w % 32) + (others % 32), 1);
        uint256 trainerSeats;
        uint256 allSeats;
        for (uint256 u = 0; u < lot.divisor * lot.expected; ++u) {
            uint256 seats = lot.seats(u);
            allSeats += seats;
            if (lot.roleOf(u, t) == Role.Trainer) trainerSeats += seats;
        }
        vm.assertEq(allSeats, lot.expected * lot.expected * lot.weight, "all seats");
        vm.assertEq(trainerSeats * (t + v), allSeats * t, "the trainers' part, exactly");
    }

    /// @dev Every part of the luck's domain matters.
    function test_luck_dependsOnEverything() public pure {
        bytes32 seed = "seed";
        address self = address(1);
        address op = address(2);
        uint256 u = _luck(seed, self, 1, 1, Role.Trainer, op);
        vm.assertEq(u, uint256(keccak256(abi.encode(seed, self, uint64(1), uint32(1), uint8(0), op))), "formula");
        vm.assertTrue(u != _luck("s", self, 1, 1, Role.Trainer, op), "seed");
        vm.assertTrue(u != _luck(seed, op, 1, 1, Role.Trainer, op), "contract");
        vm.assertTrue(u != _luck(seed, self, 2, 1, Role.Trainer, op), "task");
        vm.assertTrue(u != _luck(seed, self, 1, 2, Role.Trainer, op), "round");
        vm.assertTrue(u != _luck(seed, self, 1, 1, Role.Validator, op), "role");
        vm.assertTrue(u != _luck(seed, self, 1, 1, Role.Trainer, self), "operator");
    }

    function test_fold_doesNotDependOnOrder_fuzz(bytes32 s, bytes32 t, address a, address b) public pure {
        bytes32 ab = Sortition.fold(Sortition.fold(0, s, a), t, b);
        bytes32 ba = Sortition.fold(Sortition.fold(0, t, b), s, a);
        vm.assertEq(ab, ba, "order");
    }

    function test_voterSeed_isTheFormula_fuzz(bytes32 seed, bytes32 accumulator, bytes32 value) public pure {
        bytes32 mixed = accumulator ^ keccak256(bytes.concat(value));
        vm.assertEq(Sortition.mix(accumulator, value), mixed, "mix");
        bytes32 expected = keccak256(bytes.concat(seed, mixed));
        vm.assertEq(Sortition.voterSeed(seed, mixed), expected, "formula");
    }

    /// @dev The value may be mixed in before the last publication.
    function test_mix_doesNotDependOnOrder_fuzz(bytes32 salt, address operator, bytes32 value) public pure {
        bytes32 early = Sortition.fold(Sortition.mix(0, value), salt, operator);
        bytes32 late = Sortition.mix(Sortition.fold(0, salt, operator), value);
        vm.assertEq(early, late, "order");
    }

    function _lot(uint256 e, uint256 w, uint256 total, uint256 unit) private pure returns (Lot memory lot) {
        (lot.expected, lot.weight) = (e, w);
        lot.divisor = Sortition.divisorOf(total, e, unit);
    }

    function _luck(
        bytes32 seed,
        address rounds,
        uint64 task,
        uint32 round,
        Role pool,
        address operator
    ) private pure returns (uint256) {
        Lot memory lot = Lot(TaskId.wrap(task), RoundId.wrap(round), pool, operator, 0, 0, 0);
        return lot.luck(seed, rounds);
    }
}
