// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRewardDistributor, Purse, Verdict} from "../../../contracts/interfaces/IRewardDistributor.sol";
import {Round} from "../../../contracts/interfaces/IRounds.sol";
import {IStaking, Mark, Role} from "../../../contracts/interfaces/IStaking.sol";
import {Terms} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {BallotState} from "../../../contracts/interfaces/IValidatorVoting.sol";
import {Ballot, Phase, RoundId, TaskId, Vm, vm} from "../support/Base.sol";
import {RoundActs} from "./RoundActs.sol";

/// @notice Opening and settling. Every settlement is held against what the onlooker knows: the books, the faults, and the
/// verdicts by the plain rule.
abstract contract Settlements is RoundActs {
    /// @dev What a settlement is held against, and what its events say.
    struct Trial {
        TaskId id;
        address[] proposers;
        address[] voters;
        Ballot[] scores; // by voter
        uint256[] weights; // by voter, 0 if it did not reveal
        uint256[] seats; // of proposers, then of voters
        uint256[] cuts; // likewise
        uint256[] pays; // likewise
        bool[] absent; // by voter
        bool isVoid; // by the plain rule
        uint256 pot;
        uint256 purse;
        uint256 paidEver;
        uint256 toBurn;
        uint256 paidRounds;
        uint256 voids;
        bytes32 headId;
        uint256 paid; // from here on: by the events
        uint256 slashed;
        uint256 credited;
        uint256 accounts; // slashes and rewards seen
    }

    struct Told {
        bool isVoid;
        uint256 pot;
        uint256 medians;
        uint256 verdicts;
        uint256 paid;
        uint256 slashed;
        uint256 burned;
        uint256 bounty;
    }

    function settle(uint256 luck) external {
        settleTask(taskIn(luck, Phase.Settle), luck);
    }

    function openRound(uint256 luck) external {
        openTask(taskIn(luck, luck % 4 == 0 ? Phase.Settle : Phase.None));
    }

    function settleTask(TaskId id, uint256 luck) internal {
        Trial memory t = _before(id);
        bool inPhase = plainPhase(id) == Phase.Settle;
        vm.recordLogs();
        vm.prank(creditorAt(pick(luck, 3, OPERATORS + 3)));
        distributor.settle(id, t.proposers, t.voters);
        hold(8, inPhase, "a round was settled before its end");
        _after(t, vm.getRecordedLogs());
    }

    function openTask(TaskId id) internal {
        Trial memory t = _before(id);
        bool isOpen = plays[id].open;
        vm.recordLogs();
        rounds.openRound(id, t.proposers, t.voters);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        if (isOpen) {
            hold(16, t.isVoid, "a round that is not void was settled by opening the next");
            _after(t, logs);
        }
        _begin(id);
    }

    /// @dev What the onlooker notes when a round opens: the weights of this moment, summed by itself.
    function _begin(TaskId id) private {
        delete plays[id];
        delete published[id];
        Play storage p = plays[id];
        (p.openedAt, p.openedIn, p.open) = (block.timestamp, block.number, true);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            (Role role, uint256 w) = staking.weightOf(id, operators[i]);
            (poolAtOpen[id][operators[i]], weightAtOpen[id][operators[i]]) = (role, w);
            if (role != Role.Validator) p.trainerTotal += w;
            if (role != Role.Trainer) p.voterTotal += w;
        }
        mine();
        mine();
    }

    /* BEFORE */

    function _before(TaskId id) private view returns (Trial memory t) {
        t.id = id;
        Round memory r = rounds.round(id);
        (t.paidRounds, t.voids) = (r.paidRounds, r.voids);
        (, , t.headId, , , ) = registry.task(id);
        Purse memory purse = distributor.purse(id);
        (t.pot, t.purse, t.paidEver) = (distributor.potOfRound(id), uint256(purse.pot) + purse.incoming, purse.paid);
        t.toBurn = staking.toBurn();
        if (!r.open) return t;

        t.proposers = proposersOf(id, r.number);
        t.voters = votersOf(id, r.number);
        uint256 count = t.proposers.length + t.voters.length;
        (t.seats, t.cuts, t.pays) = (new uint256[](count), new uint256[](count), new uint256[](count));
        for (uint256 i = 0; i < t.proposers.length; ++i) (, t.seats[i], , , ) = rounds.proposal(id, t.proposers[i]);
        uint256 revealed = _readVotes(t);
        t.isVoid = published[id].length == 0 || revealed < termsOf[id].expectedVoters / 2 + 1;
    }

    function _readVotes(Trial memory t) private view returns (uint256 revealed) {
        uint256 count = t.voters.length;
        (t.scores, t.weights, t.absent) = (new Ballot[](count), new uint256[](count), new bool[](count));
        for (uint256 v = 0; v < count; ++v) {
            (, uint16 seats, BallotState state, bytes32 word, ) = voting.ballot(t.id, t.voters[v]);
            t.seats[t.proposers.length + v] = seats;
            t.absent[v] = state == BallotState.Absent;
            if (state != BallotState.Revealed) continue;
            (t.scores[v], t.weights[v]) = (Ballot.wrap(uint256(word)), seats);
            revealed += seats;
        }
    }

    /* AFTER */

    function _after(Trial memory t, Vm.Log[] memory logs) private {
        plays[t.id].open = false;
        Told memory told;
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 name = logs[i].topics[0];
            if (name == IStaking.Slashed.selector) _slash(t, logs[i]);
            else if (name == IStaking.Rewarded.selector) _reward(t, logs[i]);
            else if (name == IStaking.Credited.selector) _credit(t, logs[i]);
            else if (name == IRewardDistributor.RoundSettled.selector) told = abi.decode(logs[i].data, (Told));
        }
        hold(13, told.isVoid == t.isVoid, "void, or not, by another rule");
        _holdBooks(t, told);
        _holdFaults(t);
        for (uint256 i = 0; i < HOSTS; ++i) _holdMark(t.id, hosts[i]);
        if (t.isVoid) _holdVoid(t, told);
        else _holdVerdicts(t, told);
        purseOf[t.id] = purseOf[t.id] + (t.slashed * 9) / 10 - t.paid - told.bounty;
    }

    function _slash(Trial memory t, Vm.Log memory log) private {
        address operator = address(uint160(uint256(log.topics[2])));
        (, uint256 fromActive, uint256 fromLeaving, uint256 fromPool) = abi.decode(
            log.data,
            (RoundId, uint256, uint256, uint256)
        );
        uint256 cut = fromActive + fromLeaving + fromPool;
        own[t.id][operator].slashed += fromActive + fromLeaving;
        t.cuts[_place(t, operator)] += cut;
        t.slashed += cut;
    }

    function _reward(Trial memory t, Vm.Log memory log) private {
        address operator = address(uint160(uint256(log.topics[2])));
        (, uint256 amount, uint256 shared) = abi.decode(log.data, (RoundId, uint256, uint256));
        own[t.id][operator].credited += amount - shared;
        toDelegators[t.id][operator] += shared;
        t.pays[_place(t, operator)] += amount;
        t.paid += amount;
    }

    function _credit(Trial memory t, Vm.Log memory log) private {
        uint256 amount = abi.decode(log.data, (uint256));
        own[t.id][address(uint160(uint256(log.topics[2])))].credited += amount;
        t.credited += amount;
    }

    /// @dev The place of an operator among the proposers, then the voters. Nobody is both.
    function _place(Trial memory t, address operator) private pure returns (uint256) {
        for (uint256 i = 0; i < t.proposers.length; ++i) if (t.proposers[i] == operator) return i;
        for (uint256 v = 0; v < t.voters.length; ++v) if (t.voters[v] == operator) return t.proposers.length + v;
        revert("neither proposer nor voter");
    }

    function _holdBooks(Trial memory t, Told memory told) private {
        Purse memory purse = distributor.purse(t.id);
        hold(5, told.paid == t.paid && told.pot == t.pot, "what was paid is not what was told");
        hold(5, t.paid + told.bounty <= t.pot, "a round paid more than its pot");
        hold(5, purse.paid == t.paidEver + t.paid + told.bounty, "the sum of what was ever paid");
        uint256 kept = (t.slashed * 9) / 10;
        uint256 left = t.purse + kept - t.paid - told.bounty;
        hold(5, uint256(purse.pot) + purse.incoming == left, "what is left in the pot");
        hold(4, told.slashed == t.slashed, "what was slashed is not what was told");
        hold(4, kept + told.burned + t.credited - told.bounty == t.slashed, "where the slashed stake went");
        hold(4, staking.toBurn() == t.toBurn + told.burned, "what burns");
    }

    /// @dev A settlement makes shares worth less and lets them earn more, never the other way round.
    function _holdMark(TaskId id, address host) private {
        Mark memory mark = poolOf(id, host).mark;
        Mark storage known = markOf[id][host];
        bool anew = mark.generation > known.generation;
        hold(3, anew || known.factor == 0 || mark.factor <= known.factor, "a share is worth more than before");
        hold(3, mark.index >= known.index, "a share earned less than before");
        markOf[id][host] = mark;
    }

    /// @dev Nobody loses more than its seats put at risk, and hiding never costs less than the worst opinion.
    function _holdFaults(Trial memory t) private {
        Terms memory terms = termsOf[t.id];
        uint256 worst = terms.rejectBps > terms.unrevealedBps ? terms.rejectBps : terms.unrevealedBps;
        for (uint256 i = 0; i < t.seats.length; ++i) {
            bool votes = i >= t.proposers.length;
            uint256 risk = t.seats[i] * terms.seatStake * (votes ? terms.unrevealedBps : worst);
            hold(4, 10_000 * t.cuts[i] < risk + 30_000, "more than the seats put at risk"); // up to three ceilings
            if (!votes || t.weights[i - t.proposers.length] != 0) continue;
            hold(15, t.pays[i] == 0, "a ballot that nobody opened was paid");
            if (t.absent[i - t.proposers.length]) continue;
            bool whole = 10_000 * t.cuts[i] >= risk || _exposed(t.id, t.voters[i - t.proposers.length]) == 0;
            hold(15, whole, "hiding cost less than the worst opinion");
        }
    }

    /// @dev What a further fault could still have taken.
    function _exposed(TaskId id, address operator) private view returns (uint256) {
        return uint256(accountOf(id, operator).active) + poolOf(id, operator).active;
    }

    function _holdVoid(Trial memory t, Told memory told) private {
        (, , bytes32 headId, , , ) = registry.task(t.id);
        Round memory r = rounds.round(t.id);
        hold(16, t.paid + told.bounty + told.medians + told.verdicts == 0, "a void round decided or paid");
        hold(16, headId == t.headId, "a void round moved the head");
        hold(16, r.paidRounds == t.paidRounds && r.voids == t.voids + 1, "a void round was used up");
        for (uint256 i = 0; i < t.seats.length; ++i) {
            bool opened =
                i < t.proposers.length
                    ? i < published[t.id].length
                    : t.weights[i - t.proposers.length] != 0 || t.absent[i - t.proposers.length];
            hold(16, !opened || t.cuts[i] == 0, "a void round faulted an opinion");
        }
    }

    function _holdVerdicts(Trial memory t, Told memory told) private {
        Round memory r = rounds.round(t.id);
        hold(16, r.paidRounds == t.paidRounds + 1 && r.voids == 0, "a round that decides is used up");
        for (uint256 slot = 0; slot < 16; ++slot) {
            (int256 median, Verdict verdict) = slot < published[t.id].length
                ? plainVerdict(t.id, slot, t.scores, t.weights)
                : (int256(0), Verdict.Undecided);
            int256 toldMedian = scoreAt(Ballot.wrap(told.medians), slot);
            hold(13, (told.verdicts >> (4 * slot)) & 15 == uint256(verdict), "a verdict by another rule");
            hold(13, toldMedian == median, "a median by another rule");
            if (toldMedian != 0) _holdMedian(t, slot, toldMedian);
        }
    }

    /// @dev Half of the judging seats, or more, lie at or below the median; less than half lie below it.
    function _holdMedian(Trial memory t, uint256 slot, int256 median) private {
        uint256 judged = _between(t.scores, t.weights, slot, -32_766, type(int16).max);
        uint256 upTo = _between(t.scores, t.weights, slot, -32_766, median);
        uint256 below = _between(t.scores, t.weights, slot, -32_766, median - 1);
        hold(14, upTo > below, "a median that nobody scored");
        hold(14, 2 * upTo >= judged && 2 * below < judged, "a median that is not in the middle");
    }

    /* LISTS */

    function proposersOf(TaskId id, RoundId number) internal view returns (address[] memory list) {
        list = new address[](plays[id].sealedCount);
        uint256 count = 0;
        for (; count < published[id].length; ++count) list[count] = published[id][count];
        for (uint256 i = 0; i < OPERATORS; ++i) {
            (RoundId sealedIn, , , bool isOut, ) = rounds.proposal(id, operators[i]);
            if (sealedIn == number && !isOut) list[count++] = operators[i];
        }
    }

    function votersOf(TaskId id, RoundId number) internal view returns (address[] memory list) {
        uint256 count;
        list = new address[](OPERATORS);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            (RoundId sealedIn, , , , ) = voting.ballot(id, operators[i]);
            if (sealedIn == number) list[count++] = operators[i];
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }
}
