// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Verdict} from "../../../contracts/interfaces/IRewardDistributor.sol";
import {Terms} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {BallotState, Votes} from "../../../contracts/interfaces/IValidatorVoting.sol";
import {Ballots} from "../../../contracts/libraries/Ballots.sol";
import {Coherence} from "../../../contracts/libraries/Coherence.sol";
import {Payouts} from "../../../contracts/libraries/Payouts.sol";
import {Outcome, Panel, Tally} from "../../../contracts/libraries/Tally.sol";
import {ABSTAIN, Ballot, MISSING} from "../../../contracts/types/Ballot.sol";
import {Vote, voteOf} from "../../../contracts/types/Vote.sol";
import {vm} from "../support/Vm.sol";

/// @notice Tally, Coherence and Payouts against the rules said plainly, slot by slot and voter by voter.
contract SettlementTest {
    struct Case {
        uint8 published;
        uint8 voters;
        uint16 acceptBps;
        uint16 minGain;
        uint16 band;
        uint16 dissentBand;
        uint16 toleranceBps;
        uint256 scale;
        bytes32 seed;
    }

    /// @dev The ballots, list by list.
    struct Said {
        uint256[] seats;
        uint256[] weights;
        Ballot[] scores;
        bytes20[] heads;
        bool[] isAbsent;
    }

    Terms private t;
    Said private votes;
    uint256 private published;

    /* TALLY */

    function test_decide_isTheRule_fuzz(Case memory c) public {
        _set(c);
        Panel memory panel = Tally.panel(_votes(), published);
        Outcome memory outcome = Tally.decide(panel, t);
        for (uint256 slot = 0; slot < 16; ++slot) {
            (int256 median, bool quorate, Verdict verdict) = _plainVerdict(slot, panel.seats);
            vm.assertEq(outcome.medians[slot], median, "median");
            vm.assertTrue(outcome.quorate[slot] == quorate, "quorate");
            vm.assertEq(uint256(outcome.verdicts[slot]), uint256(verdict), "verdict");
            vm.assertEq(_at(Tally.packMedians(outcome), slot), median, "packed median");
            uint256 packed = (Tally.packVerdicts(outcome) >> (4 * slot)) & 15;
            vm.assertEq(packed, uint256(verdict), "packed verdict");
        }
    }

    function test_headReference_isTheMajorityOfThoseWhoNamedOne_fuzz(Case memory c) public {
        _set(c);
        uint256[4] memory seats;
        uint256 named;
        for (uint256 v = 0; v < votes.seats.length; ++v) {
            if (votes.heads[v] == 0) continue;
            seats[uint160(votes.heads[v])] += votes.seats[v];
            named += votes.seats[v];
        }
        bytes20 expected;
        for (uint160 head = 1; head < 4; ++head) {
            bool isEnough = named >= Tally.quorum(t) && seats[head] * 10_000 >= t.acceptBps * named;
            if (isEnough && seats[head] != 0) expected = bytes20(head);
        }
        vm.assertEq(bytes32(Tally.headReference(_votes(), t)), bytes32(expected), "reference");
    }

    /* COHERENCE */

    function test_points_areTheRule_fuzz(Case memory c) public {
        _set(c);
        Panel memory panel = Tally.panel(_votes(), published);
        Outcome memory outcome = Tally.decide(panel, t);
        uint256[] memory points = Coherence.points(panel, outcome, t);
        uint256[] memory expected;
        for (uint256 halvings = 0; halvings <= 3; ++halvings) {
            bool any;
            (expected, any) = _plainPoints(outcome, halvings);
            if (any) break;
        }
        for (uint256 v = 0; v < votes.seats.length; ++v) vm.assertEq(points[v], expected[v], "points");
    }

    function test_constant_ballot_earns_zero_fuzz(Case memory c, int16 score) public {
        vm.assume(score > MISSING);
        _set(c);
        uint256 word;
        for (uint256 slot = 0; slot < published; ++slot) word |= uint256(uint16(score)) << (16 * slot);
        votes.scores[0] = Ballot.wrap(word);
        Panel memory panel = Tally.panel(_votes(), published);
        Outcome memory outcome = Tally.decide(panel, t);
        uint256 quorate;
        for (uint256 slot = 0; slot < 16; ++slot) if (outcome.quorate[slot]) ++quorate;
        if (quorate < 2) return;
        vm.assertEq(Coherence.points(panel, outcome, t)[0], 0, "points of a constant");
    }

    function test_faults_areTheRule_fuzz(Case memory c) public {
        _set(c);
        Panel memory panel = Tally.panel(_votes(), published);
        Outcome memory outcome = Tally.decide(panel, t);
        Coherence.Faults memory found = Coherence.faults(panel, Coherence.limitsOf(outcome, t));
        uint256 expected;
        for (uint256 slot = 0; slot < 16; ++slot) if (_isDecided(outcome, slot)) ++expected;
        vm.assertEq(found.decided, expected, "decided");
        for (uint256 v = 0; v < votes.seats.length; ++v) {
            if (votes.weights[v] == 0) continue; // at fault for hiding, whatever it would have said
            (uint256 d, uint256 s) = _plainFaults(outcome, v);
            vm.assertEq(found.dissents[v], d, "dissents");
            vm.assertEq(found.silences[v], s, "silences");
        }
    }

    /* PAYOUTS */

    /// @dev Nobody is paid more than the part holds, nor a seat more than twice its fair share.
    function test_trainerPays_neverExceedTheirPart_fuzz(Case memory c, uint96 pot) public {
        _set(c);
        Outcome memory outcome = Tally.decide(Tally.panel(_votes(), published), t);
        uint256[] memory seats = new uint256[](published);
        for (uint256 i = 0; i < published; ++i) seats[i] = 1 + ((uint256(c.seed) >> (8 * i)) % 6);
        uint256[] memory factors = Payouts.factorsOf(seats, published, outcome, t);
        (uint256[] memory pays, uint256[] memory faults) = Payouts.ofTrainers(seats, outcome, factors, pot, t);

        uint256 part = (uint256(pot) * (10_000 - t.voterShareBps)) / 10_000;
        uint256 sum;
        for (uint256 i = 0; i < published; ++i) {
            vm.assertLe(pays[i], (2 * part * seats[i]) / t.expectedTrainers, "cap");
            vm.assertTrue(pays[i] == 0 || faults[i] == 0, "paid and at fault");
            vm.assertTrue((factors[i] != 0) == (outcome.verdicts[i] == Verdict.Accepted), "factor");
            sum += pays[i];
        }
        vm.assertLe(sum, part, "trainers' part");
    }

    function test_voterPays_neverExceedTheirPart_fuzz(Case memory c, uint96 pot) public {
        _set(c);
        Panel memory panel = Tally.panel(_votes(), published);
        Outcome memory outcome = Tally.decide(panel, t);
        (uint256[] memory pays, ) = Payouts.ofVoters(_votes(), panel, outcome, 0, pot, t);

        uint256 part = (uint256(pot) * t.voterShareBps) / 10_000;
        uint256 sum;
        for (uint256 v = 0; v < votes.seats.length; ++v) {
            vm.assertLe(pays[v], (2 * part * votes.seats[v]) / t.expectedVoters, "cap");
            if (votes.weights[v] == 0) vm.assertEq(pays[v], 0, "pay of a sealed ballot");
            sum += pays[v];
        }
        vm.assertLe(sum, part, "voters' part");
    }

    /// @dev Hiding a ballot never costs less than the worst one.
    function test_faults_neverExceedHiding_fuzz(Case memory c) public {
        _set(c);
        (t.dissentBps, t.headBps, t.absentBps, t.unrevealedBps) = (1000, 500, 200, 1500);
        Panel memory panel = Tally.panel(_votes(), published);
        Outcome memory outcome = Tally.decide(panel, t);
        (, uint256[] memory faults) = Payouts.ofVoters(
            _votes(),
            panel,
            outcome,
            Tally.headReference(_votes(), t),
            0,
            t
        );
        for (uint256 v = 0; v < votes.seats.length; ++v) {
            uint256 hiding = Payouts.faultOf(votes.seats[v], t.unrevealedBps, 1, 1, t);
            vm.assertLe(faults[v], hiding + 2, "fault, but for two roundings up");
            if (votes.isAbsent[v]) vm.assertEq(faults[v], 0, "the absent have a step of their own");
            else if (votes.weights[v] == 0) vm.assertEq(faults[v], hiding, "hidden");
        }
    }

    function test_faultOf_isLinearAndRoundsUp_fuzz(uint8 seats, uint16 bps, uint8 num, uint8 den, uint88 unit) public {
        t.seatStake = unit;
        vm.assume(den != 0);
        uint256 fault = Payouts.faultOf(seats, bps, num, den, t);
        uint256 exact = uint256(seats) * unit * bps * num;
        uint256 divisor = 10_000 * uint256(den);
        vm.assertTrue(fault * divisor >= exact && fault * divisor < exact + divisor, "ceil");
    }

    /* THE RULES SAID PLAINLY */

    function _votes() private view returns (Votes memory list) {
        (list.voters, list.scores) = (new Vote[](votes.seats.length), votes.scores);
        for (uint256 v = 0; v < list.voters.length; ++v) {
            BallotState state = votes.weights[v] == 0 ? BallotState.Sealed : BallotState.Revealed;
            list.voters[v] =
                votes.isAbsent[v]
                    ? voteOf(uint16(votes.seats[v]), BallotState.Absent, bytes20(uint160(1)))
                    : voteOf(uint16(votes.seats[v]), state, votes.heads[v]);
        }
    }

    function _plainVerdict(uint256 slot, uint256 all) private view returns (int256 median, bool quorate, Verdict) {
        if (slot >= published) return (0, false, Verdict.Undecided);
        uint256 missing = _seats(slot, MISSING, MISSING);
        uint256 judged = all - _seats(slot, ABSTAIN, MISSING);
        if (missing * 10_000 >= t.acceptBps * all) return (0, false, Verdict.Missing);
        if (judged < t.expectedVoters / 2 + 1) return (0, false, Verdict.Undecided);

        median = type(int16).max;
        for (uint256 v = 0; v < votes.seats.length; ++v) {
            int256 x = _score(v, slot);
            if (votes.weights[v] == 0 || x <= MISSING || x >= median) continue;
            if (2 * _seats(slot, MISSING + 1, x) >= judged) median = x;
        }
        uint256 inFavour = _seats(slot, int256(uint256(t.minGain)) + 1, type(int16).max);
        uint256 against = _seats(slot, MISSING + 1, -int256(uint256(t.band)) - 1);
        uint256 sides = t.acceptBps * (inFavour + against);
        if (median > int256(uint256(t.minGain)) && inFavour * 10_000 >= sides) return (median, true, Verdict.Accepted);
        if (median < -int256(uint256(t.band)) && against * 10_000 >= sides) return (median, true, Verdict.Rejected);
        return (median, true, Verdict.Undecided);
    }

    function _plainPoints(Outcome memory o, uint256 halvings) private view returns (uint256[] memory points, bool any) {
        points = new uint256[](votes.seats.length);
        for (uint256 v = 0; v < votes.seats.length; ++v) {
            if (votes.weights[v] == 0) continue;
            int256 sum;
            for (uint256 i = 0; i < 16; ++i) {
                if (!o.quorate[i]) continue;
                if (_hits(v, i, o.medians[i], halvings)) ++sum;
                if (_hits(v, i, _nextMedian(o, i), halvings)) --sum;
            }
            if (sum > 0) (points[v], any) = (uint256(sum), true);
        }
    }

    function _nextMedian(Outcome memory o, uint256 i) private pure returns (int256) {
        for (uint256 step = 1; step < 16; ++step) {
            if (o.quorate[(i + step) % 16]) return o.medians[(i + step) % 16];
        }
        return 0;
    }

    function _hits(uint256 v, uint256 i, int256 median, uint256 halvings) private view returns (bool) {
        int256 window = int256(_window(t.band, median) >> halvings);
        int256 x = _score(v, i);
        return x > MISSING && x >= median - window && x <= median + window;
    }

    function _plainFaults(Outcome memory o, uint256 v) private view returns (uint256 dissents, uint256 silences) {
        if (votes.weights[v] == 0) return (0, 0);
        for (uint256 i = 0; i < 16; ++i) {
            if (!_isDecided(o, i)) continue;
            int256 x = _score(v, i);
            if (x <= MISSING) {
                ++silences;
                continue;
            }
            bool isLosing =
                o.verdicts[i] == Verdict.Accepted ? x < -int256(uint256(t.band)) : x > int256(uint256(t.minGain));
            int256 window = int256(_window(t.dissentBand, o.medians[i]));
            int256 low = o.medians[i] - window;
            int256 high = o.medians[i] + window;
            if (low < -32_766) low = -32_766;
            if (high > 32_767) high = 32_767;
            if (isLosing && (x < low || x > high)) ++dissents;
        }
    }

    function _window(uint256 base, int256 median) private view returns (uint256) {
        return base + (uint256(median < 0 ? -median : median) * t.toleranceBps) / 10_000;
    }

    function _isDecided(Outcome memory o, uint256 i) private pure returns (bool) {
        return o.verdicts[i] == Verdict.Accepted || o.verdicts[i] == Verdict.Rejected;
    }

    /// @dev Revealed seats that scored the slot from `low` to `high`.
    function _seats(uint256 slot, int256 low, int256 high) private view returns (uint256 seats) {
        for (uint256 v = 0; v < votes.seats.length; ++v) {
            int256 x = _score(v, slot);
            if (votes.weights[v] != 0 && x >= low && x <= high) seats += votes.seats[v];
        }
    }

    function _score(uint256 v, uint256 slot) private view returns (int256) {
        return Ballots.scoreOf(votes.scores[v], slot);
    }

    function _at(uint256 word, uint256 slot) private pure returns (int256) {
        return int16(uint16(word >> (16 * slot)));
    }

    /// @dev A round out of a seed: voters around a common truth, some far off, some silent, some sealed, some extreme.
    function _set(Case memory c) private {
        published = 1 + (c.published % 16);
        t.seatStake = 100;
        (t.expectedTrainers, t.expectedVoters, t.voterShareBps) = (6, 9, 3000);
        (t.dissentBps, t.headBps, t.absentBps, t.unrevealedBps, t.rejectBps) = (1000, 500, 200, 1500, 3000);
        t.acceptBps = 5001 + (c.acceptBps % 4000);
        t.dissentBand = 1 + (c.dissentBand % (c.scale % 3 == 0 ? 16_383 : 300));
        t.band = 1 + (c.band % t.dissentBand);
        t.minGain = c.minGain % (c.scale % 5 == 0 ? 16_384 : 20);
        t.toleranceBps = c.toleranceBps % 10_001;
        uint256 count = 1 + (c.voters % 12);
        for (uint256 v = 0; v < count; ++v) {
            uint256 word;
            for (uint256 i = 0; i < published; ++i) word |= uint256(uint16(_draw(c, v, i))) << (16 * i);
            uint256 luck = uint256(keccak256(abi.encode(c.seed, v)));
            bool revealed = luck % 8 != 0;
            votes.seats.push(1 + ((luck >> 8) % 4));
            votes.weights.push(revealed ? votes.seats[v] : 0);
            votes.isAbsent.push(!revealed && luck % 3 == 0);
            votes.scores.push(Ballot.wrap(revealed ? word : 0));
            bool isNamed = revealed && (luck >> 32) % 7 != 0;
            votes.heads.push(isNamed ? bytes20(uint160(((luck >> 16) % 5) / 2 + 1)) : bytes20(0));
        }
    }

    function _draw(Case memory c, uint256 v, uint256 i) private pure returns (int16) {
        uint256 truth = uint256(keccak256(abi.encode(c.seed, "truth", i)));
        uint256 luck = uint256(keccak256(abi.encode(c.seed, v, i)));
        if (luck % 11 == 0) return ABSTAIN;
        if (luck % 11 == 1 || (truth % 9 == 0 && luck % 3 != 0)) return MISSING;
        if (luck % 11 == 2) return int16(uint16(luck >> 16));
        if (luck % 11 == 3) return luck % 2 == 0 ? int16(32_767) : int16(-32_766);
        int256 scale = int256(1 + (c.scale % 2000));
        int256 centre = (int256(truth % 2001) - 1000) * scale;
        int256 x = centre / 100 + int256((luck >> 16) % 41) - 20;
        if (x > 32_767) x = 32_767;
        if (x < -32_766) x = -32_766;
        return int16(x);
    }
}
