// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Terms} from "../interfaces/ITaskRegistry.sol";
import {Votes} from "../interfaces/IValidatorVoting.sol";
import {Verdict} from "../interfaces/IRewardDistributor.sol";
import {BANK, BPS} from "./Constants.sol";
import {Lanes} from "./Lanes.sol";
import {Lists} from "./Lists.sol";
import {Vote} from "../types/Vote.sol";

/// @notice The revealed ballots of a round, turned into lanes.
struct Panel {
    uint256 published; // proposals that were voted on
    uint256 seats; // sum of the weights
    uint256[] weights; // seats of each voter, 0 if it did not reveal
    uint256[][2] scores; // biased scores of each voter in lanes: slots 0 to 7, slots 8 to 15
}

/// @notice What a round decided, by slot.
struct Outcome {
    uint256 published; // slots that were voted on, 0 if nothing is decided
    int256[16] medians; // 0 where not quorate
    bool[16] quorate;
    Verdict[16] verdicts;
}

/// @title Lower medians and verdicts
/// @notice Medians of eight proposals are searched at once, bit by bit, so the cost does not depend on the scores.
library Tally {
    using Lists for uint256[];
    using Lists for Vote[];

    int256 private constant BIAS = 32_768;

    /// @dev Biased scores below it are ABSTAIN or MISSING.
    uint256 internal constant SPECIAL = 2;

    /// @dev Seats by lane.
    struct Counts {
        uint256 abstained;
        uint256 special; // abstained or missing
        uint256 against; // special, or scored below -band
        uint256 notFor; // special, or scored at most minGain
        uint256 medians; // biased
    }

    /// @notice The least number of seats that decides anything.
    function quorum(Terms memory terms) internal pure returns (uint256) {
        return terms.expectedVoters / 2 + 1;
    }

    /// @notice Turns votes into lanes.
    function panel(Votes memory votes, uint256 published) internal pure returns (Panel memory p) {
        uint256[] memory weights = new uint256[](votes.voters.length);
        uint256 seats;
        for (uint256 v = 0; v < weights.length; ++v) {
            uint256 weight = votes.voters.get(v).weightOf();
            weights.set(v, weight);
            seats += weight;
        }
        (p.published, p.weights, p.seats) = (published, weights, seats);
        for (uint256 bank = 0; bank * BANK < published; ++bank) {
            uint256[] memory scores = new uint256[](weights.length);
            for (uint256 v = 0; v < scores.length; ++v) {
                if (weights.get(v) != 0) scores.set(v, Lanes.spread(votes.scores[v], bank));
            }
            p.scores[bank] = scores;
        }
    }

    /// @notice Decides every published proposal by itself.
    function decide(Panel memory p, Terms memory terms) internal pure returns (Outcome memory outcome) {
        outcome.published = p.published;
        for (uint256 bank = 0; bank * BANK < p.published; ++bank) {
            Counts memory counts = _count(p.scores[bank], p.weights, p.seats, terms);
            for (uint256 k = 0; k < BANK && bank * BANK + k < p.published; ++k) {
                _judge(outcome, bank * BANK + k, counts, p.seats, terms);
            }
        }
    }

    /// @notice The head digest that `acceptBps` of the seats naming one agree on, if those seats are a quorum; else 0.
    /// @dev `acceptBps` is more than one half, so a single pass keeps the only candidate there can be.
    function headReference(Votes memory votes, Terms memory terms) internal pure returns (bytes20 candidate) {
        Vote[] memory voters = votes.voters;
        uint256 named;
        uint256 lead;
        for (uint256 v = 0; v < voters.length; ++v) {
            (bytes20 head, uint256 weight) = (voters.get(v).headOf(), voters.get(v).seatsOf());
            if (head == 0) continue;
            named += weight;
            if (head == candidate) lead += weight;
            else if (lead >= weight) lead -= weight;
            else (candidate, lead) = (head, weight - lead);
        }
        if (candidate == 0 || named < quorum(terms)) return 0;

        uint256 agreed;
        for (uint256 v = 0; v < voters.length; ++v) {
            if (voters.get(v).headOf() == candidate) agreed += voters.get(v).seatsOf();
        }
        if (agreed * BPS < terms.acceptBps * named) return 0;
    }

    function _count(
        uint256[] memory scores,
        uint256[] memory weights,
        uint256 seats,
        Terms memory terms
    ) private pure returns (Counts memory counts) {
        counts.abstained = Lanes.weightBelow(scores, weights, Lanes.fill(1));
        counts.special = Lanes.weightBelow(scores, weights, Lanes.fill(SPECIAL));
        counts.against = Lanes.weightBelow(scores, weights, Lanes.fill(32_768 - uint256(terms.band)));
        counts.notFor = Lanes.weightBelow(scores, weights, Lanes.fill(32_769 + uint256(terms.minGain)));

        // The largest m with less than half of the judging seats below it: their lower median.
        unchecked {
            uint256 half = ((Lanes.fill(seats + 1) - counts.special) >> 1) & Lanes.fill(0xFFFF);
            uint256 need = half + counts.special;
            for (uint256 bit = 1 << 15; bit != 0; bit >>= 1) {
                uint256 below = Lanes.weightBelow(scores, weights, counts.medians + Lanes.fill(bit));
                counts.medians += Lanes.lessThan(below, need) * bit;
            }
        }
    }

    function _judge(
        Outcome memory outcome,
        uint256 slot,
        Counts memory counts,
        uint256 seats,
        Terms memory terms
    ) private pure {
        unchecked {
            uint256 k = slot % BANK;
            uint256 special = Lanes.get(counts.special, k);
            uint256 missing = special - Lanes.get(counts.abstained, k);
            if (missing * BPS >= terms.acceptBps * seats) {
                outcome.verdicts[slot] = Verdict.Missing;
                return;
            }
            if (seats - special < quorum(terms)) return;

            int256 median = int256(Lanes.get(counts.medians, k)) - BIAS;
            outcome.quorate[slot] = true;
            outcome.medians[slot] = median;

            uint256 inFavour = seats - Lanes.get(counts.notFor, k);
            uint256 against = Lanes.get(counts.against, k) - special;
            uint256 needed = terms.acceptBps * (inFavour + against);
            if (median > int256(uint256(terms.minGain)) && inFavour * BPS >= needed) {
                outcome.verdicts[slot] = Verdict.Accepted;
            } else if (median < -int256(uint256(terms.band)) && against * BPS >= needed) {
                outcome.verdicts[slot] = Verdict.Rejected;
            }
        }
    }

    /// @notice Medians packed as a ballot: 16 lanes of 16 bits.
    function packMedians(Outcome memory outcome) internal pure returns (uint256 word) {
        for (uint256 slot = 0; slot < outcome.published; ++slot) {
            word |= uint256(uint16(int16(outcome.medians[slot]))) << (16 * slot);
        }
    }

    /// @notice Verdicts packed, 4 bits a slot.
    function packVerdicts(Outcome memory outcome) internal pure returns (uint256 word) {
        for (uint256 slot = 0; slot < outcome.published; ++slot) word |= uint256(outcome.verdicts[slot]) << (4 * slot);
    }
}
