// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Verdict} from "../interfaces/IRewardDistributor.sol";
import {Terms} from "../interfaces/ITaskRegistry.sol";
import {Votes} from "../interfaces/IValidatorVoting.sol";
import {Coherence} from "./Coherence.sol";
import {BPS} from "./Constants.sol";
import {Outcome, Panel} from "./Tally.sol";

/// @title Who is paid what, and who is at fault
/// @notice Floor when paying, ceil when slashing. Risk and pay are linear in seats, so splitting stake gains nothing. A
/// round that decided nothing (an empty outcome) pays nobody and faults only what was sealed and not opened.
library Payouts {
    /// @notice The weights of the accepted updates in the head and in the trainers' pay: `seats * (median - minGain)`.
    /// @return factors By slot, 0 where not accepted, at least 1 where accepted.
    /// @return total Their sum.
    function factorsOf(
        uint256[] memory seats,
        uint256 published,
        Outcome memory outcome,
        Terms memory terms
    ) internal pure returns (uint256[] memory factors, uint256 total) {
        factors = new uint256[](published);
        for (uint256 slot = 0; slot < published; ++slot) {
            if (outcome.verdicts[slot] != Verdict.Accepted) continue;
            factors[slot] = seats[slot] * uint256(outcome.medians[slot] - int256(uint256(terms.minGain)));
            total += factors[slot];
        }
    }

    /// @notice Pay and faults of all proposers, published ones first.
    /// @param factors By slot, as `factorsOf` gives them, with their sum `total`.
    function ofTrainers(
        uint256[] memory seats,
        Outcome memory outcome,
        uint256[] memory factors,
        uint256 total,
        uint256 pot,
        Terms memory terms
    ) internal pure returns (uint256[] memory pays, uint256[] memory faults) {
        pays = new uint256[](seats.length);
        faults = new uint256[](seats.length);
        uint256 part = (pot * (BPS - terms.voterShareBps)) / BPS;
        for (uint256 i = 0; i < seats.length; ++i) {
            if (i >= factors.length || outcome.verdicts[i] == Verdict.Missing) {
                faults[i] = faultOf(seats[i], terms.unrevealedBps, 1, 1, terms);
            } else if (outcome.verdicts[i] == Verdict.Rejected) {
                faults[i] = faultOf(seats[i], terms.rejectBps, 1, 1, terms);
            } else if (factors[i] != 0) {
                pays[i] = share(part, factors[i], total, seats[i], terms.expectedTrainers);
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
        (uint256[] memory dissents, uint256[] memory silences, uint256 decided) = Coherence.faults(
            panel,
            outcome,
            terms
        );
        faults = new uint256[](votes.seats.length);
        for (uint256 v = 0; v < faults.length; ++v) {
            uint256 seats = votes.seats[v];
            if (votes.weights[v] == 0) {
                faults[v] = faultOf(seats, terms.unrevealedBps, 1, 1, terms);
                continue;
            }
            if (dissents[v] != 0) faults[v] += faultOf(seats, terms.dissentBps, dissents[v], decided, terms);
            if (silences[v] != 0) faults[v] += faultOf(seats, terms.absentBps, silences[v], outcome.published, terms);
            if (head != 0 && votes.heads[v] != 0 && votes.heads[v] != head) {
                faults[v] += faultOf(seats, terms.headBps, 1, 1, terms);
            }
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
        return Math.ceilDiv(seats * terms.seatStake * bps * num, BPS * den);
    }

    /// @notice The share `weight / total` of `part`, at most twice the fair share of `seats` out of `expected`.
    function share(
        uint256 part,
        uint256 weight,
        uint256 total,
        uint256 seats,
        uint256 expected
    ) internal pure returns (uint256) {
        return Math.min((part * weight) / total, (2 * part * seats) / expected);
    }

    function _voterPays(
        Panel memory panel,
        Outcome memory outcome,
        uint256 part,
        Terms memory terms
    ) private pure returns (uint256[] memory pays) {
        pays = Coherence.points(panel, outcome, terms);
        uint256 total;
        for (uint256 v = 0; v < pays.length; ++v) {
            if (pays[v] == 0) continue;
            pays[v] *= pays[v] * panel.weights[v];
            total += pays[v];
        }
        for (uint256 v = 0; v < pays.length; ++v) {
            if (pays[v] != 0) pays[v] = share(part, pays[v], total, panel.weights[v], terms.expectedVoters);
        }
    }
}
