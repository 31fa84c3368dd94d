// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shares} from "../../contracts/libraries/Shares.sol";

/// @dev Factors that pools can have.
abstract contract Factors {
    function requireFactor(uint256 factor) internal pure {
        require(factor >= Shares.FACTOR_MIN && factor <= Shares.FACTOR_ONE);
    }
}

/// @notice Shares are worth at most what they cost.
contract SharesAreWorthAtMostTheirPrice is Factors {
    function prove(uint96 amount, uint80 factor) external pure {
        requireFactor(factor);
        assert(Shares.valueOf(Shares.sharesFor(amount, factor), factor) <= amount);
    }
}

/// @notice A wei buys at least one share.
contract AWeiBuysAShare is Factors {
    function prove(uint96 amount, uint80 factor) external pure {
        requireFactor(factor);
        assert(Shares.sharesFor(amount, factor) >= amount);
    }
}
