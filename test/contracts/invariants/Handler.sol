// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Purse} from "../../../contracts/interfaces/IRewardDistributor.sol";
import {Round} from "../../../contracts/interfaces/IRounds.sol";
import {Account} from "../../../contracts/interfaces/IStaking.sol";
import {Payout, Roles, Terms} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {BallotState} from "../../../contracts/interfaces/IValidatorVoting.sol";
import {Phase, Role, RoundId, TaskId, vm} from "../support/Base.sol";
import {Settlements} from "./Settlements.sol";

/// @notice The acts on tasks and their money, acts that must fail, time, and `play`, which goes on with a round so that a
/// sequence of random acts gets somewhere.
abstract contract Handler is Settlements {
    /* TASKS */

    function createTask(uint256 luck) external {
        require(tasks.length < MOST_TASKS, Idle());
        Terms memory t = termsOf[tasks[2]];
        t.roles = Roles(pick(luck, 1, 2));
        t.payout = Payout(pick(luck, 2, 2));
        (t.expectedTrainers, t.expectedVoters) = (uint8(1 + pick(luck, 3, 8)), uint8(1 + pick(luck, 4, 12)));
        (t.grace, t.unbonding) = (uint24(pick(luck, 5, 50)), 400);
        addTask(t, pick(luck, 6, 3) * 1000);
        TaskId id = touched = tasks[tasks.length - 1];
        for (uint256 i = 0; i < OPERATORS; ++i) putStake(id, operators[i], (1 + pick(luck, 7 + i, 3)) * t.seatStake);
    }

    function fund(uint256 luck) external {
        TaskId id = anyTask(luck);
        pay(luck % 2 == 0 ? creator : stranger, id, 1 + pick(luck, 1, 10 * uint256(termsOf[id].seatStake)));
    }

    function announceClose(uint256 luck) external {
        TaskId id = anyTask(luck);
        require(luck % 4 == 0, Idle()); // a task that closes plays no more
        vm.prank(creator);
        registry.announceClose(id);
    }

    function close(uint256 luck) external {
        uint256 first = pick(luck, 0, tasks.length);
        for (uint256 i = 0; i < tasks.length; ++i) {
            TaskId id = touched = tasks[(first + i) % tasks.length];
            if (!isClosed(id) && _isClosable(id)) return _close(id);
        }
        distributor.close(tasks[first]);
        hold(8, false, "a task was closed without a reason");
    }

    function _isClosable(TaskId id) private view returns (bool) {
        Round memory r = rounds.round(id);
        (, , , , , uint40 closableAt) = registry.task(id);
        Purse memory purse = distributor.purse(id);
        Terms storage t = termsOf[id];
        if (r.open) return false;
        if (r.paidRounds == t.rounds || r.voids >= t.maxVoids) return true;
        if (closableAt != 0 && block.timestamp >= closableAt) return true;
        return purse.idleSince != 0 && block.timestamp >= purse.idleSince + t.idleAfter;
    }

    function _close(TaskId id) private {
        Purse memory purse = distributor.purse(id);
        uint256 left = uint256(purse.pot) + purse.incoming;
        uint256 due = purse.deposited > purse.paid ? purse.deposited - purse.paid : 0;
        uint256 refund = left < due ? left : due;
        uint256 before = accountOf(id, creator).claimable;
        distributor.close(id);
        hold(5, accountOf(id, creator).claimable == before + refund, "a refund of another amount");
        own[id][creator].credited += refund;
        purseOf[id] = 0;
    }

    /* WHAT MUST FAIL */

    /// @dev Acts out of their phase, twice, by the wrong one or without seats: each must be refused.
    function misact(uint256 luck) external {
        TaskId id = anyTask(luck);
        address operator = operators[pick(luck, 1, OPERATORS)];
        _misactInRound(id, operator, plainPhase(id), luck);
        _misactTwice(id, operator);
    }

    function _misactInRound(TaskId id, address operator, Phase phase, uint256 luck) private {
        if (phase != Phase.Propose) {
            vm.prank(operator);
            try rounds.commitProposal(id, operator, "late") {
                hold(8, false, "a proposal was sealed outside propose");
            } catch {}
        } else if (rounds.seats(id, Role.Trainer, operator) == 0) {
            vm.prank(operator);
            try rounds.commitProposal(id, operator, "seatless") {
                hold(10, false, "a proposal was sealed without a seat");
            } catch {}
        }
        if (phase != Phase.Ballot) {
            vm.prank(operator);
            try voting.commitBallot(id, operator, "late", "") {
                hold(8, false, "a ballot was sealed outside ballot");
            } catch {}
        } else if (hashOf[plays[id].firstPublishedIn + 1] != 0 && plainSeats(id, Role.Validator, operator) == 0) {
            vm.prank(operator);
            try voting.commitBallot(id, operator, "seatless", "") {
                hold(10, false, "a ballot was sealed without a seat");
            } catch {}
        }
        if (phase != Phase.Settle) {
            (address[] memory first, address[] memory second) = _lists(id);
            try distributor.settle(id, first, second) {
                hold(8, false, "a round was settled before its end");
            } catch {}
        }
        vm.prank(address(uint160(luck)));
        try rounds.commitProposal(id, operator, "stranger") {
            hold(10, false, "a stranger sealed for an operator");
        } catch {}
    }

    /// @dev One commitment, and one reveal for it, which only its preimage opens.
    function _misactTwice(TaskId id, address operator) private {
        (RoundId sealedIn, , , bool isOut, ) = rounds.proposal(id, operator);
        if (sealedIn == numberOf(id)) {
            vm.prank(operator);
            try rounds.commitProposal(id, operator, "again") {
                hold(9, false, "a second proposal was sealed");
            } catch {}
            bytes32 salt = isOut ? saltIn(id, operator) : bytes32("another");
            try rounds.publishProposal(id, operator, artifactIn(id, operator), salt) {
                hold(9, false, "a proposal was published twice, or with another salt");
            } catch {}
        }
        BallotState state;
        (sealedIn, , state, , ) = voting.ballot(id, operator);
        if (sealedIn != numberOf(id)) return;
        vm.prank(operator);
        try voting.commitBallot(id, operator, "again", "") {
            hold(9, false, "a second ballot was sealed");
        } catch {}
        try this.revealWith(id, operator, state == BallotState.Revealed ? saltIn(id, operator) : bytes32("another")) {
            hold(9, false, "a ballot was revealed twice, or with another salt");
        } catch {}
    }

    function revealWith(TaskId id, address operator, bytes32 salt) external {
        reveal(id, operator, salt);
    }

    function _lists(TaskId id) internal view returns (address[] memory, address[] memory) {
        if (!plays[id].open) return (none(), none());
        RoundId number = numberOf(id);
        return (proposersOf(id, number), votersOf(id, number));
    }

    /* TIME */

    /// @dev A second, the end of somebody's phase, an unbonding period; now and then so many blocks that a seed is missed.
    function passTime(uint256 luck) external {
        uint256 kind = pick(luck, 1, 8);
        TaskId id = anyTask(luck);
        if (kind == 0) vm.warp(block.timestamp + 1);
        else if (kind < 4) _toTheEnd(id);
        else if (kind < 7) vm.warp(block.timestamp + termsOf[id].unbonding);
        else vm.roll(block.number + 300);
        mine();
        _notePhases();
    }

    /// @dev Time never takes a round back to an earlier phase.
    function _notePhases() private {
        for (uint256 t = 0; t < tasks.length; ++t) {
            Phase phase = phaseOf(tasks[t]);
            hold(8, phase == Phase.None || phase >= plays[tasks[t]].reached, "a phase came back");
            plays[tasks[t]].reached = phase;
        }
    }

    function _toTheEnd(TaskId id) internal {
        (, uint40 endsAt) = voting.phase(id);
        if (endsAt > block.timestamp) vm.warp(endsAt);
    }

    /* ROUNDS GO ON */

    /// @dev Goes on with the round that ends its phase first: most of those who can, act, and then time moves.
    function play(uint256 luck) external {
        (TaskId id, Phase phase) = _next(luck);
        touched = id;
        if (phase == Phase.None) return openTask(id);
        if (phase == Phase.Settle) return settleTask(id, luck);
        // At times only some act, and the phase goes on; often in reveal, where most acts wait for each other.
        bool stays = pick(luck, 30, 4) < (phase == Phase.Reveal ? 3 : 2);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            if (pick(luck, 10 + i, 8) >= (stays ? 5 : 1)) _act(id, phase, operators[i], pick(luck, 40 + i, 1 << 64));
        }
        if (phase == Phase.Reveal && pick(luck, 31, 6) == 0) _accuseSome(id, luck);
        mine();
        if (!stays && phaseOf(id) == phase) _toTheEnd(id);
        _notePhases();
    }

    function _act(TaskId id, Phase phase, address operator, uint256 luck) private {
        if (phaseOf(id) != phase) return; // everything is open: the phase ended
        if (phase == Phase.Propose) tryProposal(id, operator, luck);
        else if (phase == Phase.Publish) tryPublish(id, operator, luck);
        else if (phase == Phase.Ballot) tryBallot(id, operator, luck);
        else tryReveal(id, operator, luck);
    }

    function _accuseSome(TaskId id, uint256 luck) private {
        if (phaseOf(id) != Phase.Reveal) return;
        for (uint256 i = 0; i < OPERATORS; ++i) if (pick(luck, 60 + i, 2) == 0) tryAccuse(id, operators[i], luck);
    }

    /// @dev The task whose phase ends first, or one that waits for somebody to open or settle.
    function _next(uint256 luck) private view returns (TaskId chosen, Phase phase) {
        uint256 soonest = type(uint256).max;
        uint256 first = pick(luck, 0, tasks.length);
        for (uint256 i = 0; i < tasks.length; ++i) {
            TaskId id = tasks[(first + i) % tasks.length];
            if (isClosed(id) || (plays[id].open == false && !_mayOpen(id))) continue;
            (Phase current, uint40 endsAt) = voting.phase(id);
            if (endsAt >= soonest) continue;
            (chosen, phase, soonest) = (id, current, endsAt);
        }
        require(soonest != type(uint256).max, Idle());
    }

    function _mayOpen(TaskId id) private view returns (bool) {
        Round memory r = rounds.round(id);
        Terms storage t = termsOf[id];
        (, , , , , uint40 closableAt) = registry.task(id);
        if (closableAt != 0 && block.timestamp >= closableAt) return false;
        if (r.paidRounds == t.rounds || r.voids >= t.maxVoids) return false;
        (uint96 trainerTotal, uint96 voterTotal) = staking.totals(id);
        uint256 quorum = t.expectedVoters / 2 + 1;
        if (t.roles == Roles.Drawn) return trainerTotal >= (t.expectedTrainers + quorum) * t.seatStake;
        return trainerTotal >= t.seatStake && voterTotal >= quorum * t.seatStake;
    }
}
