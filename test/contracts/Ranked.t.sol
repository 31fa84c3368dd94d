// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Payout, Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Ballot, Base, Role, vm} from "./support/Base.sol";

/// @notice Pay by rank, played on the contracts.
contract RankedTest is Base {
    uint256 private constant POT = FUNDS / 10;
    uint256 private constant PART = ((POT - POT / 1000) * 7000) / 10_000;
    uint256 private constant FIRST = 1 << 64;

    function setUp() public override {
        super.setUp();
        createTask(ranked(), 5, 9);
    }

    function ranked() private pure returns (Terms memory terms) {
        terms = defaultTerms();
        terms.payout = Payout.Ranked;
    }

    /// @dev The third is best, then the first and the second; what is rejected or undecided has no rank. The order of the
    /// medians pays, not their sizes; the head still takes the factors.
    function test_ranked_paysByTheOrderOfTheMedians() public {
        proposeAndPublish(4);
        voteAlike(9, ballot(301, 300, 9000, -900));
        settle();
        uint256[3] memory w = places();
        uint256 total = w[0] + w[1] + w[2];
        uint256 cap = (2 * PART) / 6;
        vm.assertEq(account(trainers[2]).claimable, cap, "the best, capped");
        vm.assertEq(account(trainers[0]).claimable, (PART * w[1]) / total, "the second");
        vm.assertEq(account(trainers[1]).claimable, (PART * w[2]) / total, "the third");
        vm.assertGt((PART * w[0]) / total, cap, "the cap bites");
        vm.assertEq(account(trainers[3]).claimable, 0, "rejected");

        bytes32[] memory artifacts = new bytes32[](3);
        uint256[] memory factors = new uint256[](3);
        for (uint256 i = 0; i < 3; ++i) artifacts[i] = artifactOf(trainers[i]);
        (factors[0], factors[1], factors[2]) = (296, 295, 8995);
        bytes32 expected = keccak256(abi.encode(MANIFEST, uint32(1), uint256(4), artifacts, factors));
        vm.assertEq(headId(), expected, "head");
        assertConserved();
    }

    /// @dev A lone accepted proposal takes at most twice its fair share, whatever its rank.
    function test_ranked_capsALoneProposal() public {
        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        settle();
        vm.assertEq(account(trainers[0]).claimable, (2 * PART) / 6, "pay");
    }

    function test_ranked_breaksTiesByTheSeedsHash() public {
        proposeAndPublish(5);
        // All alike, so that places go by hash.
        for (uint256 i = 0; i < 9; ++i) sealBallot(validators[i], allAlike());
        revealBallots();
        settle();
        for (uint256 i = 0; i < 5; ++i) {
            for (uint256 j = 0; j < 5; ++j) {
                bool isBefore = keccak256(abi.encode(SEED, trainers[i])) < keccak256(abi.encode(SEED, trainers[j]));
                if (!isBefore) continue;
                vm.assertGt(account(trainers[i]).claimable, account(trainers[j]).claimable, "order of the hashes");
            }
        }
    }

    /// @dev Three seats of one operator earn what three operators with a seat and the same median would in their places.
    function test_ranked_split_pay_invariant() public {
        createTask(ranked(), 2, 9);
        stake(trainers[2], Role.Trainer, 3 * uint256(UNIT));
        proposeAndPublish(3);
        voteAlike(9, ballot(900, 20, 300));
        uint256 potOne = distributor.potOfRound(task);
        settle();
        uint256 whole = account(trainers[2]).claimable;
        uint96[2] memory others = [account(trainers[0]).claimable, account(trainers[1]).claimable];

        createTask(ranked(), 5, 9);
        proposeAndPublish(5);
        voteAlike(9, fiveMedians());
        vm.assertEq(distributor.potOfRound(task), potOne, "the same pot");
        settle();
        uint256 parts;
        for (uint256 i = 2; i < 5; ++i) parts += account(trainers[i]).claimable;
        vm.assertLe(parts, whole, "split earns no more");
        vm.assertLe(whole, parts + 2, "and no less but for the floors");
        vm.assertEq(account(trainers[0]).claimable, others[0], "the first does not care");
        vm.assertEq(account(trainers[1]).claimable, others[1], "the last does not care");
    }

    function places() private pure returns (uint256[3] memory w) {
        w[0] = FIRST;
        w[1] = (w[0] * 8500) / 10_000;
        w[2] = (w[1] * 8500) / 10_000;
    }

    function allAlike() private pure returns (Ballot) {
        return Ballot.wrap(Ballot.unwrap(ballot(300, 300, 300, 300)) | _lane(300, 4));
    }

    /// @dev 900, 20, and three times 300.
    function fiveMedians() private pure returns (Ballot) {
        return Ballot.wrap(Ballot.unwrap(ballot(900, 20, 300, 300)) | _lane(300, 4));
    }
}
