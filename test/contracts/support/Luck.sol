// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Lot, Sortition} from "../../../contracts/libraries/Sortition.sol";
import {Base, Role, RoundId} from "./Base.sol";

/// @notice Full rounds: more operators with seats than a round can hold, found by trying addresses with the seed that the
/// test itself will set.
abstract contract Luck is Base {
    using Sortition for Lot;

    /// @dev The first `count` addresses that get a seat in round 1 of `task` if exactly they stake one unit each.
    function luckyOperators(Role role, uint256 count, uint256 expected) internal view returns (address[] memory) {
        return luckyOperators(role, count, expected, SEED, UNIT);
    }

    /// @dev The same under another seed, if each has this weight.
    function luckyOperators(
        Role role,
        uint256 count,
        uint256 expected,
        bytes32 seed,
        uint256 weight
    ) internal view returns (address[] memory lucky) {
        lucky = new address[](count);
        uint256 found = 0;
        for (uint160 i = 1; found < count; ++i) {
            address one = address((uint160(role) + 1) * 0x100000 + i);
            Lot memory lot = Lot(task, RoundId.wrap(1), role, one, expected, weight, 0);
            lot.divisor = Sortition.divisorOf(count * weight, expected, UNIT);
            if (lot.seats(lot.luck(seed, address(rounds))) != 0) lucky[found++] = one;
        }
    }

    function stakeAll(address[] memory operators, Role role) internal {
        for (uint256 i = 0; i < operators.length; ++i) stake(operators[i], role, UNIT);
    }
}
