// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Terms} from "../interfaces/ITaskRegistry.sol";
import {Durations} from "./Phases.sol";

/// @notice What acts need of the task's terms, kept in one slot when a round opens.
struct Frame {
    uint96 seatStake;
    uint24 propose;
    uint24 publish;
    uint24 ballot;
    uint24 reveal;
    uint24 grace;
    uint8 expectedTrainers;
    uint8 expectedVoters;
}

/// @title The frame of a round
library Frames {
    /// @notice Keeps what acts need of `terms`.
    function keep(Frame storage self, Terms memory terms) internal {
        (self.seatStake, self.propose, self.publish) = (terms.seatStake, terms.propose, terms.publish);
        (self.ballot, self.reveal, self.grace) = (terms.ballot, terms.reveal, terms.grace);
        (self.expectedTrainers, self.expectedVoters) = (terms.expectedTrainers, terms.expectedVoters);
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
}
