// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Round} from "../../../contracts/interfaces/IRounds.sol";
import {Account, Pool, Position} from "../../../contracts/interfaces/IStaking.sol";
import {Roles, Terms} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {BallotState, Poll} from "../../../contracts/interfaces/IValidatorVoting.sol";
import {Lot, Sortition} from "../../../contracts/libraries/Sortition.sol";
import {Phase, Role, RoundId, TaskId, vm} from "../support/Base.sol";
import {MoneyChecks} from "./MoneyChecks.sol";

/// @notice I8 to I12, I17 and I18 as they stand in the contracts at any moment.
abstract contract RoundChecks is MoneyChecks {
    using Sortition for Lot;

    uint256 private constant MOST_GAS = 5_000_000;

    /// @dev I9 to I12 and I18 of one task.
    function checkRound(TaskId id) internal view {
        _checkCounts(id);
        _checkTotals(id);
        _checkSeats(id);
        _checkSeeds(id);
        _checkSplits(id);
        _checkTerms(id);
    }

    /// @dev I8: the phase is the rule's.
    function checkPhase(TaskId id) internal view {
        check(8, phaseOf(id) == plainPhase(id), "a phase by another rule");
    }

    /// @dev I9: as many commitments and reveals are counted as operators have, one each.
    function _checkCounts(TaskId id) private view {
        Round memory r = rounds.round(id);
        Poll memory poll = voting.poll(id);
        bool polled = poll.round == r.number;
        uint256[6] memory seen; // proposals, published, ballots, revealed, accused, sealed seats
        for (uint256 i = 0; i < OPERATORS; ++i) {
            (RoundId sealedIn, , , bool isOut, ) = rounds.proposal(id, operators[i]);
            if (sealedIn == r.number) ++seen[0];
            if (sealedIn == r.number && isOut) ++seen[1];
            (RoundId votedIn, uint16 seats, BallotState state, , ) = voting.ballot(id, operators[i]);
            if (!(votedIn == r.number) || !polled) continue;
            ++seen[state == BallotState.Absent ? 4 : 2];
            if (state == BallotState.Revealed) ++seen[3];
            if (state != BallotState.Absent) seen[5] += seats;
        }
        if (RoundId.unwrap(r.number) == 0) return;
        check(9, r.sealedCount == seen[0] && r.published == seen[1], "proposals that nobody sealed or published");
        if (!polled) return;
        check(9, poll.ballots == seen[2] && poll.revealed == seen[3], "ballots that nobody sealed or revealed");
        check(9, poll.accused == seen[4] && poll.sealedSeats == seen[5], "accusations or seats that nobody has");
    }

    /// @dev I10: who sealed has the seats that the weights at the opening give, and has some.
    function _checkSeats(TaskId id) private view {
        Play storage p = plays[id];
        if (!p.open) return;
        (uint96 trainerTotal, uint96 voterTotal) = staking.latched(id);
        check(10, trainerTotal == p.trainerTotal && voterTotal == p.voterTotal, "totals of the round");
        RoundId number = numberOf(id);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            (RoundId sealedIn, uint16 seats, , , ) = rounds.proposal(id, operators[i]);
            if (sealedIn == number) _checkSeatsOf(id, Role.Trainer, operators[i], seats);
            (sealedIn, seats, , , ) = voting.ballot(id, operators[i]);
            if (sealedIn == number) _checkSeatsOf(id, Role.Validator, operators[i], seats);
        }
    }

    function _checkSeatsOf(TaskId id, Role role, address operator, uint256 seats) private view {
        check(10, seats != 0, "who has no seat acted");
        check(10, seats == plainSeats(id, role, operator), "seats by another formula");
    }

    /// @dev The sums of the next weights are the sums of the next weights.
    function _checkTotals(TaskId id) private view {
        Terms storage t = termsOf[id];
        uint256[2] memory sums;
        for (uint256 i = 0; i < OPERATORS; ++i) {
            Account memory a = accountOf(id, operators[i]);
            uint256 stake = uint256(a.active) + a.joining;
            if (stake < t.seatStake) continue;
            uint256 most = stake * t.maxLeverage;
            uint256 counts = i % 5 == 0 && i < 15 ? _delegatedNext(id, operators[i]) : 0;
            sums[a.role == Role.Validator ? 1 : 0] += stake + (counts < most ? counts : most);
        }
        if (t.roles == Roles.Drawn) sums[1] = sums[0];
        (uint96 trainerTotal, uint96 voterTotal) = staking.totals(id);
        check(10, trainerTotal == sums[0] && voterTotal == sums[1], "totals of the next round");
    }

    function _delegatedNext(TaskId id, address host) private view returns (uint256) {
        Pool memory pool = poolOf(id, host);
        return uint256(pool.active) - ((pool.leavingShares * uint256(pool.mark.factor)) >> 79) + pool.joining;
    }

    /// @dev I11: each seed is the hash of the block that was named before it existed, and stays.
    function _checkSeeds(TaskId id) private view {
        Play storage p = plays[id];
        Round memory r = rounds.round(id);
        if (!p.open) return;
        check(11, r.seedBlock > p.openedIn, "a seed that was known when the round opened");
        if (r.published != 0) check(11, r.voterBlock > p.firstPublishedIn, "a voters' seed known before publication");
        if (r.seedsLatched != 0) check(11, r.seed == plainSeed(id), "another seed");
        if (r.seedsLatched == 2) check(11, r.accumulator == plainMix(id), "another voters' seed");
        else check(11, r.accumulator == p.accumulator, "another accumulator");
    }

    /// @dev I12: of all luck, exactly the fraction of `expected * weight / divisor` gives the seat more. So the expectation
    /// is linear in the weight, and no split of a stake changes it.
    function _checkSplits(TaskId id) private view {
        Terms storage t = termsOf[id];
        uint256 e = t.roles == Roles.Drawn ? uint256(t.expectedTrainers) + t.expectedVoters : t.expectedVoters;
        for (uint256 i = 0; i < OPERATORS; ++i) {
            uint256 w = weightAtOpen[id][operators[i]];
            if (w == 0) continue;
            Lot memory lot = Lot(id, numberOf(id), Role.Drawn, operators[i], e, w, 0);
            lot.divisor = Sortition.divisorOf(plays[id].voterTotal, e, t.seatStake);
            uint256 d = lot.divisor;
            if (w > d) continue; // not of this pool
            uint256 more = (e * w) % d; // so many of d lots give one seat more
            uint256 floor = (e * w) / d;
            check(12, lot.seats(d - 1) == (more == 0 ? floor : floor + 1), "the best luck");
            check(12, lot.seats(d - 1 - more) == floor, "the best luck that gives nothing more");
            if (more != 0) check(12, lot.seats(d - more) == floor + 1, "the worst luck that gives one more");
        }
    }

    /// @dev I18: what a round goes by is what the task was created with.
    function _checkTerms(TaskId id) private view {
        bytes32 now_ = keccak256(abi.encode(registry.terms(id)));
        check(18, now_ == keccak256(abi.encode(termsOf[id])), "other terms");
    }

    /// @dev I17: from here a stranger brings the round to its end, in bounded gas, or nobody does: everybody leaves with
    /// everything all the same. What this does is undone.
    function checkLiveness(TaskId id, bool settles) internal {
        Terms storage t = termsOf[id];
        for (uint256 i = 0; i < OPERATORS; ++i) _exitAll(id, operators[i]);
        for (uint256 k = 0; k < HOSTS * DELEGATORS; ++k)
            _exitDelegated(id, hosts[k / DELEGATORS], delegators[k % DELEGATORS]);
        if (plays[id].open) {
            vm.warp(block.timestamp + t.propose + t.publish + t.ballot + t.reveal + 2 * uint256(t.grace));
            if (settles) _settleByStranger(id);
        }
        vm.warp(block.timestamp + t.unbonding);
        for (uint256 i = 0; i < OPERATORS; ++i) _leave(id, operators[i], operators[i]);
        for (uint256 k = 0; k < HOSTS * DELEGATORS; ++k) _leave(id, hosts[k / DELEGATORS], delegators[k % DELEGATORS]);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            Account memory a = accountOf(id, operators[i]);
            uint256 left = uint256(a.active) + a.joining + a.leaving + a.left;
            check(17, left == 0, "a stake that cannot leave");
        }
    }

    function _settleByStranger(TaskId id) private {
        (address[] memory first, address[] memory second) = _lists(id);
        vm.prank(stranger);
        uint256 gas = gasleft();
        try distributor.settle(id, first, second) {
            check(17, gas - gasleft() < MOST_GAS, "a settlement beyond its gas");
            check(17, phaseOf(id) == Phase.None, "a round that does not end");
        } catch {
            check(17, false, "a round that nobody can settle");
        }
    }

    function _exitAll(TaskId id, address operator) private {
        Account memory a = accountOf(id, operator);
        uint256 amount = uint256(a.active) + a.joining;
        if (amount == 0) return;
        vm.prank(operator);
        try staking.requestExit(id, operator, amount) {} catch {
            check(17, false, "an exit was refused");
        }
    }

    function _exitDelegated(TaskId id, address host, address owner) private {
        Position memory p = staking.position(id, host, owner);
        uint256 amount = ((p.shares * uint256(poolOf(id, host).mark.factor)) >> 79) + p.joining;
        if (amount == 0) return;
        vm.prank(owner);
        try staking.requestExit(id, host, amount) {} catch {
            check(17, false, "a delegator's exit was refused");
        }
    }

    function _leave(TaskId id, address operator, address owner) private {
        uint256 left;
        if (operator == owner) {
            Account memory a = accountOf(id, operator);
            left = uint256(a.left) + a.leaving;
        } else {
            Position memory p = staking.position(id, operator, owner);
            left = p.left + ((p.leavingShares * uint256(poolOf(id, operator).mark.factor)) >> 79);
        }
        if (left == 0) return;
        try staking.withdraw(id, operator, owner) {} catch {
            check(17, false, "what left cannot be withdrawn");
        }
    }
}
