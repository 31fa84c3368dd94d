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

/// @notice The sums for the next round while acts work on them.
struct Sums {
    uint256 trainers;
    uint256 voters;
    bool drawn;
}

/// @title The sums of the weights
library WeightSums {
    /// @notice The open round, or NO_ROUND.
    function openRound(Pools storage self) internal view returns (RoundId) {
        return self.open ? self.round : NO_ROUND;
    }

    /// @notice Fixes the sums for `round`, which opens.
    function latch(Pools storage self, RoundId round, uint40 lastDeadline) internal {
        (self.round, self.open) = (round, true);
        (self.latchedTrainers, self.latchedVoters) = next(self);
        self.lastDeadline = lastDeadline;
    }

    /// @notice The sums for the next round. With drawn roles both are the one pool's.
    function next(Pools storage self) internal view returns (uint96 trainers, uint96 voters) {
        trainers = self.trainers;
        voters = self.drawn ? trainers : self.voters;
    }

    /// @notice The sums, for acts that move them.
    function load(Pools storage self) internal view returns (Sums memory) {
        return Sums(self.trainers, self.voters, self.drawn);
    }

    /// @notice Keeps what `load` gave, and what became of it.
    /// @dev No overflow: no sum exceeds what the vault holds, and that fits.
    function save(Pools storage self, Sums memory sums) internal {
        (self.trainers, self.voters, self.drawn) = (uint96(sums.trainers), uint96(sums.voters), sums.drawn);
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

    /// @notice The same for a single act.
    function move(Pools storage self, Role role, uint256 before, uint256 afterwards) internal {
        if (before == afterwards) return;
        Sums memory sums = load(self);
        move(sums, role, before, afterwards);
        save(self, sums);
    }
}
