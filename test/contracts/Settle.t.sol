// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRewardDistributor} from "../../contracts/interfaces/IRewardDistributor.sol";
import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {ITaskRegistry} from "../../contracts/interfaces/ITaskRegistry.sol";
import {IValidatorVoting} from "../../contracts/interfaces/IValidatorVoting.sol";
import {ABSTAIN, Base, MISSING, Phase, Role, RoundId, Vm, vm} from "./support/Base.sol";
import {RefusingToken} from "./support/Tokens.sol";

/// @notice The doors of `settle`: when it may be called, with which lists, and what it does whatever happened.
contract SettleTest is Base {
    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 6, 9);
    }

    function test_settle_revertsUnlessTheRoundIsOver() public {
        _expectPhase(Phase.None);
        settle();
        openRound();
        _expectPhase(Phase.Propose);
        settle();
        sealProposal(trainers[0]);
        endPhase(Phase.Propose);
        _expectPhase(Phase.Publish);
        distributor.settle(task, none(), none());
        publish(trainers[0]);
        _expectPhase(Phase.Ballot);
        distributor.settle(task, none(), none());
        endPhase(Phase.Ballot);
        _expectPhase(Phase.Reveal);
        distributor.settle(task, none(), none());
    }

    function test_settle_revertsIfAProposerIsLeftOutOrAdded() public {
        playPublished();
        address[] memory list = new address[](3);
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongCount.selector, 3, 4));
        distributor.settle(task, list, none());
        list = new address[](5);
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongCount.selector, 5, 4));
        distributor.settle(task, list, none());
    }

    function test_settle_revertsIfProposersAreOutOfOrder() public {
        playPublished();
        address[] memory list = proposers();
        (list[0], list[1]) = (list[1], list[0]);
        _expectOrder(0);
        distributor.settle(task, list, none());

        list = proposers();
        (list[2], list[3]) = (list[3], list[2]);
        _expectOrder(3);
        distributor.settle(task, list, none());

        list = proposers();
        list[3] = list[2];
        _expectOrder(3);
        distributor.settle(task, list, none());

        list = proposers();
        list[1] = list[2];
        _expectOrder(1);
        distributor.settle(task, list, none());

        list = proposers();
        list[2] = list[1];
        _expectOrder(2);
        distributor.settle(task, list, none());

        list = proposers();
        list[3] = stranger;
        _expectOrder(3);
        distributor.settle(task, list, none());
    }

    function test_settle_revertsIfAVoterIsLeftOutOrAdded() public {
        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        address[] memory list = proposers();
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.WrongCount.selector, 8, 9));
        distributor.settle(task, list, new address[](8));
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.WrongCount.selector, 0, 9));
        distributor.settle(task, list, none());
    }

    function test_settle_revertsIfVotersAreOutOfOrder() public {
        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        address[] memory first = proposers();
        address[] memory list = voters();
        (list[3], list[4]) = (list[4], list[3]);
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.WrongOrder.selector, 4));
        distributor.settle(task, first, list);
        list = voters();
        list[8] = list[7];
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.WrongOrder.selector, 8));
        distributor.settle(task, first, list);
        list = voters();
        list[8] = validators[9];
        vm.expectRevert(abi.encodeWithSelector(IValidatorVoting.WrongOrder.selector, 8));
        distributor.settle(task, first, list);
    }

    function test_settle_happensOnce() public {
        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        settle();
        _expectPhase(Phase.None);
        settle();
    }

    /// @dev Slashes before rewards of one operator; then burn, reference, head and sums.
    function test_settle_tellsEverythingInOrder() public {
        proposeAndPublish(2);
        for (uint256 i = 0; i < 8; ++i) sealBallot(validators[i], ballot(300, -900));
        sealBallot(validators[8], ballot(300, 1000));
        revealBallots();
        vm.recordLogs();
        settle();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 n = logs.length;
        vm.assertEq(n, 1 + 1 + 8 + 2 + 5, "logs");
        vm.assertEq(logs[0].topics[0], IStaking.Rewarded.selector, "the good trainer");
        vm.assertEq(logs[1].topics[0], IStaking.Slashed.selector, "the bad trainer");
        vm.assertEq(logs[2].topics[0], IStaking.Rewarded.selector, "first voter");
        vm.assertEq(logs[n - 7].topics[0], IStaking.Slashed.selector, "the dissenter's slash");
        vm.assertEq(logs[n - 6].topics[0], IStaking.Rewarded.selector, "the dissenter's pay");
        vm.assertEq(logs[n - 5].topics[0], IStaking.Credited.selector, "the settler's bounty");
        vm.assertEq(logs[n - 4].topics[0], IStaking.BurnScheduled.selector, "burn");
        vm.assertEq(logs[n - 3].topics[0], IRewardDistributor.HeadReferenced.selector, "reference");
        vm.assertEq(logs[n - 2].topics[0], ITaskRegistry.HeadMoved.selector, "head");
        vm.assertEq(logs[n - 1].topics[0], IRewardDistributor.RoundSettled.selector, "sums");
    }

    function test_settle_tellsMediansVerdictsAndSums() public {
        uint256 pot = distributor.potOfRound(task);
        proposeAndPublish(4);
        voteAlike(9, ballot(300, -900, 2, MISSING));

        uint256 bounty = pot / 1000;
        uint256 paid = _trainerPart(pot - bounty, 2, 6) + 9 * (_voterPart(pot - bounty) / 9);
        uint256 slashed = (uint256(UNIT) * (3000 + 1500)) / 10_000;
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.RoundSettled(
            task,
            RoundId.wrap(1),
            false,
            pot,
            _lane(300, 0) | _lane(-900, 1) | _lane(2, 2),
            0x3021,
            paid,
            slashed,
            slashed - (slashed * 9) / 10,
            bounty
        );
        settle();
        vm.assertEq(purse().pot, FUNDS - paid - bounty + (slashed * 9) / 10, "pot");
        vm.assertEq(purse().paid, paid + bounty, "paid");
        vm.assertEq(staking.toBurn(), slashed - (slashed * 9) / 10, "to burn");
        assertConserved();
    }

    function test_settle_ofAVoidRoundForgivesOpinionsNeverOmissions() public {
        uint256 pot = distributor.potOfRound(task);
        openRound();
        for (uint256 i = 0; i < 3; ++i) sealProposal(trainers[i]);
        endPhase(Phase.Propose);
        publish(trainers[1]);
        publish(trainers[0]);
        endPhase(Phase.Publish);
        // Four of nine seats reveal: no quorum. They would reject one, miss the other, and name different heads.
        sealBallot(validators[0], ballot(-900, MISSING), "a");
        sealBallot(validators[1], ballot(-900, MISSING), "b");
        sealBallot(validators[2], ballot(-900, MISSING), "c");
        sealBallot(validators[3], ballot(900, ABSTAIN), "d");
        sealBallot(validators[4], ballot(900, ABSTAIN), "d");
        endPhase(Phase.Ballot);
        for (uint256 i = 0; i < 4; ++i) reveal(validators[i]);
        endPhase(Phase.Reveal);

        uint256 fault = (uint256(UNIT) * 1500) / 10_000;
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.RoundSettled(task, RoundId.wrap(1), true, pot, 0, 0, 0, 2 * fault, (2 * fault) / 10, 0);
        settle();
        vm.assertEq(account(trainers[2]).active, UNIT - fault, "never published");
        vm.assertEq(account(validators[4]).active, UNIT - fault, "never revealed");
        vm.assertEq(account(trainers[1]).active, UNIT, "rejected by no quorum");
        vm.assertEq(account(trainers[0]).active, UNIT, "missing to no quorum");
        vm.assertEq(account(validators[3]).active, UNIT, "opinion");
        vm.assertEq(headId(), MANIFEST, "head");
        vm.assertEq(rounds.roundsLeft(task), 10, "rounds left");
        assertConserved();
    }

    /// @dev Settlement moves no token, so a token that refuses everything cannot stop it.
    function test_settle_with_reverting_token() public {
        RefusingToken refusing = new RefusingToken(address(this));
        deploy(refusing);
        token.transfer(creator, FUNDS);
        allow(creator);
        createTask(defaultTerms(), 2, 9);
        proposeAndPublish(2);
        voteAlike(9, ballot(300, -900));
        refusing.refuse(true);
        settle();
        vm.expectRevert(RefusingToken.Refused.selector);
        staking.claim(task, trainers[0], trainers[0]);
        vm.expectRevert(RefusingToken.Refused.selector);
        staking.sweepBurn();

        refusing.refuse(false);
        staking.claim(task, trainers[0], trainers[0]);
        assertConserved();
    }

    /// @dev A pot too small to pay anyone settles normally.
    function test_settle_ofAnEmptyPotPaysNothing() public {
        createTask(defaultTerms());
        for (uint256 i = 0; i < 2; ++i) stake(trainers[i], Role.Trainer, UNIT);
        for (uint256 i = 0; i < 9; ++i) stake(validators[i], Role.Validator, UNIT);
        proposeAndPublish(2);
        voteAlike(9, ballot(300, 20));
        settle();
        vm.assertEq(purse().paid, 0, "paid");
        vm.assertTrue(headId() != MANIFEST, "head");
    }

    /// @dev Two published in slot order 1, 0; two not.
    function playPublished() private {
        openRound();
        for (uint256 i = 0; i < 4; ++i) sealProposal(trainers[i]);
        endPhase(Phase.Propose);
        publish(trainers[1]);
        publish(trainers[0]);
        endPhase(Phase.Publish);
        endPhase(Phase.Publish);
        endPhase(Phase.Ballot);
        endPhase(Phase.Reveal);
    }

    function _trainerPart(uint256 pot, uint256 times, uint256 expected) private pure returns (uint256) {
        return (times * ((pot * 7000) / 10_000)) / expected;
    }

    function _voterPart(uint256 pot) private pure returns (uint256) {
        return (pot * 3000) / 10_000;
    }

    function _expectPhase(Phase current) private {
        vm.expectRevert(
            abi.encodeWithSelector(IRewardDistributor.UnexpectedPhase.selector, task, current, Phase.Settle)
        );
    }

    function _expectOrder(uint256 index) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongOrder.selector, index));
    }
}
