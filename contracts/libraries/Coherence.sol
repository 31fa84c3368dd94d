// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {Verdict} from "../interfaces/IRewardDistributor.sol";
import {Terms} from "../interfaces/ITaskRegistry.sol";
import {BANK, BPS, MAX_HALVINGS} from "./Constants.sol";
import {Lanes} from "./Lanes.sol";
import {Lists} from "./Lists.sol";
import {Outcome, Panel, Tally} from "./Tally.sol";

/// @title How well each voter told the proposals apart
/// @notice A voter is paid for scores near their own proposal's median that are not as near to the next one's, so one
/// score for all earns exactly nothing. It is at fault where its vote counted for the losing side of a decided proposal
/// and lies far from the median.
library Coherence {
    using Lists for uint256[];

    /// @dev Bars of the windows in one bank: a score hits if it is at least `low` and below `high`. Both 0: never.
    struct Windows {
        uint256 low;
        uint256 high;
        uint256 nextLow; // of the next quorate slot around the circle
        uint256 nextHigh;
    }

    /// @notice Bars of dissent, by bank: a judging score dissents if it is below `low` or at least `high`.
    struct Limits {
        uint256[2] low; // 2 where the proposal was not accepted: nothing that judges lies below it
        uint256[2] high; // 65536 where it was not rejected: everything lies below it
        uint256[2] isDecided; // 1 where it was
        uint256 decided; // how many were
    }

    /// @notice On how many decided proposals each voter dissented, and on how many it was silent (ABSTAIN or MISSING). One
    /// that did not reveal is silent on all.
    struct Faults {
        uint256[] dissents;
        uint256[] silences;
        uint256 decided; // proposals
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
            Windows[2] memory windows = _windows(slots, outcome, terms, halvings);
            for (uint256 bank = 0; bank * BANK < panel.published; ++bank) {
                _addHits(earned, panel.scores[bank], windows[bank]);
            }
            for (uint256 v = 0; v < earned.length; ++v) {
                if (int256(earned.get(v)) > 0) any = true;
                else earned.set(v, 0);
            }
        }
    }

    /// @notice What makes a score a fault.
    function limitsOf(Outcome memory outcome, Terms memory terms) internal pure returns (Limits memory limits) {
        limits.low = [Lanes.fill(Tally.SPECIAL), Lanes.fill(Tally.SPECIAL)];
        limits.high = [Lanes.fill(1 << 16), Lanes.fill(1 << 16)];
        for (uint256 slot = 0; slot < outcome.published; ++slot) {
            Verdict verdict = outcome.verdicts[slot];
            if (verdict != Verdict.Accepted && verdict != Verdict.Rejected) continue;

            (uint256 bank, uint256 k) = (slot / BANK, slot % BANK);
            (uint256 low, uint256 high) = _around(outcome.medians[slot], terms.dissentBand, terms, 0);
            if (verdict == Verdict.Accepted) {
                low = Math.min(low, uint256(BIAS) - terms.band);
                limits.low[bank] += Lanes.put(low - Tally.SPECIAL, k);
            } else {
                high = Math.max(high, uint256(BIAS) + terms.minGain + 1);
                limits.high[bank] -= Lanes.put((1 << 16) - high, k);
            }
            limits.isDecided[bank] += Lanes.put(1, k);
            ++limits.decided;
        }
    }

    /// @notice The faults of every voter under these limits.
    function faults(Panel memory panel, Limits memory limits) internal pure returns (Faults memory found) {
        uint256[] memory dissents = new uint256[](panel.weights.length);
        uint256[] memory silences = new uint256[](panel.weights.length);
        (found.dissents, found.silences, found.decided) = (dissents, silences, limits.decided);
        for (uint256 bank = 0; bank * BANK < panel.published; ++bank) {
            uint256[] memory scores = panel.scores[bank];
            (uint256 low, uint256 high) = (limits.low[bank], limits.high[bank]);
            uint256 isDecided = limits.isDecided[bank];
            unchecked {
                for (uint256 v = 0; v < scores.length; ++v) {
                    uint256 silent = Lanes.lessThan(scores.get(v), Lanes.fill(Tally.SPECIAL));
                    uint256 dissent = Lanes.ONES - silent - Lanes.within(scores.get(v), low, high);
                    dissents.set(v, dissents.get(v) + Lanes.sum(dissent));
                    silences.set(v, silences.get(v) + Lanes.sum(silent & isDecided));
                }
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
    ) private pure returns (Windows[2] memory windows) {
        // The neighbour of a single quorate proposal is the head itself, whose median is 0.
        bool isSingle = slots.length == 1;
        uint256 before = slots[slots.length - 1];
        for (uint256 j = 0; j < slots.length; ++j) {
            uint256 slot = slots[j];
            (uint256 low, uint256 high) = _around(outcome.medians[slot], terms.band, terms, halvings);
            Windows memory own = windows[slot / BANK];
            own.low |= Lanes.put(low, slot % BANK);
            own.high |= Lanes.put(high, slot % BANK);
            if (isSingle) (low, high) = _around(0, terms.band, terms, halvings);
            Windows memory other = windows[before / BANK];
            other.nextLow |= Lanes.put(low, before % BANK);
            other.nextHigh |= Lanes.put(high, before % BANK);
            before = slot;
        }
    }

    /// @dev The bars of the window around a median: saturated at the range of scores, never wrapped.
    function _around(
        int256 median,
        uint256 base,
        Terms memory terms,
        uint256 halvings
    ) private pure returns (uint256 low, uint256 high) {
        unchecked {
            uint256 size = uint256(median < 0 ? -median : median);
            int256 width = int256((base + (size * terms.toleranceBps) / BPS) >> halvings);
            low = uint256(SignedMath.max(median - width, LOWEST) + BIAS);
            high = uint256(SignedMath.min(median + width, HIGHEST) + BIAS) + 1;
        }
    }

    /// @dev Adds to the balance of every voter its hits of the own windows of one bank less those of the next ones. A
    /// balance is signed.
    function _addHits(uint256[] memory balances, uint256[] memory scores, Windows memory window) private pure {
        (uint256 low, uint256 high) = (window.low, window.high);
        (uint256 nextLow, uint256 nextHigh) = (window.nextLow, window.nextHigh);
        unchecked {
            for (uint256 v = 0; v < scores.length; ++v) {
                uint256 own = Lanes.sum(Lanes.within(scores.get(v), low, high));
                uint256 other = Lanes.sum(Lanes.within(scores.get(v), nextLow, nextHigh));
                balances.set(v, balances.get(v) + own - other);
            }
        }
    }
}
