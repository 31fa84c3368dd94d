// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ballot} from "../types/Ballot.sol";
import {RoundId} from "../types/RoundId.sol";
import {TaskId} from "../types/TaskId.sol";

/// @title What is sealed
/// @notice A commitment binds type, chain, contract, task, round and operator before content and salt, so that it can be
/// opened in one place only, and a copy of it by nobody.
library Commitments {
    bytes32 internal constant PROPOSAL = keccak256("flock.proposal.1");
    bytes32 internal constant BALLOT = keccak256("flock.ballot.1");

    /// @notice The commitment of a proposal.
    /// @param rounds The contract of rounds.
    /// @param artifact The sha256 of the artifact's bytes.
    function proposal(
        address rounds,
        TaskId task,
        RoundId round,
        address operator,
        bytes32 artifact,
        bytes32 salt
    ) internal view returns (bytes32) {
        return keccak256(abi.encode(PROPOSAL, block.chainid, rounds, task, round, operator, artifact, salt));
    }

    /// @notice The commitment of a ballot.
    /// @param voting The contract of ballots.
    /// @param report The sha256 of the validation report.
    /// @param head The first 20 bytes of the sha256 of the head that was measured against.
    function ballot(
        address voting,
        TaskId task,
        RoundId round,
        address operator,
        Ballot scores,
        bytes32 report,
        bytes20 head,
        bytes32 salt
    ) internal view returns (bytes32) {
        return keccak256(abi.encode(BALLOT, block.chainid, voting, task, round, operator, scores, report, head, salt));
    }
}
