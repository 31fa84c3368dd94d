// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Payouts} from "../../contracts/libraries/Payouts.sol";

/// @notice A share is at most the whole part.
contract ShareIsAtMostThePart {
    function prove(uint96 part, uint64 weight, uint64 total, uint8 seats, uint8 expected) external pure {
        require(weight <= total && total != 0 && expected != 0);
        assert(Payouts.share(part, weight, total, seats, expected) <= part);
    }
}

/// @notice A share is at most twice the fair one of its seats.
contract ShareIsAtMostTwiceTheFairOne {
    function prove(uint96 part, uint64 weight, uint64 total, uint8 seats, uint8 expected) external pure {
        require(total != 0 && expected != 0);
        assert(Payouts.share(part, weight, total, seats, expected) * expected <= 2 * uint256(part) * seats);
    }
}

/// @notice What costs nothing is no fault.
contract NoBasisPointsAreNoFault {
    function prove(Terms memory terms, uint16 seats) external pure {
        assert(Payouts.faultOf(seats, 0, 1, 1, terms) == 0);
    }
}

/// @notice A fault is rounded up: at least its part of the seats' stake, and less than one wei above it.
contract FaultIsRoundedUp {
    function prove(Terms memory terms, uint8 seats, uint16 bps) external pure {
        require(bps <= 5000);
        uint256 exact = uint256(seats) * terms.seatStake * bps;
        uint256 fault = Payouts.faultOf(seats, bps, 1, 1, terms);
        assert(fault * 10_000 >= exact && fault * 10_000 < exact + 10_000);
    }
}
