// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ranking} from "../../../contracts/libraries/Ranking.sol";
import {Outcome} from "../../../contracts/libraries/Tally.sol";
import {vm} from "../support/Vm.sol";

contract RankingTest {
    bytes32 private constant SEED = "seed";

    function weightsOf(
        uint256[] memory seats,
        uint256[] memory factors,
        Outcome memory outcome,
        address[] calldata proposers,
        uint256 ratioBps
    ) external pure returns (uint256[] memory) {
        return Ranking.weightsOf(seats, factors, outcome, proposers, SEED, ratioBps);
    }

    /// @dev Places 1 + 2, then 3: 2^64 * (1 + 0.85), 2^64 * 0.7225, each place floored.
    function test_weightsOf_countPlacesBySeats() public view {
        (uint256[] memory seats, Outcome memory outcome) = _two(1, 55, 2, 105);
        uint256[] memory weights = _weigh(seats, outcome, 8500);
        uint256 first = 1 << 64;
        uint256 second = (first * 8500) / 10_000;
        vm.assertEq(weights[1], first + second, "the better one, two seats");
        vm.assertEq(weights[0], (second * 8500) / 10_000, "the other one");
    }

    function test_weightsOf_ofEqualPlacesAreSeats() public view {
        (uint256[] memory seats, Outcome memory outcome) = _two(3, 55, 2, 105);
        uint256[] memory weights = _weigh(seats, outcome, 10_000);
        vm.assertEq(weights[0], 3 << 64, "three seats");
        vm.assertEq(weights[1], 2 << 64, "two seats");
    }

    function test_weightsOf_leaveOutWhatIsNotAccepted() public view {
        (uint256[] memory seats, Outcome memory outcome) = _two(1, 55, 1, 105);
        uint256[] memory factors = new uint256[](2);
        factors[0] = 1; // the better one was not accepted: only a quarter of its seats was for it
        uint256[] memory weights = this.weightsOf(seats, factors, outcome, _proposers(2), 8500);
        vm.assertEq(weights[0], 1 << 64, "first place");
        vm.assertEq(weights[1], 0, "no place");
    }

    /// @dev Ties go by hash, not by slot, which is a race: with proposers exchanged, weights are exchanged.
    function test_weightsOf_breakTiesByHash() public view {
        (uint256[] memory seats, Outcome memory outcome) = _two(1, 55, 1, 55);
        address[] memory list = _proposers(2);
        uint256[] memory factors = _ones(2);
        uint256[] memory weights = this.weightsOf(seats, factors, outcome, list, 8500);
        bool isFirst = keccak256(abi.encode(SEED, list[0])) < keccak256(abi.encode(SEED, list[1]));
        vm.assertTrue(isFirst ? weights[0] > weights[1] : weights[1] > weights[0], "the lower hash is first");
        (list[0], list[1]) = (list[1], list[0]);
        uint256[] memory other = this.weightsOf(seats, factors, outcome, list, 8500);
        vm.assertEq(other[0], weights[1], "the other slot");
        vm.assertEq(other[1], weights[0], "the one slot");
    }

    /// @dev A place so low that it weighs nothing any more is paid nothing, and nothing breaks.
    function test_weightsOf_mayFallToNothing() public view {
        (uint256[] memory seats, Outcome memory outcome) = _two(40, 105, 1, 55);
        uint256[] memory weights = _weigh(seats, outcome, 1);
        uint256 sum;
        for (uint256 place = 1 << 64; place != 0; place /= 10_000) sum += place;
        vm.assertEq(weights[0], sum, "places");
        vm.assertEq(weights[1], 0, "place 41");
    }

    /// @dev Exactly: k seats in one proposal weigh what k proposals of one seat and the same median weigh in their places,
    /// and everybody else weighs the same.
    function test_weightsOf_areSplitInvariant_fuzz(bytes32 luck, uint16 ratio) public view {
        uint256 ratioBps = 1 + (ratio % 10_000);
        uint256 count = 2 + (uint256(luck) % 4);
        uint256[] memory seats = new uint256[](count);
        Outcome memory outcome;
        for (uint256 i = 0; i < count; ++i) {
            seats[i] = 1 + (uint8(luck[i]) % 4);
            // All medians differ, so that the parts of a split stand next to each other.
            outcome.medians[i] = int256(1 + ((uint256(uint8(luck[8 + i])) * 8) | i));
        }
        uint256 split = uint8(luck[16]) % count;
        uint256[] memory whole = this.weightsOf(seats, _ones(count), outcome, _proposers(count), ratioBps);

        uint256 parts = seats[split];
        uint256[] memory more = new uint256[](count + parts - 1);
        for (uint256 i = 0; i < more.length; ++i) {
            more[i] = i < count ? seats[i] : 1;
            if (i >= count) outcome.medians[i] = outcome.medians[split];
        }
        more[split] = 1;
        uint256[] memory after_ = this.weightsOf(more, _ones(more.length), outcome, _proposers(more.length), ratioBps);
        uint256 sum = after_[split];
        for (uint256 i = count; i < more.length; ++i) sum += after_[i];
        for (uint256 i = 0; i < count; ++i) {
            vm.assertEq(i == split ? sum : after_[i], whole[i], i == split ? "the parts together" : "somebody else");
        }
    }

    /// @dev The better median never weighs less than its seats give in a worse place.
    function test_weightsOf_fallWithTheMedian_fuzz(int16 a, int16 b, uint16 ratio) public view {
        vm.assume(a > 0 && b > 0 && a > b);
        (uint256[] memory seats, Outcome memory outcome) = _two(1, a, 1, b);
        uint256[] memory weights = _weigh(seats, outcome, 1 + (ratio % 10_000));
        vm.assertEq(weights[0], 1 << 64, "first place");
        vm.assertLe(weights[1], weights[0], "second place");
    }

    function _two(
        uint256 seatsA,
        int256 a,
        uint256 seatsB,
        int256 b
    ) private pure returns (uint256[] memory seats, Outcome memory outcome) {
        seats = new uint256[](2);
        (seats[0], seats[1]) = (seatsA, seatsB);
        (outcome.medians[0], outcome.medians[1]) = (a, b);
    }

    function _weigh(
        uint256[] memory seats,
        Outcome memory outcome,
        uint256 ratioBps
    ) private view returns (uint256[] memory) {
        return this.weightsOf(seats, _ones(seats.length), outcome, _proposers(seats.length), ratioBps);
    }

    function _ones(uint256 count) private pure returns (uint256[] memory list) {
        list = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) list[i] = 1;
    }

    function _proposers(uint256 count) private pure returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) list[i] = address(uint160(0x1000 + i));
    }
}
