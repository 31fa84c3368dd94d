// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Lanes} from "../../contracts/libraries/Lanes.sol";

/// @notice One lane is compared as the numbers themselves.
contract OneLaneIsCompared {
    function prove(uint16 a, uint24 b) external pure {
        require(b <= 65536);
        assert(Lanes.lessThan(a, b) == (a < b ? 1 : 0));
    }
}

/// @notice What was put into a lane is got from it.
contract GetGivesWhatWasPut {
    function prove(uint32 value, uint8 k) external pure {
        require(k < 8);
        assert(Lanes.get(Lanes.put(value, k), k) == value);
    }
}
