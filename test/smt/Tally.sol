// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Tally} from "../../contracts/libraries/Tally.sol";

/// @notice A quorum is more than half of the expected seats.
contract QuorumIsMoreThanHalf {
    function prove(Terms memory terms) external pure {
        require(terms.expectedVoters <= 40);
        assert(2 * Tally.quorum(terms) > terms.expectedVoters);
    }
}

/// @notice A quorum is at most the expected seats.
contract QuorumIsWithinTheExpected {
    function prove(Terms memory terms) external pure {
        require(terms.expectedVoters >= 1 && terms.expectedVoters <= 40);
        assert(Tally.quorum(terms) <= terms.expectedVoters);
    }
}
