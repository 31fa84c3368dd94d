// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITaskRegistry, Terms} from "../interfaces/ITaskRegistry.sol";
import {BPS} from "./Constants.sol";

/// @title What terms a task may have
/// @notice Terms are an attack surface: a phase that overflows a deadline, a fault above the stake at risk or a majority
/// below one half would harm those who stake, so nothing outside these bounds is ever stored.
library TermsBounds {
    uint256 private constant LONGEST_PHASE = 30 days;
    uint256 private constant LONGEST_WAIT = 180 days;
    uint256 private constant LARGEST_LEVERAGE = 100;
    uint256 private constant LARGEST_FAULT = 5000;
    uint256 private constant LARGEST_BAND = 16_383;

    /// @notice Reverts with the name of the first term that is out of bounds.
    function check(Terms calldata terms) internal pure {
        _within("seatStake", terms.seatStake, 1, type(uint88).max);
        _within("propose", terms.propose, 1, LONGEST_PHASE);
        _within("publish", terms.publish, 1, LONGEST_PHASE);
        _within("ballot", terms.ballot, 1, LONGEST_PHASE);
        _within("reveal", terms.reveal, 1, LONGEST_PHASE);
        _within("grace", terms.grace, 0, LONGEST_PHASE);
        _within("unbonding", terms.unbonding, _longestRound(terms), LONGEST_WAIT);
        _within("rankRatioBps", terms.rankRatioBps, 1, BPS);
        _within("maxLeverage", terms.maxLeverage, 0, LARGEST_LEVERAGE);
        _within("rounds", terms.rounds, 1, type(uint16).max);
        _within("expectedTrainers", terms.expectedTrainers, 1, 8);
        _within("expectedVoters", terms.expectedVoters, 1, 40);
        _within("maxVoids", terms.maxVoids, 1, type(uint8).max);
        _within("acceptBps", terms.acceptBps, 5001, 9000);
        _within("minGain", terms.minGain, 0, LARGEST_BAND);
        _within("dissentBand", terms.dissentBand, 1, LARGEST_BAND);
        _within("band", terms.band, 1, terms.dissentBand);
        _within("toleranceBps", terms.toleranceBps, 0, BPS);
        _within("rejectBps", terms.rejectBps, 0, LARGEST_FAULT);
        _within("unrevealedBps", terms.unrevealedBps, uint256(terms.dissentBps) + terms.headBps, LARGEST_FAULT);
        _within("absentBps", terms.absentBps, 0, terms.dissentBps);
        _within("voterShareBps", terms.voterShareBps, 1, BPS / 2);
        _within("idleAfter", terms.idleAfter, 1, LONGEST_WAIT);
    }

    function _longestRound(Terms calldata terms) private pure returns (uint256) {
        return uint256(terms.propose) + terms.publish + terms.ballot + terms.reveal + 2 * uint256(terms.grace);
    }

    function _within(bytes32 term, uint256 value, uint256 least, uint256 most) private pure {
        require(value >= least && value <= most, ITaskRegistry.TermOutOfBounds(term));
    }
}
