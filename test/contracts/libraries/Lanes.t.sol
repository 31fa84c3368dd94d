// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ballots} from "../../../contracts/libraries/Ballots.sol";
import {Lanes} from "../../../contracts/libraries/Lanes.sol";
import {ABSTAIN, Ballot, MISSING} from "../../../contracts/types/Ballot.sol";
import {vm} from "../support/Vm.sol";

/// @notice Words of lanes against the same sums lane by lane: Ballots and Lanes.
contract LanesTest {
    function test_spread_biasesEveryScore_fuzz(uint256 word) public pure {
        for (uint256 slot = 0; slot < 16; ++slot) {
            int256 score = Ballots.scoreOf(Ballot.wrap(word), slot);
            uint256 lane = Lanes.get(Lanes.spread(Ballot.wrap(word), slot / 8), slot % 8);
            vm.assertEq(int256(lane) - 32_768, score, "lane");
        }
    }

    function test_lessThan_comparesEveryLane_fuzz(uint16[8] memory a, uint16[8] memory b, uint8 full) public pure {
        uint256 left;
        uint256 right;
        for (uint256 k = 0; k < 8; ++k) {
            left |= Lanes.put(a[k], k);
            right |= Lanes.put((full >> k) % 2 == 1 ? 65_536 : b[k], k);
        }
        uint256 result = Lanes.lessThan(left, right);
        uint256 count;
        for (uint256 k = 0; k < 8; ++k) {
            uint256 expected = a[k] < Lanes.get(right, k) ? 1 : 0;
            vm.assertEq(Lanes.get(result, k), expected, "lane");
            count += expected;
        }
        vm.assertEq(Lanes.sum(result), count, "sum");
    }

    function test_within_isBelowOneBarAndNotTheOther_fuzz(
        uint16[8] memory a,
        uint16[8] memory b,
        uint8 full
    ) public pure {
        uint256 word;
        uint256 low;
        uint256 high;
        for (uint256 k = 0; k < 8; ++k) {
            word |= Lanes.put(a[k], k);
            uint256 top = (full >> k) % 2 == 1 ? 65_536 : b[k];
            high |= Lanes.put(top, k);
            low |= Lanes.put(top - (top * a[7 - k]) / 65_536, k);
        }
        uint256 result = Lanes.within(word, low, high);
        vm.assertEq(result, Lanes.lessThan(word, high) - Lanes.lessThan(word, low), "lanes");
    }

    function test_weightBelow_sumsEveryLane_fuzz(
        uint256[5] memory words,
        uint8[5] memory seats,
        uint16 bar
    ) public pure {
        uint256[] memory scores = new uint256[](5);
        uint256[] memory weights = new uint256[](5);
        for (uint256 v = 0; v < 5; ++v) (scores[v], weights[v]) = (Lanes.spread(Ballot.wrap(words[v]), 0), seats[v]);
        uint256 below = Lanes.weightBelow(scores, weights, Lanes.fill(bar));
        for (uint256 k = 0; k < 8; ++k) {
            uint256 expected;
            for (uint256 v = 0; v < 5; ++v) if (Lanes.get(scores[v], k) < bar) expected += seats[v];
            vm.assertEq(Lanes.get(below, k), expected, "lane");
        }
    }

    function test_isCanonical_allowsNothingBeyondThePublished_fuzz(uint256 word, uint8 published) public pure {
        published = published % 17;
        bool expected = true;
        for (uint256 slot = published; slot < 16; ++slot) {
            if (Ballots.scoreOf(Ballot.wrap(word), slot) != 0) expected = false;
        }
        vm.assertTrue(Ballots.isCanonical(Ballot.wrap(word), published) == expected, "canonical");
    }

    function test_judges_findsAScore_fuzz(uint256 word, uint16 specials, uint8 published) public pure {
        published = published % 17;
        bool expected = false;
        for (uint256 slot = 0; slot < 16; ++slot) {
            // Most lanes are special, or random words would always judge.
            if (specials % 7 != 0 || slot != published / 2) {
                int16 special = (specials >> slot) % 2 == 0 ? ABSTAIN : MISSING;
                word &= ~(uint256(0xFFFF) << (16 * slot));
                word |= uint256(uint16(special)) << (16 * slot);
            }
            int16 score = Ballots.scoreOf(Ballot.wrap(word), slot);
            if (slot < published && score != ABSTAIN && score != MISSING) expected = true;
        }
        vm.assertTrue(Ballots.judges(Ballot.wrap(word), published) == expected, "judges");
    }
}
