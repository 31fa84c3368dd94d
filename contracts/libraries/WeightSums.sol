// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Role} from "../interfaces/IStaking.sol";
import {NO_ROUND, RoundId} from "../types/RoundId.sol";

/// @notice The weights of one task's pools: sums for the next round, and those of the newest, fixed when it opened.
struct Pools {
    uint96 trainers; // or, with drawn roles, everybody
    uint96 voters;
    RoundId round;
    bool open;
    bool drawn; // whether the one pool of drawn roles ever had weight
    bool isBound; // whether an act of this task found the vault bound
    uint96 latchedTrainers;
    uint96 latchedVoters;
    uint40 lastDeadline;
}

/// @notice The first slot of them while acts work on it.
struct Sums {
    uint256 trainers;
    uint256 voters;
    RoundId round;
    bool open;
    bool drawn;
    bool isBound;
}

/// @title The sums of the weights
library WeightSums {
    /// @notice The open round, or NO_ROUND.
    function openRound(Pools storage self) internal view returns (RoundId) {
        return self.open ? self.round : NO_ROUND;
    }

    /// @notice Fixes the sums for `round`, which opens, and returns them.
    function latch(
        Pools storage self,
        RoundId round,
        uint40 lastDeadline
    ) internal returns (uint96 trainers, uint96 voters) {
        (trainers, voters) = next(self);
        (self.round, self.open) = (round, true);
        (self.latchedTrainers, self.latchedVoters, self.lastDeadline) = (trainers, voters, lastDeadline);
    }

    /// @notice The sums for the next round. With drawn roles both are the one pool's.
    function next(Pools storage self) internal view returns (uint96 trainers, uint96 voters) {
        trainers = self.trainers;
        voters = self.drawn ? trainers : self.voters;
    }

    /// @notice The sums, for acts that move them.
    function load(Pools storage self) internal view returns (Sums memory sums) {
        (sums.trainers, sums.voters, sums.round) = (self.trainers, self.voters, self.round);
        (sums.open, sums.drawn, sums.isBound) = (self.open, self.drawn, self.isBound);
    }

    /// @notice Keeps what `load` gave, and what became of it.
    /// @dev The sums fit: none exceeds what the vault holds. One write, where the compiler makes one a field.
    function save(Pools storage self, Sums memory sums) internal {
        uint256 word = sums.trainers | (sums.voters << 96) | (uint256(RoundId.unwrap(sums.round)) << 192);
        word |= (sums.open ? 1 << 224 : 0) | (sums.drawn ? 1 << 232 : 0) | (sums.isBound ? 1 << 240 : 0);
        assembly ("memory-safe") {
            sstore(self.slot, word)
        }
    }

    /// @notice The open round, or NO_ROUND.
    function openRound(Sums memory sums) internal pure returns (RoundId) {
        return sums.open ? sums.round : NO_ROUND;
    }

    /// @notice Moves the sums when the next weight of an operator in `role` goes from `before` to `afterwards`.
    function move(Sums memory sums, Role role, uint256 before, uint256 afterwards) internal pure {
        if (role == Role.Validator) {
            sums.voters = sums.voters + afterwards - before;
            return;
        }
        sums.trainers = sums.trainers + afterwards - before;
        if (role == Role.Drawn) sums.drawn = true;
    }
}
