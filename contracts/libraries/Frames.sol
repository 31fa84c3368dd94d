// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Role} from "../interfaces/IStaking.sol";
import {Roles, Terms} from "../interfaces/ITaskRegistry.sol";
import {Durations} from "./Phases.sol";

/// @notice What acts need of the task's terms, kept in one slot when a round opens.
struct Frame {
    uint88 seatStake;
    uint24 propose;
    uint24 publish;
    uint24 ballot;
    uint24 reveal;
    uint24 grace;
    uint8 expectedTrainers;
    uint8 expectedVoters;
    uint8 maxLeverage;
    Roles roles;
}

/// @title The frame of a round
library Frames {
    /// @notice Keeps what acts need of `terms`.
    function keep(Frame storage self, Terms memory terms) internal {
        (self.seatStake, self.propose, self.publish) = (terms.seatStake, terms.propose, terms.publish);
        (self.ballot, self.reveal, self.grace) = (terms.ballot, terms.reveal, terms.grace);
        (self.expectedTrainers, self.expectedVoters) = (terms.expectedTrainers, terms.expectedVoters);
        (self.maxLeverage, self.roles) = (terms.maxLeverage, terms.roles);
    }

    /// @notice How long the phases last.
    function lengths(Frame storage self) internal view returns (Durations memory) {
        return
            Durations({
                propose: self.propose,
                publish: self.publish,
                ballot: self.ballot,
                reveal: self.reveal,
                grace: self.grace
            });
    }

    /// @notice The pool that holds those who may get `role`.
    function poolOf(Frame storage self, Role role) internal view returns (Role) {
        return self.roles == Roles.Drawn ? Role.Drawn : role;
    }

    /// @notice The seats that the pool of `role` fills on average.
    function expected(Frame storage self, Role role) internal view returns (uint256) {
        if (self.roles == Roles.Drawn) return uint256(self.expectedTrainers) + self.expectedVoters;
        return role == Role.Trainer ? self.expectedTrainers : self.expectedVoters;
    }
}
