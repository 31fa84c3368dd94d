// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RoundId} from "../types/RoundId.sol";

/// @notice Who seals for an operator: `signer` from round `from` on, before that `previous`.
struct Signer {
    address signer;
    RoundId from;
    address previous;
}

/// @title Keys that act for an operator
library Signers {
    /// @notice Names `signer` from the round after `newest` on; until then stays who was in effect.
    function set(Signer storage self, address signer, RoundId newest) internal {
        address current = inEffect(self, newest);
        if (self.previous != current) self.previous = current;
        (self.signer, self.from) = (signer, newest.next());
    }

    /// @notice Forgets every key at once.
    function revoke(Signer storage self) internal {
        (self.signer, self.from, self.previous) = (address(0), RoundId.wrap(0), address(0));
    }

    /// @notice Who is in effect in `round`, the newest one; 0 if nobody.
    function inEffect(Signer storage self, RoundId round) internal view returns (address) {
        return RoundId.unwrap(round) >= RoundId.unwrap(self.from) ? self.signer : self.previous;
    }
}
