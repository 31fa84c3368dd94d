// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Verdict} from "../interfaces/IRewardDistributor.sol";
import {Terms} from "../interfaces/ITaskRegistry.sol";
import {Votes} from "../interfaces/IValidatorVoting.sol";
import {Coherence} from "./Coherence.sol";
import {BPS} from "./Constants.sol";
import {Lists} from "./Lists.sol";
import {Vote} from "../types/Vote.sol";
import {Outcome, Panel} from "./Tally.sol";

/// @title Who is paid what, and who is at fault
/// @notice Floor when paying, ceil when slashing. Risk and pay are linear in seats, so splitting stake gains nothing. A
/// round that decided nothing (an empty outcome) pays nobody and faults only what was sealed and not opened.
library Payouts {
    using Lists for uint256[];
    using Lists for Vote[];

    /// @notice The weights of the accepted updates in the head and in the trainers' pay: `seats * (median - minGain)`.
    /// @return factors By slot, 0 where not accepted, at least 1 where accepted.
    function factorsOf(
        uint256[] memory seats,
        uint256 published,
        Outcome memory outcome,
        Terms memory terms
    ) internal pure returns (uint256[] memory factors) {
        factors = new uint256[](published);
        for (uint256 slot = 0; slot < published; ++slot) {
            if (outcome.verdicts[slot] != Verdict.Accepted) continue;
            uint256 gain = uint256(outcome.medians[slot] - int256(uint256(terms.minGain)));
            factors.set(slot, seats.get(slot) * gain);
        }
    }

    /// @notice Pay and faults of all proposers, published ones first.
    /// @param shares By slot, what the trainers' part is shared by: the factors, or the weights of the ranks. 0 where not
    /// accepted.
    function ofTrainers(
        uint256[] memory seats,
        Outcome memory outcome,
        uint256[] memory shares,
        uint256 pot,
        Terms memory terms
    ) internal pure returns (uint256[] memory pays, uint256[] memory faults) {
        pays = new uint256[](seats.length);
        faults = new uint256[](seats.length);
        uint256 part = (pot * (BPS - terms.voterShareBps)) / BPS;
        uint256 total;
        for (uint256 i = 0; i < shares.length; ++i) total += shares.get(i);
        for (uint256 i = 0; i < seats.length; ++i) {
            uint256 its = seats.get(i);
            Verdict verdict = i < shares.length ? outcome.verdicts[i] : Verdict.Missing;
            if (verdict == Verdict.Missing) {
                faults.set(i, faultOf(its, terms.unrevealedBps, 1, 1, terms));
            } else if (verdict == Verdict.Rejected) {
                faults.set(i, faultOf(its, terms.rejectBps, 1, 1, terms));
            } else if (shares.get(i) != 0) {
                pays.set(i, share(part, shares.get(i), total, its, terms.expectedTrainers));
            }
        }
    }

    /// @notice Pay and faults of all voters.
    /// @param head The digest the ballots agree on, 0 if they do not.
    function ofVoters(
        Votes memory votes,
        Panel memory panel,
        Outcome memory outcome,
        bytes20 head,
        uint256 pot,
        Terms memory terms
    ) internal pure returns (uint256[] memory pays, uint256[] memory faults) {
        pays = _voterPays(panel, outcome, (pot * terms.voterShareBps) / BPS, terms);
        Coherence.Faults memory found = Coherence.faults(panel, Coherence.limitsOf(outcome, terms));
        faults = new uint256[](votes.voters.length);
        for (uint256 v = 0; v < faults.length; ++v) {
            faults.set(v, _voterFault(votes, panel, found, head, v, terms));
        }
    }

    /// @notice One fault: `num / den` of `bps` of `seatStake` a seat, rounded up.
    function faultOf(
        uint256 seats,
        uint256 bps,
        uint256 num,
        uint256 den,
        Terms memory terms
    ) internal pure returns (uint256) {
        unchecked {
            return Math.ceilDiv(seats * terms.seatStake * bps * num, BPS * den); // below 2^160
        }
    }

    /// @notice The share `weight / total` of `part`, at most twice the fair share of `seats` out of `expected`.
    function share(
        uint256 part,
        uint256 weight,
        uint256 total,
        uint256 seats,
        uint256 expected
    ) internal pure returns (uint256) {
        unchecked {
            return Math.min((part * weight) / total, (2 * part * seats) / expected); // below 2^160
        }
    }

    function _voterFault(
        Votes memory votes,
        Panel memory panel,
        Coherence.Faults memory found,
        bytes20 head,
        uint256 v,
        Terms memory terms
    ) private pure returns (uint256 fault) {
        Vote vote = votes.voters.get(v);
        if (vote.accuserOf() != address(0)) return 0; // absent: its fault earns a bounty, and has its own step
        uint256 seats = vote.seatsOf();
        if (panel.weights.get(v) == 0) return faultOf(seats, terms.unrevealedBps, 1, 1, terms);

        (uint256 dissents, uint256 silences) = (found.dissents.get(v), found.silences.get(v));
        if (dissents != 0) fault += faultOf(seats, terms.dissentBps, dissents, found.decided, terms);
        if (silences != 0) fault += faultOf(seats, terms.absentBps, silences, panel.published, terms);
        bytes20 named = vote.headOf();
        if (head != 0 && named != 0 && named != head) fault += faultOf(seats, terms.headBps, 1, 1, terms);
    }

    function _voterPays(
        Panel memory panel,
        Outcome memory outcome,
        uint256 part,
        Terms memory terms
    ) private pure returns (uint256[] memory pays) {
        pays = Coherence.points(panel, outcome, terms);
        uint256 total;
        uint256[] memory seats = panel.weights;
        for (uint256 v = 0; v < pays.length; ++v) {
            uint256 points = pays.get(v);
            if (points == 0) continue;
            uint256 weight = seats.get(v) * points * points;
            pays.set(v, weight);
            total += weight;
        }
        for (uint256 v = 0; v < pays.length; ++v) {
            uint256 weight = pays.get(v);
            if (weight != 0) pays.set(v, share(part, weight, total, seats.get(v), terms.expectedVoters));
        }
    }
}
