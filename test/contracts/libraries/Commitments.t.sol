// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Commitments} from "../../../contracts/libraries/Commitments.sol";
import {Ballot} from "../../../contracts/types/Ballot.sol";
import {RoundId} from "../../../contracts/types/RoundId.sol";
import {TaskId} from "../../../contracts/types/TaskId.sol";
import {vm} from "../support/Vm.sol";

contract CommitmentsTest {
    struct Proposal {
        address rounds;
        uint64 task;
        uint32 round;
        address operator;
        bytes32 artifact;
        bytes32 salt;
    }

    function test_proposal_isTheFormula_fuzz(Proposal memory p, uint64 chain) public {
        vm.assume(chain != 0);
        vm.chainId(chain);
        bytes32 expected = keccak256(
            abi.encode(
                keccak256("flock.proposal.1"),
                uint256(chain),
                p.rounds,
                p.task,
                p.round,
                p.operator,
                p.artifact,
                p.salt
            )
        );
        vm.assertEq(_proposal(p), expected, "formula");
    }

    function test_proposal_bindsEverything_fuzz(Proposal memory p, Proposal memory q) public view {
        if (keccak256(abi.encode(p)) == keccak256(abi.encode(q))) return;
        vm.assertTrue(_proposal(p) != _proposal(q), "two contents");
    }

    function test_salt_differs_by_type_and_chain() public {
        bytes32 ballot = Commitments.ballot(
            address(1),
            TaskId.wrap(1),
            RoundId.wrap(1),
            address(2),
            Ballot.wrap(3),
            "report",
            bytes20("head"),
            "salt"
        );
        bytes32 expected = keccak256(
            abi.encode(
                keccak256("flock.ballot.1"),
                block.chainid,
                address(1),
                uint64(1),
                uint32(1),
                address(2),
                uint256(3),
                bytes32("report"),
                bytes20("head"),
                bytes32("salt")
            )
        );
        vm.assertEq(ballot, expected, "formula");

        Proposal memory p = Proposal(address(1), 1, 1, address(2), "artifact", "salt");
        bytes32 here = _proposal(p);
        vm.chainId(5);
        vm.assertTrue(here != _proposal(p), "chain");
    }

    function _proposal(Proposal memory p) private view returns (bytes32) {
        return
            Commitments.proposal(p.rounds, TaskId.wrap(p.task), RoundId.wrap(p.round), p.operator, p.artifact, p.salt);
    }
}
