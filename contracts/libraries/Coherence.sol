// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Verdict} from "../interfaces/IRewardDistributor.sol";
import {Terms} from "../interfaces/ITaskRegistry.sol";
import {BANK, BPS, MAX_HALVINGS} from "./Constants.sol";
import {Lanes} from "./Lanes.sol";
import {Outcome, Panel, Tally} from "./Tally.sol";

/// @title How well each voter told the proposals apart
/// @notice A voter is paid for scores near their own proposal's median that are not as near to the next one's, so one
/// score for all earns exactly nothing. It is at fault where its vote counted for the losing side of a decided proposal
/// and lies far from the median.
library Coherence {
    /// @dev Bars of the windows, by bank: a score hits if it is at least `low` and below `high`. Both 0: never.
    struct Windows {
        uint256[2] low;
        uint256[2] high;
        uint256[2] nextLow; // of the next quorate slot around the circle
        uint256[2] nextHigh;
    }

    /// @dev Bars of dissent, by bank: a judging score dissents if it is below `low` or at least `high`.
    struct Limits {
        uint256[2] low; // 2 where the proposal was not accepted: nothing that judges lies below it
        uint256[2] high; // 65536 where it was not rejected: everything lies below it
        uint256[2] decided; // 1 where it was
    }

    int256 private constant LOWEST = -32_766;
    int256 private constant HIGHEST = 32_767;
    int256 private constant BIAS = 32_768;

    /// @notice The points of every voter: hits of its own windows less hits of the next ones, at least 0. If nobody has a
    /// point the windows are halved, up to three times.
    function points(
        Panel memory panel,
        Outcome memory outcome,
        Terms memory terms
    ) internal pure returns (uint256[] memory earned) {
        uint256[] memory slots = _quorate(outcome);
        bool any = slots.length == 0;
        earned = new uint256[](panel.weights.length);
        for (uint256 halvings = 0; halvings <= MAX_HALVINGS && !any; ++halvings) {
            Windows memory windows = _windows(slots, outcome, terms, halvings);
            uint256[] memory own = _hits(panel, windows.low, windows.high);
            uint256[] memory other = _hits(panel, windows.nextLow, windows.nextHigh);
            for (uint256 v = 0; v < earned.length; ++v) {
                if (own[v] <= other[v]) continue;
                (earned[v], any) = (own[v] - other[v], true);
            }
        }
    }

    /// @notice On how many decided proposals each voter dissented, and on how many it was silent (ABSTAIN or MISSING).
    /// @return dissents By voter.
    /// @return silences By voter; those who did not reveal are silent on all.
    /// @return decided How many proposals were accepted or rejected.
    function faults(
        Panel memory panel,
        Outcome memory outcome,
        Terms memory terms
    ) internal pure returns (uint256[] memory dissents, uint256[] memory silences, uint256 decided) {
        dissents = new uint256[](panel.weights.length);
        silences = new uint256[](panel.weights.length);
        Limits memory limits = _limits(outcome, terms);
        decided = Lanes.sum(limits.decided[0]) + Lanes.sum(limits.decided[1]);
        for (uint256 bank = 0; bank * BANK < outcome.published; ++bank) {
            uint256[] memory scores = panel.scores[bank];
            for (uint256 v = 0; v < scores.length; ++v) {
                uint256 silent = Lanes.lessThan(scores[v], Lanes.fill(Tally.SPECIAL));
                uint256 tooLow = Lanes.lessThan(scores[v], limits.low[bank]) - silent;
                uint256 tooHigh = Lanes.ONES - Lanes.lessThan(scores[v], limits.high[bank]);
                dissents[v] += Lanes.sum(tooLow + tooHigh);
                silences[v] += Lanes.sum(silent & limits.decided[bank]);
            }
        }
    }

    function _quorate(Outcome memory outcome) private pure returns (uint256[] memory slots) {
        uint256 count;
        slots = new uint256[](outcome.published);
        for (uint256 slot = 0; slot < outcome.published; ++slot) if (outcome.quorate[slot]) slots[count++] = slot;
        assembly ("memory-safe") {
            mstore(slots, count) // shortens the list to what was found
        }
    }

    function _windows(
        uint256[] memory slots,
        Outcome memory outcome,
        Terms memory terms,
        uint256 halvings
    ) private pure returns (Windows memory windows) {
        for (uint256 j = 0; j < slots.length; ++j) {
            // The neighbour of a single quorate proposal is the head itself, whose median is 0.
            int256 other = slots.length == 1 ? int256(0) : outcome.medians[slots[(j + 1) % slots.length]];
            (uint256 bank, uint256 k) = (slots[j] / BANK, slots[j] % BANK);

            (uint256 low, uint256 high) = _around(outcome.medians[slots[j]], terms.band, terms, halvings);
            windows.low[bank] |= Lanes.put(low, k);
            windows.high[bank] |= Lanes.put(high, k);
            (low, high) = _around(other, terms.band, terms, halvings);
            windows.nextLow[bank] |= Lanes.put(low, k);
            windows.nextHigh[bank] |= Lanes.put(high, k);
        }
    }

    function _limits(Outcome memory outcome, Terms memory terms) private pure returns (Limits memory limits) {
        limits.low = [Lanes.fill(Tally.SPECIAL), Lanes.fill(Tally.SPECIAL)];
        limits.high = [Lanes.fill(1 << 16), Lanes.fill(1 << 16)];
        for (uint256 slot = 0; slot < outcome.published; ++slot) {
            Verdict verdict = outcome.verdicts[slot];
            if (verdict != Verdict.Accepted && verdict != Verdict.Rejected) continue;

            (uint256 bank, uint256 k) = (slot / BANK, slot % BANK);
            (uint256 low, uint256 high) = _around(outcome.medians[slot], terms.dissentBand, terms, 0);
            if (verdict == Verdict.Accepted) {
                low = Math.min(low, _biased(-int256(uint256(terms.band))));
                limits.low[bank] += Lanes.put(low - Tally.SPECIAL, k);
            } else {
                high = Math.max(high, _biased(int256(uint256(terms.minGain))) + 1);
                limits.high[bank] -= Lanes.put((1 << 16) - high, k);
            }
            limits.decided[bank] |= Lanes.put(1, k);
        }
    }

    /// @dev The bars of the window around a median: saturated at the range of scores, never wrapped.
    function _around(
        int256 median,
        uint256 base,
        Terms memory terms,
        uint256 halvings
    ) private pure returns (uint256 low, uint256 high) {
        uint256 size = uint256(median < 0 ? -median : median);
        int256 width = int256((base + (size * terms.toleranceBps) / BPS) >> halvings);
        int256 lowest = median - width < LOWEST ? LOWEST : median - width;
        int256 highest = median + width > HIGHEST ? HIGHEST : median + width;
        return (_biased(lowest), _biased(highest) + 1);
    }

    function _hits(
        Panel memory panel,
        uint256[2] memory low,
        uint256[2] memory high
    ) private pure returns (uint256[] memory hits) {
        hits = new uint256[](panel.weights.length);
        for (uint256 bank = 0; bank * BANK < panel.published; ++bank) {
            uint256[] memory scores = panel.scores[bank];
            (uint256 from, uint256 to) = (low[bank], high[bank]);
            for (uint256 v = 0; v < hits.length; ++v) {
                hits[v] += Lanes.sum(Lanes.lessThan(scores[v], to) - Lanes.lessThan(scores[v], from));
            }
        }
    }

    function _biased(int256 score) private pure returns (uint256) {
        return uint256(score + BIAS);
    }
}
