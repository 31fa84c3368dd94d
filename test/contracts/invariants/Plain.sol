// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Verdict} from "../../../contracts/interfaces/IRewardDistributor.sol";
import {Roles, Terms} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {ABSTAIN, Ballot, MISSING} from "../../../contracts/types/Ballot.sol";
import {TaskId} from "../../../contracts/types/TaskId.sol";
import {Phase, Role, RoundId} from "../support/Base.sol";
import {World} from "./World.sol";

/// @notice The rules of a round, said once more and plainly, from what the onlooker remembers.
abstract contract Plain is World {
    /* PHASES */

    /// @dev Where the round stands, by the rule in words.
    function plainPhase(TaskId id) internal view returns (Phase) {
        Play storage p = plays[id];
        Terms storage t = termsOf[id];
        if (!p.open) return Phase.None;
        if (_seedIsMissed(id)) return Phase.Settle;

        uint256 proposeEnd = p.openedAt + t.propose;
        if (block.timestamp < proposeEnd) return Phase.Propose;
        uint256 deadline = proposeEnd + t.publish;
        if (block.timestamp < _publishEnd(id, proposeEnd, deadline)) return Phase.Publish;
        if (published[id].length == 0) return Phase.Settle;

        bool late = p.sealedCount >= 3 && 3 * p.publishedOnTime < 2 * p.sealedCount;
        uint256 ballotEnd = deadline + t.ballot + (late ? t.grace : 0);
        if (block.timestamp < ballotEnd) return Phase.Ballot;
        return block.timestamp < _revealEnd(id, ballotEnd) ? Phase.Reveal : Phase.Settle;
    }

    function _publishEnd(TaskId id, uint256 start, uint256 deadline) private view returns (uint256) {
        Play storage p = plays[id];
        if (p.sealedCount == 0) return start;
        if (published[id].length == p.sealedCount) return p.lastPublishedAt;
        bool late = p.sealedCount >= 3 && 3 * p.publishedOnTime < 2 * p.sealedCount;
        return block.timestamp >= deadline && late ? deadline + termsOf[id].grace : deadline;
    }

    function _revealEnd(TaskId id, uint256 start) private view returns (uint256 end) {
        Play storage p = plays[id];
        uint256 deadline = start + termsOf[id].reveal;
        bool late = 3 * p.revealedOnTime < 2 * p.sealedSeats;
        if (p.sealedSeats == 0) end = start;
        else if (p.revealedSeats == p.sealedSeats) end = p.lastRevealedAt;
        else end = block.timestamp >= deadline && late ? deadline + termsOf[id].grace : deadline;
        uint256 half = start + termsOf[id].reveal / 2;
        return end < half ? half : end;
    }

    /// @dev Nobody latched the seed while its block was among the last 256.
    function _seedIsMissed(TaskId id) private view returns (bool) {
        return rounds.round(id).seedsLatched == 0 && block.number > plays[id].openedIn + 1 + 256;
    }

    /* SEATS */

    /// @dev The seats of an operator from the weights and hashes that the onlooker saw.
    function plainSeats(TaskId id, Role role, address operator) internal view returns (uint256) {
        Terms storage t = termsOf[id];
        Play storage p = plays[id];
        bool drawn = t.roles == Roles.Drawn;
        Role pool = drawn ? Role.Drawn : role;
        uint256 w = weightAtOpen[id][operator];
        if (w == 0 || poolAtOpen[id][operator] != pool) return 0;

        uint256 e =
            drawn
                ? uint256(t.expectedTrainers) + t.expectedVoters
                : role == Role.Trainer
                    ? t.expectedTrainers
                    : t.expectedVoters;
        uint256 total = role == Role.Trainer ? p.trainerTotal : p.voterTotal;
        uint256 d = total > e * t.seatStake ? total : e * t.seatStake;
        uint256 u = _luck(plainSeed(id), id, pool, operator);
        if (drawn && ((u / d) % e < t.expectedTrainers) != (role == Role.Trainer)) return 0;
        if (role == Role.Validator) u = _luck(plainVoterSeed(id), id, pool, operator);
        return (e * w + (u % d)) / d;
    }

    function plainSeed(TaskId id) internal view returns (bytes32) {
        return hashOf[plays[id].openedIn + 1];
    }

    function plainVoterSeed(TaskId id) internal view returns (bytes32) {
        return keccak256(abi.encode(plainSeed(id), plainMix(id)));
    }

    /// @dev All salts, and the hash of the block after the first publication.
    function plainMix(TaskId id) internal view returns (bytes32) {
        Play storage p = plays[id];
        return p.accumulator ^ keccak256(abi.encode(hashOf[p.firstPublishedIn + 1]));
    }

    function _luck(bytes32 seed, TaskId id, Role pool, address operator) private view returns (uint256) {
        RoundId number = numberOf(id);
        return uint256(keccak256(abi.encode(seed, address(rounds), id, number, pool, operator)));
    }

    /* VERDICTS */

    /// @dev The verdict on a slot, from scores and seats in no order.
    function plainVerdict(
        TaskId id,
        uint256 slot,
        Ballot[] memory scores,
        uint256[] memory weights
    ) internal view returns (int256 median, Verdict) {
        Terms storage t = termsOf[id];
        uint256 all = _between(scores, weights, slot, type(int16).min, type(int16).max);
        if (_between(scores, weights, slot, MISSING, MISSING) * 10_000 >= t.acceptBps * all)
            return (0, Verdict.Missing);
        uint256 judged = _between(scores, weights, slot, MISSING + 1, type(int16).max);
        if (judged < t.expectedVoters / 2 + 1) return (0, Verdict.Undecided);

        median = _median(scores, weights, slot, judged);
        int256 gain = int256(uint256(t.minGain));
        int256 harm = -int256(uint256(t.band));
        uint256 inFavour = _between(scores, weights, slot, gain + 1, type(int16).max);
        uint256 against = _between(scores, weights, slot, MISSING + 1, harm - 1);
        uint256 needed = t.acceptBps * (inFavour + against);
        if (median > gain && inFavour * 10_000 >= needed) return (median, Verdict.Accepted);
        if (median < harm && against * 10_000 >= needed) return (median, Verdict.Rejected);
        return (median, Verdict.Undecided);
    }

    /// @dev The least score that at least half of the judging seats do not exceed.
    function _median(
        Ballot[] memory scores,
        uint256[] memory weights,
        uint256 slot,
        uint256 judged
    ) private pure returns (int256 median) {
        median = type(int16).max;
        for (uint256 v = 0; v < scores.length; ++v) {
            int256 x = scoreAt(scores[v], slot);
            if (weights[v] == 0 || x <= MISSING || x >= median) continue;
            if (2 * _between(scores, weights, slot, MISSING + 1, x) >= judged) median = x;
        }
    }

    /// @dev Seats that scored the slot from `low` to `high`.
    function _between(
        Ballot[] memory scores,
        uint256[] memory weights,
        uint256 slot,
        int256 low,
        int256 high
    ) internal pure returns (uint256 seats) {
        for (uint256 v = 0; v < scores.length; ++v) {
            int256 x = scoreAt(scores[v], slot);
            if (x >= low && x <= high) seats += weights[v];
        }
    }

    function scoreAt(Ballot scores, uint256 slot) internal pure returns (int256) {
        return int16(uint16(Ballot.unwrap(scores) >> (16 * slot)));
    }

    function isSilent(int256 score) internal pure returns (bool) {
        return score == ABSTAIN || score == MISSING;
    }
}
