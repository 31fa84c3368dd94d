// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Role} from "../interfaces/IStaking.sol";
import {NO_ROUND, RoundId} from "../types/RoundId.sol";
import {StakePool} from "./StakePool.sol";

/// @notice The weights of one task's pools: sums for the next round, and those of the newest, fixed when it opened.
struct Pools {
    uint96 trainers;
    uint96 voters;
    RoundId round;
    bool open;
    uint96 latchedTrainers;
    uint96 latchedVoters;
    uint40 lastDeadline;
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
        (self.latchedTrainers, self.latchedVoters, self.lastDeadline) = (self.trainers, self.voters, lastDeadline);
    }

    /// @notice Keeps the sums for the next round when what counts of one operator goes from `counted` to `counts`.
    /// @dev No overflow: no sum exceeds what the vault holds, and that fits.
    function move(Pools storage self, Role role, uint256 counted, uint256 counts, uint256 seatStake) internal {
        uint256 before = StakePool.weightOf(counted, seatStake);
        uint256 afterwards = StakePool.weightOf(counts, seatStake);
        if (role == Role.Trainer) self.trainers = uint96(self.trainers + afterwards - before);
        else self.voters = uint96(self.voters + afterwards - before);
    }
}
