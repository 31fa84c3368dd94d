// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Round} from "../../../contracts/interfaces/IRounds.sol";
import {Roles, Terms} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {BallotState, Poll} from "../../../contracts/interfaces/IValidatorVoting.sol";
import {Commitments} from "../../../contracts/libraries/Commitments.sol";
import {ABSTAIN, Ballot, MISSING, Phase, Role, RoundId, TaskId, vm} from "../support/Base.sol";
import {StakeActs} from "./StakeActs.sol";

/// @notice Every act of a round but its settlement.
abstract contract RoundActs is StakeActs {
    /* SEALING AND OPENING, ONE BY ONE */

    function commitProposal(uint256 luck) external {
        _anyone(luck, Phase.Propose, tryProposal);
    }

    function publishProposal(uint256 luck) external {
        _anyone(luck, Phase.Publish, tryPublish);
    }

    function commitBallot(uint256 luck) external {
        _anyone(luck, Phase.Ballot, tryBallot);
    }

    function revealBallot(uint256 luck) external {
        _anyone(luck, Phase.Reveal, tryReveal);
    }

    function accuseAbsence(uint256 luck) external {
        if (luck % 8 != 0) _endBallots(luck);
        _anyone(luck, Phase.Reveal, tryAccuse);
    }

    /// @dev Goes to the end of the ballots of a task, once a quorum of them is sealed.
    function _endBallots(uint256 luck) private {
        for (uint256 t = 0; t < tasks.length; ++t) {
            TaskId id = tasks[t];
            if (phaseOf(id) != Phase.Ballot) continue;
            for (uint256 i = 0; i < OPERATORS && !_isQuorate(id); ++i) {
                tryBallot(id, operators[(pick(luck, 1, OPERATORS) + i) % OPERATORS], luck);
            }
            if (!_isQuorate(id)) continue;
            (, uint40 endsAt) = voting.phase(id);
            vm.warp(endsAt);
            mine();
            return;
        }
    }

    function _isQuorate(TaskId id) private view returns (bool) {
        return plays[id].sealedSeats >= termsOf[id].expectedVoters / 2 + 1;
    }

    /// @dev Whoever can do something in a task in `phase`, starting the search with any.
    function _anyone(
        uint256 luck,
        Phase phase,
        function(TaskId, address, uint256) internal returns (bool) tryIt
    ) private {
        uint256 first = pick(luck, 1, OPERATORS * tasks.length);
        for (uint256 t = 0; t < tasks.length; ++t) {
            touched = tasks[(first + t) % tasks.length];
            if (phaseOf(touched) != phase) continue;
            for (uint256 i = 0; i < OPERATORS; ++i) {
                if (tryIt(touched, operators[(first + i) % OPERATORS], luck)) return;
            }
        }
        revert Idle();
    }

    function latchSeed(uint256 luck) external {
        uint256 first = pick(luck, 0, tasks.length);
        for (uint256 i = 0; i < tasks.length; ++i) {
            TaskId id = touched = tasks[(first + i) % tasks.length];
            Round memory r = rounds.round(id);
            bool early = r.open && r.seedsLatched == 0;
            bool named = r.seedsLatched == 1 && r.published != 0 && block.number > r.voterBlock;
            if (!early && !(r.open && named)) continue;
            rounds.latchSeed(id);
            return;
        }
        revert Idle();
    }

    /* WHOEVER CAN, SEALS OR OPENS; FALSE IF THERE IS NOTHING TO DO */

    function tryProposal(TaskId id, address operator, uint256 luck) internal returns (bool) {
        (RoundId sealedIn, , , , ) = rounds.proposal(id, operator);
        if (sealedIn == numberOf(id) || plainSeats(id, Role.Trainer, operator) == 0) return false;
        bytes32 commitment = proposalOf(id, operator);
        bool asSigner = staking.signerOf(id, operator) == signerOf(operator) && luck % 2 == 0;
        vm.prank(asSigner ? signerOf(operator) : operator);
        rounds.commitProposal(id, operator, commitment);
        hold(8, plainPhase(id) == Phase.Propose, "a proposal was sealed outside propose");
        ++plays[id].sealedCount;
        return true;
    }

    function tryPublish(TaskId id, address operator, uint256) internal returns (bool) {
        (RoundId sealedIn, , , bool isOut, ) = rounds.proposal(id, operator);
        if (isOut || sealedIn != numberOf(id)) return false;
        Play storage p = plays[id];
        bool inPhase = plainPhase(id) == Phase.Publish;
        bytes32 salt = saltIn(id, operator);
        rounds.publishProposal(id, operator, artifactIn(id, operator), salt);
        hold(8, inPhase, "a proposal was published outside publish");
        if (published[id].length == 0) p.firstPublishedIn = block.number;
        published[id].push(operator);
        p.accumulator ^= keccak256(abi.encode(salt, operator));
        p.lastPublishedAt = block.timestamp;
        if (block.timestamp < p.openedAt + termsOf[id].propose + termsOf[id].publish) ++p.publishedOnTime;
        return true;
    }

    function tryBallot(TaskId id, address operator, uint256 luck) internal returns (bool) {
        (RoundId sealedIn, , , , ) = voting.ballot(id, operator);
        if (hashOf[plays[id].firstPublishedIn + 1] == 0 || sealedIn == numberOf(id)) return false;
        uint256 seats = plainSeats(id, Role.Validator, operator);
        if (seats == 0) return false;
        bool inPhase = plainPhase(id) == Phase.Ballot;
        (sealedScores[id][operator], sealedHead[id][operator]) = opinion(id, operator, luck);
        bytes32 commitment = ballotOf(id, operator);
        bool asSigner = staking.signerOf(id, operator) == signerOf(operator) && luck % 2 == 0;
        vm.prank(asSigner ? signerOf(operator) : operator);
        voting.commitBallot(id, operator, commitment, "copy");
        hold(8, inPhase, "a ballot was sealed outside ballot");
        plays[id].sealedSeats += seats;
        return true;
    }

    function tryReveal(TaskId id, address operator, uint256) internal returns (bool) {
        (RoundId sealedIn, uint16 seats, BallotState state, , ) = voting.ballot(id, operator);
        if (sealedIn != numberOf(id) || state != BallotState.Sealed) return false;
        Play storage p = plays[id];
        bool inPhase = plainPhase(id) == Phase.Reveal;
        bool late = p.sealedCount >= 3 && 3 * p.publishedOnTime < 2 * p.sealedCount;
        reveal(id, operator, saltIn(id, operator));
        hold(8, inPhase, "a ballot was revealed outside reveal");
        p.revealedSeats += seats;
        p.lastRevealedAt = block.timestamp;
        Terms storage t = termsOf[id];
        uint256 deadline = p.openedAt + t.propose + t.publish + t.ballot + t.reveal + (late ? t.grace : 0);
        if (block.timestamp < deadline) p.revealedOnTime += seats;
        return true;
    }

    function tryAccuse(TaskId id, address operator, uint256) internal returns (bool) {
        (RoundId sealedIn, , , , ) = voting.ballot(id, operator);
        Poll memory poll = voting.poll(id);
        bool enough = poll.round == numberOf(id) && poll.sealedSeats >= termsOf[id].expectedVoters / 2 + 1;
        if (!enough || sealedIn == numberOf(id) || plainSeats(id, Role.Validator, operator) == 0) return false;
        bool inPhase = plainPhase(id) == Phase.Reveal;
        vm.prank(stranger);
        voting.accuseAbsence(id, operator);
        hold(8, inPhase, "an absence was accused outside reveal");
        return true;
    }

    /* WHAT IS SEALED */

    function artifactIn(TaskId id, address operator) internal view returns (bytes32) {
        return keccak256(abi.encode("artifact", id, numberOf(id), operator));
    }

    function saltIn(TaskId id, address operator) internal view returns (bytes32) {
        return keccak256(abi.encode("salt", id, numberOf(id), operator));
    }

    function proposalOf(TaskId id, address operator) internal view returns (bytes32) {
        (bytes32 artifact, bytes32 salt) = (artifactIn(id, operator), saltIn(id, operator));
        return Commitments.proposal(address(rounds), id, numberOf(id), operator, artifact, salt);
    }

    function ballotOf(TaskId id, address operator) internal view returns (bytes32) {
        (Ballot scores, bytes20 head) = (sealedScores[id][operator], sealedHead[id][operator]);
        bytes32 salt = saltIn(id, operator);
        return Commitments.ballot(address(voting), id, numberOf(id), operator, scores, REPORT, head, salt);
    }

    function reveal(TaskId id, address operator, bytes32 salt) internal {
        voting.revealBallot(id, operator, sealedScores[id][operator], REPORT, sealedHead[id][operator], salt);
    }

    /// @dev Mostly what is true of an artifact and a little noise; now and then a lie, silence, or another head.
    function opinion(TaskId id, address operator, uint256 luck) internal view returns (Ballot, bytes20) {
        uint256 word;
        bool judges;
        bool lies = pick(luck ^ uint160(operator), 7, 9) == 0;
        for (uint256 slot = 0; slot < published[id].length; ++slot) {
            int256 score = _score(id, published[id][slot], uint256(uint160(operator)) ^ luck, lies);
            if (!isSilent(score)) judges = true;
            word |= uint256(uint16(int16(score))) << (16 * slot);
        }
        uint256 names = pick(luck ^ uint160(operator), 8, 9);
        if (names == 0 && !judges) return (Ballot.wrap(word), 0);
        return (Ballot.wrap(word), names == 1 ? bytes20("other") : HEAD);
    }

    function _score(TaskId id, address proposer, uint256 luck, bool lies) private view returns (int256) {
        uint256 truth = uint256(keccak256(abi.encode(id, numberOf(id), proposer)));
        uint256 noise = uint256(keccak256(abi.encode(luck, proposer)));
        if (noise % 14 == 0) return ABSTAIN;
        if (noise % 14 == 1 || (truth % 11 == 0 && noise % 4 != 0)) return MISSING;
        int256[5] memory levels = [int256(300), 900, 60, -900, 2];
        int256 level = levels[(truth >> 8) % 5];
        return (lies ? -level : level) + int256((noise >> 8) % 41) - 20;
    }
}
