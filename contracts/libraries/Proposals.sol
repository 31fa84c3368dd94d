// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds} from "../interfaces/IRounds.sol";
import {RoundId} from "../types/RoundId.sol";

/// @notice The newest proposal of an operator: it belongs to the round it names and to no other.
struct Proposal {
    RoundId round;
    uint16 seats;
    uint8 slot;
    bool published;
    bytes32 word; // the commitment, then the artifact's digest
}

/// @title The proposals of a round, by operator
library Proposals {
    /// @notice Keeps a sealed proposal.
    function put(Proposal storage self, RoundId round, uint16 seats, bytes32 commitment) internal {
        (self.round, self.seats, self.slot, self.published) = (round, seats, 0, false);
        self.word = commitment;
    }

    /// @notice Seats of all proposers and artifacts of the published ones. Reverts unless `operators` are exactly the
    /// proposers of `round`: published ones in slot order, then the others by ascending address.
    /// @param count How many were sealed.
    /// @param published How many of them were published.
    function list(
        mapping(address operator => Proposal proposal) storage self,
        address[] calldata operators,
        RoundId round,
        uint256 count,
        uint256 published
    ) internal view returns (uint256[] memory seats, bytes32[] memory artifacts) {
        require(operators.length == count, IRounds.WrongCount(operators.length, count));

        seats = new uint256[](count);
        artifacts = new bytes32[](published);
        for (uint256 i = 0; i < count; ++i) {
            Proposal storage one = self[operators[i]];
            bool inOrder =
                i < published
                    ? one.published && one.slot == i
                    : !one.published && (i == published || operators[i] > operators[i - 1]);
            require(one.round == round && inOrder, IRounds.WrongOrder(i));
            seats[i] = one.seats;
            if (i < published) artifacts[i] = one.word;
        }
    }
}
