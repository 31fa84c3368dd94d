// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Lot, Sortition} from "../../contracts/libraries/Sortition.sol";

/// @dev Lots as rounds make them.
abstract contract Lots {
    function requireBounds(Lot memory lot) internal pure {
        require(lot.expected >= 1 && lot.expected <= 48 && lot.divisor != 0);
        require(lot.weight <= lot.divisor && lot.divisor <= type(uint96).max);
    }
}

/// @notice Without weight there are no seats, whatever the luck.
contract NoWeightHasNoSeats {
    function prove(Lot memory lot, uint256 u) external pure {
        lot.weight = 0;
        assert(Sortition.seats(lot, u) == 0);
    }
}

/// @notice Nobody gets more seats than the pool fills on average.
contract SeatsAreAtMostExpected is Lots {
    function prove(Lot memory lot, uint256 u) external pure {
        requireBounds(lot);
        assert(Sortition.seats(lot, u) <= lot.expected);
    }
}

/// @notice The divisor is at least the sum of the weights and at least a full pool.
contract DivisorIsAtLeastTheTotal {
    function prove(uint96 total, uint8 expected, uint88 seatStake) external pure {
        uint256 divisor = Sortition.divisorOf(total, expected, seatStake);
        assert(divisor >= total && divisor >= uint256(expected) * seatStake);
    }
}
