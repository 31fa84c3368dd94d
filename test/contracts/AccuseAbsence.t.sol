// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRewardDistributor} from "../../contracts/interfaces/IRewardDistributor.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {BallotState, IValidatorVoting, Poll} from "../../contracts/interfaces/IValidatorVoting.sol";
import {Sortition} from "../../contracts/libraries/Sortition.sol";
import {Phase, Role, RoundId, vm, Vm} from "./support/Base.sol";
import {Luck} from "./support/Luck.sol";

contract AccuseAbsenceTest is Luck {
    uint256 private constant FAULT = (uint256(UNIT) * 200) / 10_000; // of one seat

    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    function test_accuseAbsence_revertsOutsideReveal() public {
        _expectPhase(Phase.None);
        _accuse(validators[8]);
        openRound();
        sealProposal(trainers[0]);
        _expectPhase(Phase.Propose);
        _accuse(validators[8]);
        endPhase(Phase.Propose);
        _expectPhase(Phase.Publish);
        _accuse(validators[8]);
        publish(trainers[0]);
        for (uint256 i = 0; i < 8; ++i) sealBallot(validators[i], ballot(300));
        _expectPhase(Phase.Ballot);
        _accuse(validators[8]);
        endPhase(Phase.Ballot);
        revealAll();
        endPhase(Phase.Reveal);
        _expectPhase(Phase.Settle); // so that the lists stand still when settling begins
        _accuse(validators[8]);
    }

    /// @dev Less than a quorum is an outage and nobody's fault.
    function test_accuseAbsence_revertsIfTooFewAreSealed() public {
        playTo(4);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.TooFewSealed.selector, 4, 5));
        _accuse(validators[8]);
    }

    function test_accuseAbsence_revertsIfNothingIsSealedThoughItWasInTheRoundBefore() public {
        playTo(9);
        revealAll();
        endPhase(Phase.Reveal);
        settle();
        playTo(0);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.TooFewSealed.selector, 0, 5));
        _accuse(validators[8]);
    }

    function test_accuseAbsence_revertsIfItSealed() public {
        playTo(6);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.AlreadySealed.selector, validators[5]));
        _accuse(validators[5]);
        reveal(validators[5]);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.AlreadySealed.selector, validators[5]));
        _accuse(validators[5]);
    }

    function test_accuseAbsence_revertsIfAlreadyAccused() public {
        playTo(6);
        _accuse(validators[8]);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.AlreadyAccused.selector, validators[8]));
        vm.prank(stranger);
        voting.accuseAbsence(task, validators[8]);
    }

    function test_accuseAbsence_revertsWithoutSeats() public {
        playTo(6);
        address[3] memory seatless = [stranger, trainers[1], validators[10]];
        stake(validators[10], Role.Validator, UNIT); // joins the next round
        for (uint256 i = 0; i < seatless.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.NoSeats.selector, seatless[i]));
            _accuse(seatless[i]);
        }
    }

    /// @dev Where all places were taken, somebody may have come too late: ballots and accusations share 64 places.
    function test_accuseAbsence_revertsIfAllPlacesAreTaken() public {
        Terms memory terms = defaultTerms();
        terms.expectedVoters = 40;
        createTask(terms);
        stake(trainers[0], Role.Trainer, UNIT);
        bytes32 salt = keccak256(abi.encode("salt", trainers[0], uint32(1)));
        bytes32 voterSeed = Sortition.voterSeed(SEED, Sortition.mix(Sortition.fold(0, salt, trainers[0]), VOTER_VALUE));
        address[] memory lucky = luckyOperators(Role.Validator, 65, 40, voterSeed, UNIT);
        stakeAll(lucky, Role.Validator);
        proposeAndPublish(1);
        for (uint256 i = 0; i < 63; ++i) sealBallot(lucky[i], ballot(300));
        endPhase(Phase.Ballot);
        accuse(stranger, lucky[63]);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.BallotsFull.selector, 64));
        _accuse(lucky[64]);
        revealAll();
        endPhase(Phase.Reveal);
        settle();
        vm.assertEq(account(lucky[63]).active, UNIT - FAULT, "the one accused");
        vm.assertEq(account(lucky[64]).active, UNIT, "the one too late");
    }

    function test_accuseAbsence_keepsWhoAccusedWhom() public {
        createTask(defaultTerms(), 3, 6);
        stake(validators[8], Role.Validator, 3 * UNIT);
        playTo(6);
        uint16 seats = rounds.seats(task, Role.Validator, validators[8]);
        vm.expectEmit(address(voting));
        emit IValidatorVoting.AbsenceAccused(task, RoundId.wrap(1), validators[8], seats, stranger);
        accuse(stranger, validators[8]);

        (RoundId round, uint16 kept, BallotState state, , bytes20 head) = voting.ballot(task, validators[8]);
        vm.assertEq(RoundId.unwrap(round), 1, "round");
        vm.assertEq(kept, seats, "seats");
        vm.assertTrue(state == BallotState.Absent, "state");
        vm.assertEq(address(head), stranger, "accuser");
        Poll memory poll = voting.poll(task);
        vm.assertEq(poll.accused, 1, "accused");
        vm.assertEq(poll.ballots, 6, "ballots");
        vm.assertEq(poll.sealedSeats, 6, "sealed seats");
    }

    function test_accuseAbsence_leavesNothingToReveal() public {
        playTo(6);
        _accuse(validators[8]);
        bytes32 salt = saltOf(validators[8]);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.NotSealed.selector, validators[8]));
        voting.revealBallot(task, validators[8], ballot(300), REPORT, HEAD, salt);
    }

    function test_accuseAbsence_isForgottenInTheNextRound() public {
        playTo(6);
        revealAll();
        accuse(stranger, validators[8]);
        endPhase(Phase.Reveal);
        settle();
        stake(validators[8], Role.Validator, FAULT);
        playTo(9);
        vm.assertEq(voting.poll(task).accused, 0, "accused");
        (, , BallotState state, , bytes20 head) = voting.ballot(task, validators[8]);
        vm.assertTrue(state == BallotState.Sealed, "state");
        vm.assertEq(bytes32(head), 0, "head");
    }

    /* SETTLEMENT */

    /// @dev One seat's absence: the fault, a tenth of it to the accuser out of the burned tenth, and nothing else changes.
    function test_settle_slashesTheAbsentAndPaysTheAccuser() public {
        playTo(8);
        revealAll();
        accuse(stranger, validators[8]);
        endPhase(Phase.Reveal);
        vm.recordLogs();
        settle();
        Vm.Log[] memory logs = vm.getRecordedLogs();

        vm.assertEq(account(validators[8]).active, UNIT - FAULT, "stake of the absent");
        vm.assertEq(account(validators[8]).claimable, 0, "pay of the absent");
        vm.assertEq(account(stranger).claimable, FAULT / 10, "bounty");
        vm.assertEq(staking.toBurn(), 0, "the burned tenth is the bounty");
        _assertTail(logs);
        assertConserved();
    }

    /// @dev Whoever accuses its own sibling to be paid for it loses ten times as much.
    function test_accuser_cannot_profit_from_its_own_sibling() public {
        createTask(defaultTerms(), 3, 6);
        stake(validators[8], Role.Validator, 3 * uint256(UNIT));
        playTo(6);
        revealAll();
        uint256 seats = rounds.seats(task, Role.Validator, validators[8]);
        accuse(stranger, validators[8]);
        endPhase(Phase.Reveal);
        settle();
        vm.assertEq(account(validators[8]).active, 3 * uint256(UNIT) - seats * FAULT, "risk is linear in seats");
        vm.assertGt(seats, 1, "several seats");
        vm.assertEq(account(stranger).claimable, FAULT / 10, "the bounty is capped by one seat's fault");
        vm.assertEq(staking.toBurn(), (seats * FAULT) / 10 - FAULT / 10, "the rest of the tenth burns");
        assertConserved();
    }

    function test_settle_paysASelfAccuserLessThanItLoses() public {
        playTo(8);
        revealAll();
        accuse(validators[8], validators[8]);
        endPhase(Phase.Reveal);
        settle();
        vm.assertEq(account(validators[8]).claimable, FAULT / 10, "bounty");
        vm.assertEq(account(validators[8]).active, UNIT - FAULT, "stake");
        assertConserved();
    }

    function test_settle_forgivesAbsenceInAVoidRound() public {
        playTo(8);
        for (uint256 i = 0; i < 4; ++i) reveal(validators[i]);
        accuse(stranger, validators[8]);
        endPhase(Phase.Reveal);
        endPhase(Phase.Reveal);
        settle();
        vm.assertEq(rounds.round(task).voids, 1, "void");
        vm.assertEq(account(validators[8]).active, UNIT, "stake of the absent");
        vm.assertEq(account(stranger).claimable, 0, "bounty");
        assertConserved();
    }

    /// @dev An exit asked for in the round bears its faults, absence too.
    function test_settle_slashesTheAbsentThatIsLeaving() public {
        playTo(8);
        requestExit(validators[8], UNIT);
        revealAll();
        accuse(stranger, validators[8]);
        endPhase(Phase.Reveal);
        settle();
        vm.assertEq(account(validators[8]).left, UNIT - FAULT, "what leaves");
        assertConserved();
    }

    /// @dev The absent neither vote nor make a quorum.
    function test_settle_countsTheAbsentInNoVerdict() public {
        playTo(5);
        for (uint256 i = 5; i < 9; ++i) accuse(stranger, validators[i]);
        revealAll();
        endPhase(Phase.Reveal);
        uint256 medians = _lane(300, 0);
        uint256 pot = FUNDS / 10;
        uint256 shared = pot - pot / 1000;
        uint256 paid = (2 * ((shared * 7000) / 10_000)) / 6 + 5 * (((shared * 3000) / 10_000) / 5);
        uint256 slashed = 4 * FAULT;
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.RoundSettled(
            task,
            RoundId.wrap(1),
            false,
            pot,
            medians,
            1,
            paid,
            slashed,
            0, // four bounties are the whole tenth
            pot / 1000
        );
        settle();
        assertConserved();
    }

    function test_settle_revertsIfTheAbsentAreLeftOut() public {
        playTo(8);
        revealAll();
        endPhaseAfterAccusing();
        address[] memory first = proposers();
        address[] memory list = new address[](8);
        for (uint256 i = 0; i < 8; ++i) list[i] = validators[i];
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.WrongCount.selector, 8, 9));
        distributor.settle(task, first, list);
    }

    function endPhaseAfterAccusing() private {
        _accuse(validators[8]);
        endPhase(Phase.Reveal);
    }

    /// @dev A round with one proposal and the first `count` validators' ballots, at the start of reveal.
    function playTo(uint256 count) private {
        proposeAndPublish(1);
        for (uint256 i = 0; i < count; ++i) sealBallot(validators[i], ballot(300));
        endPhase(Phase.Ballot);
    }

    /// @dev Last come the absent, their accuser, the settler, and the sums.
    function _assertTail(Vm.Log[] memory logs) private view {
        uint256 n = logs.length;
        vm.assertEq(logs[n - 6].topics[0], IStaking.Slashed.selector, "the absent");
        vm.assertEq(logs[n - 6].topics[2], bytes32(uint256(uint160(validators[8]))), "who");
        vm.assertEq(logs[n - 5].topics[0], IStaking.Credited.selector, "the accuser");
        vm.assertEq(logs[n - 5].topics[2], bytes32(uint256(uint160(stranger))), "to");
        vm.assertEq(logs[n - 4].topics[0], IStaking.Credited.selector, "the settler");
        vm.assertEq(logs[n - 1].topics[0], IRewardDistributor.RoundSettled.selector, "sums");
    }

    function _accuse(address operator) private {
        voting.accuseAbsence(task, operator);
    }

    function _expectPhase(Phase current) private {
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.UnexpectedPhase.selector, task, current, Phase.Reveal));
    }
}
