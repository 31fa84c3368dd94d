// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRewardDistributor} from "../../contracts/interfaces/IRewardDistributor.sol";
import {Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {ABSTAIN, Ballot, Base, MISSING, Phase, Role, RoundId, vm} from "./support/Base.sol";

/// @notice The rules of the money, played on the contracts: each attack that a rule answers, under its name.
contract MoneyTest is Base {
    uint256 private constant POT = FUNDS / 10;
    uint256 private constant SHARED = POT - POT / 1000; // less the settler's bounty
    uint256 private constant TRAINER_PART = (SHARED * 7000) / 10_000;
    uint256 private constant VOTER_PART = (SHARED * 3000) / 10_000;

    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 6, 9);
    }

    function test_split_pay_and_slash_invariant() public {
        // One trainer with three seats against three with one; one voter with three against three with one.
        createTask(defaultTerms(), 3, 3);
        stake(trainers[3], Role.Trainer, 3 * uint256(UNIT));
        stake(validators[3], Role.Validator, 3 * uint256(UNIT));
        proposeAndPublish(4);
        for (uint256 i = 0; i < 4; ++i) sealBallot(validators[i], ballot(300, 300, 300, 300));
        revealBallots();
        settle();
        uint256 alone = account(trainers[0]).claimable;
        _assertThrice(account(trainers[3]).claimable, alone, "pay of three seats");

        proposeAndPublish(4);
        for (uint256 i = 0; i < 4; ++i) sealBallot(validators[i], ballot(-900, -900, -900, -900));
        revealBallots();
        settle();
        uint256 lost = UNIT - account(trainers[0]).active;
        vm.assertGt(lost, 0, "slash of one seat");
        vm.assertEq(3 * uint256(UNIT) - account(trainers[3]).active, 3 * lost, "slash of three seats");

        uint256 voterPay = account(validators[0]).claimable;
        _assertThrice(account(validators[3]).claimable, voterPay, "pay of three voter seats");
        assertConserved();
    }

    /// @dev Equal but for what is floored away, less than a unit for each of the three.
    function _assertThrice(uint256 whole, uint256 part, string memory what) private pure {
        vm.assertLe(3 * part, whole, what);
        vm.assertLe(whole, 3 * part + 2, what);
    }

    /// @dev One score for all earns nothing, however right it is on average.
    function test_constant_ballot_earnsZero() public {
        proposeAndPublish(3);
        for (uint256 i = 0; i < 8; ++i) sealBallot(validators[i], ballot(300, 10, -900));
        sealBallot(validators[8], ballot(300, 300, 300));
        revealBallots();
        settle();
        vm.assertEq(account(validators[8]).claimable, 0, "pay of a constant");
        vm.assertEq(account(validators[0]).claimable, VOTER_PART / 8, "pay of a measurement");
    }

    /// @dev A proposal that only a gang can judge is not quorate: coherence on it pays nobody.
    function test_gang_only_proposal_pays_nobody() public {
        proposeAndPublish(3);
        for (uint256 i = 0; i < 5; ++i) sealBallot(validators[i], ballot(300, -900, ABSTAIN));
        for (uint256 i = 5; i < 9; ++i) sealBallot(validators[i], ballot(300, -900, 77));
        revealBallots();
        settle();
        vm.assertEq(account(validators[5]).claimable, account(validators[0]).claimable, "pay of the gang");
    }

    /// @dev Approving poison with +1 counts in full, so it is a fault in full.
    function test_plus_one_on_poison_is_slashed() public {
        proposeAndPublish(2);
        for (uint256 i = 0; i < 7; ++i) sealBallot(validators[i], ballot(300, -900));
        sealBallot(validators[7], ballot(300, 6));
        sealBallot(validators[8], ballot(300, 5));
        revealBallots();
        settle();
        uint256 fault = (uint256(UNIT) * 1000) / 10_000 / 2;
        vm.assertEq(account(validators[7]).active, UNIT - fault, "just above minGain: voted for");
        vm.assertEq(account(validators[8]).active, UNIT, "neutral: counted for no side");
        assertConserved();
    }

    /// @dev Dissent near the median is an honest difference.
    function test_dissent_withinItsBandIsNoFault() public {
        // Median 60 accepted; -51 is a vote against, 111 away: within 200 + 15.
        proposeAndPublish(2);
        for (uint256 i = 0; i < 8; ++i) sealBallot(validators[i], ballot(60, 300));
        sealBallot(validators[8], ballot(-51, 300));
        revealBallots();
        settle();
        vm.assertEq(account(validators[8]).active, UNIT, "stake");
    }

    /// @dev A third can block a proposal with zeros, and pays with what it would have earned on it.
    function test_vote_zero_veto_unpaid() public {
        proposeAndPublish(2);
        for (uint256 i = 0; i < 4; ++i) sealBallot(validators[i], ballot(300, 900));
        for (uint256 i = 4; i < 9; ++i) sealBallot(validators[i], ballot(0, 900));
        revealBallots();
        settle();
        vm.assertEq(account(trainers[0]).claimable, 0, "blocked");
        // The median is now 0, so the honest miss it: the price is real only for a minority.
        proposeAndPublish(2);
        for (uint256 i = 0; i < 6; ++i) sealBallot(validators[i], ballot(300, 900));
        for (uint256 i = 6; i < 9; ++i) sealBallot(validators[i], ballot(0, 900));
        uint256 honest = account(validators[0]).claimable;
        uint256 veto = account(validators[8]).claimable;
        revealBallots();
        settle();
        honest = account(validators[0]).claimable - honest;
        veto = account(validators[8]).claimable - veto;
        vm.assertEq(honest, 4 * (honest / 4), "squares");
        vm.assertLe(veto * 4, honest, "a blocker that hits one of two earns at most a quarter");
    }

    function test_lone_accepted_capped() public {
        proposeAndPublish(1);
        voteAlike(5, ballot(300));
        settle();
        vm.assertEq(account(trainers[0]).claimable, (2 * TRAINER_PART) / 6, "trainer");
        vm.assertEq(account(validators[0]).claimable, VOTER_PART / 5, "voters share");

        createTask(defaultTerms(), 1, 9);
        Terms memory terms = defaultTerms();
        terms.expectedVoters = 40;
        createTask(terms, 1, 21);
        proposeAndPublish(1);
        for (uint256 i = 0; i < 21; ++i) sealBallot(validators[i], i < 11 ? ballot(300) : ballot(0));
        revealBallots();
        settle();
        vm.assertEq(account(validators[0]).claimable, (2 * VOTER_PART) / 40, "voter capped at twice its fair share");
        assertConserved();
    }

    function test_missing_by_accept_costs_the_proposer() public {
        proposeAndPublish(2);
        for (uint256 i = 0; i < 6; ++i) sealBallot(validators[i], ballot(300, MISSING));
        for (uint256 i = 6; i < 9; ++i) sealBallot(validators[i], ballot(300, 400));
        revealBallots();
        settle();
        vm.assertEq(account(trainers[1]).active, UNIT - (uint256(UNIT) * 1500) / 10_000, "stake of its proposer");
        vm.assertEq(account(validators[6]).active, UNIT, "nobody dissents on what is missing");
        vm.assertEq(account(validators[0]).active, UNIT, "nobody is silent on what is missing");
        assertConserved();
    }

    function test_missing_byFewerIsUndecided() public {
        proposeAndPublish(2);
        for (uint256 i = 0; i < 5; ++i) sealBallot(validators[i], ballot(300, MISSING));
        for (uint256 i = 5; i < 9; ++i) sealBallot(validators[i], ballot(300, 400));
        revealBallots();
        settle();
        vm.assertEq(account(trainers[1]).active, UNIT, "stake");
        vm.assertEq(account(trainers[1]).claimable, 0, "pay");
    }

    function test_silence_onADecidedProposalCostsAsAbsence() public {
        proposeAndPublish(2);
        for (uint256 i = 0; i < 7; ++i) sealBallot(validators[i], ballot(300, -900));
        sealBallot(validators[7], ballot(ABSTAIN, -900));
        sealBallot(validators[8], ballot(ABSTAIN, MISSING), 0);
        revealBallots();
        settle();
        uint256 absent = (uint256(UNIT) * 200) / 10_000;
        vm.assertEq(account(validators[7]).active, UNIT - absent / 2, "one of two");
        vm.assertEq(account(validators[8]).active, UNIT - absent, "both, and no fault for a head it did not name");
        assertConserved();
    }

    function test_head_otherThanTheReferenceIsAFault() public {
        proposeAndPublish(1);
        for (uint256 i = 0; i < 6; ++i) sealBallot(validators[i], ballot(300));
        for (uint256 i = 6; i < 9; ++i) sealBallot(validators[i], ballot(300), bytes20("other"));
        revealBallots();
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.HeadReferenced(task, RoundId.wrap(1), MANIFEST, HEAD);
        settle();
        vm.assertEq(account(validators[0]).active, UNIT, "the reference");
        vm.assertEq(account(validators[8]).active, UNIT - (uint256(UNIT) * 500) / 10_000, "another head");
        assertConserved();
    }

    /// @dev Rubbish heads below `acceptBps` block nothing and void nothing: there is just no reference.
    function test_garbage_heads_cannot_void() public {
        proposeAndPublish(1);
        for (uint256 i = 0; i < 5; ++i) sealBallot(validators[i], ballot(300));
        for (uint256 i = 5; i < 9; ++i) sealBallot(validators[i], ballot(300), bytes20(uint160(i)));
        revealBallots();
        settle();
        vm.assertEq(account(validators[8]).active, UNIT, "no reference, no fault");
        vm.assertTrue(headId() != MANIFEST, "the head moved");
    }

    function test_unrevealed_ballotIsSlashedAndUnpaid() public {
        proposeAndPublish(1);
        for (uint256 i = 0; i < 9; ++i) sealBallot(validators[i], ballot(300));
        endPhase(Phase.Ballot);
        for (uint256 i = 0; i < 8; ++i) reveal(validators[i]);
        endPhase(Phase.Reveal);
        settle();
        vm.assertEq(account(validators[8]).active, UNIT - (uint256(UNIT) * 1500) / 10_000, "stake");
        vm.assertEq(account(validators[8]).claimable, 0, "pay");
        assertConserved();
    }

    function test_pot_fixed_at_open() public {
        openRound();
        vm.assertEq(distributor.potOfRound(task), POT, "pot");
        fund(creator, FUNDS);
        vm.assertEq(distributor.potOfRound(task), POT, "pot after a top-up");
        vm.assertEq(purse().incoming, FUNDS, "incoming");
        sealProposal(trainers[0]);
        sealProposal(trainers[1]);
        endPhase(Phase.Propose);
        publish(trainers[0]);
        publish(trainers[1]);
        voteAlike(9, ballot(300, -900));
        vm.assertEq(distributor.potOfRound(task), POT, "pot at settlement");
        settle();
        uint256 slashed = (uint256(UNIT) * 3000) / 10_000;
        vm.assertEq(purse().incoming, 0, "incoming joined");
        vm.assertEq(purse().pot, 2 * FUNDS - purse().paid + (slashed * 9) / 10, "top-up and slashes joined");
        vm.assertEq(distributor.potOfRound(task), purse().pot / 9, "next pot");
        assertConserved();
    }

    /// @dev The windows shrink until somebody tells the proposals apart: 160 and 230 at first fit both windows.
    function test_windows_halveUntilSomebodyHasAPoint() public {
        proposeAndPublish(2);
        for (uint256 i = 0; i < 5; ++i) sealBallot(validators[i], ballot(160, 230));
        for (uint256 i = 5; i < 9; ++i) sealBallot(validators[i], ballot(195, 195));
        revealBallots();
        settle();
        vm.assertEq(account(validators[0]).claimable, VOTER_PART / 5, "who told them apart");
        vm.assertEq(account(validators[8]).claimable, 0, "who did not");
    }

    /// @dev 50, 25, 12, 6: medians 10 apart are told apart by the third half, medians 6 apart never.
    function test_windows_halveThreeTimesAndNoMore() public {
        Terms memory terms = defaultTerms();
        terms.toleranceBps = 0;
        createTask(terms, 2, 9);
        for (int16 apart = 10; apart >= 6; apart -= 4) {
            uint256 before = account(validators[0]).claimable;
            uint256 part = (_shared(distributor.potOfRound(task)) * 3000) / 10_000;
            proposeAndPublish(2);
            for (uint256 i = 0; i < 9; ++i)
                sealBallot(validators[i], i < 5 ? ballot(300, 300 + apart) : ballot(305, 305));
            revealBallots();
            settle();
            uint256 pay = account(validators[0]).claimable - before;
            vm.assertEq(pay, apart == 10 ? part / 5 : 0, "pay");
        }
    }

    function test_factors_areShareOfPayAndOfHead() public {
        proposeAndPublish(3);
        voteAlike(9, ballot(105, 305, 55));
        settle();
        // Factors 100, 300, 50: of 450, the second capped at a third.
        vm.assertEq(account(trainers[0]).claimable, (TRAINER_PART * 100) / 450, "first");
        vm.assertEq(account(trainers[1]).claimable, (2 * TRAINER_PART) / 6, "second, capped");
        vm.assertEq(account(trainers[2]).claimable, (TRAINER_PART * 50) / 450, "third");

        bytes32[] memory artifacts = new bytes32[](3);
        uint256[] memory factors = new uint256[](3);
        for (uint256 i = 0; i < 3; ++i) artifacts[i] = artifactOf(trainers[i]);
        (factors[0], factors[1], factors[2]) = (100, 300, 50);
        bytes32 expected = keccak256(abi.encode(MANIFEST, uint32(1), uint256(3), artifacts, factors));
        vm.assertEq(headId(), expected, "lineage");
        (, , , uint32 heads, , ) = registry.task(task);
        vm.assertEq(heads, 1, "heads");
    }

    function test_head_staysIfNothingIsAccepted() public {
        proposeAndPublish(2);
        voteAlike(9, ballot(2, -900));
        settle();
        vm.assertEq(headId(), MANIFEST, "head");
        vm.assertEq(rounds.roundsLeft(task), 9, "a paid round all the same");
    }

    /// @dev Rounds of random ballots conserve every unit.
    function test_rounds_conserve_fuzz(uint256 a, uint256 b, uint256 c) public {
        uint256[3] memory words = [a, b, c];
        for (uint256 r = 0; r < 2; ++r) {
            proposeAndPublish(4);
            for (uint256 i = 0; i < 9; ++i) {
                uint256 word = uint256(keccak256(abi.encode(words[i % 3], i / 6, r))) & type(uint64).max;
                sealBallot(validators[i], Ballot.wrap(word), bytes20(uint160(1 + (word % 2))));
            }
            endPhase(Phase.Ballot);
            for (uint256 i = 0; i < 9; ++i) if ((a >> i) % 8 != 0) reveal(validators[i]);
            while (!_isOver()) endPhase(Phase.Reveal);
            settle();
            assertConserved();
            if (!_poolsSuffice()) return;
        }
    }

    /// @dev What of a pot is shared: all but the settler's bounty.
    function _shared(uint256 pot) private pure returns (uint256) {
        return pot - pot / 1000;
    }

    function _isOver() private view returns (bool) {
        (Phase current, ) = voting.phase(task);
        return current == Phase.Settle;
    }

    /// @dev Whether all four still have a seat and the voters a quorum.
    function _poolsSuffice() private view returns (bool) {
        for (uint256 i = 0; i < 4; ++i) if (weight(trainers[i]) == 0) return false;
        for (uint256 i = 0; i < 9; ++i) if (weight(validators[i]) == 0) return false;
        return true;
    }
}
