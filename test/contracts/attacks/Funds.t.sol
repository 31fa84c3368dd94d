// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds} from "../../../contracts/interfaces/IRounds.sol";
import {IStaking} from "../../../contracts/interfaces/IStaking.sol";
import {Payouts} from "../../../contracts/libraries/Payouts.sol";
import {Base, Phase, Purse, Role, TaskId, vm} from "../support/Base.sol";
import {ShunningToken, SilentToken} from "../support/Tokens.sol";

/// @notice Attacks on the money.
contract FundAttacksTest is Base {
    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    /// @dev Stake of one block cannot vote and be gone: it bears the round it has weight in, and waits.
    function test_T14_flashStakeCannotLeave() public {
        stake(trainers[5], Role.Trainer, UNIT);
        openRound();
        requestExit(trainers[5], UNIT);
        vm.assertEq(weight(trainers[5]), UNIT, "weight in the open round");
        vm.expectRevert(abi.encodeWithSelector(IStaking.StillLocked.selector, block.timestamp + 7 days));
        staking.withdraw(task, trainers[5], trainers[5]);

        sealProposal(trainers[5]);
        endPhase(Phase.Propose);
        endPhase(Phase.Publish);
        settle();
        vm.assertEq(account(trainers[5]).left, UNIT - (uint256(UNIT) * 1500) / 10_000, "the fault follows it");
    }

    /// @dev Nobody is needed: a stranger takes every step that is not somebody's own work.
    function test_T18_aStrangerBringsARoundToItsEnd() public {
        vm.prank(stranger);
        rounds.openRound(task, none(), none());
        vm.roll(block.number + 2);
        vm.prank(stranger);
        rounds.latchSeed(task);
        sealProposal(trainers[0]);
        endPhase(Phase.Propose);
        (bytes32 artifact, bytes32 salt) = (artifactOf(trainers[0]), saltOf(trainers[0]));
        vm.prank(stranger);
        rounds.publishProposal(task, trainers[0], artifact, salt);
        vm.roll(block.number + 2);
        vm.prank(stranger);
        rounds.latchSeed(task);
        for (uint256 i = 0; i < 9; ++i) sealBallot(validators[i], ballot(300));
        endPhase(Phase.Ballot);
        for (uint256 i = 0; i < 9; ++i) {
            salt = saltOf(validators[i]);
            vm.prank(stranger);
            voting.revealBallot(task, validators[i], ballot(300), REPORT, HEAD, salt);
        }
        endPhase(Phase.Reveal);
        address[] memory list = new address[](1);
        list[0] = trainers[0];
        address[] memory all = voters();
        vm.prank(stranger);
        distributor.settle(task, list, all);
        assertPhase(Phase.None);
        vm.prank(stranger);
        rounds.openRound(task, none(), none());
    }

    /// @dev Whoever is creator, trainers and voters at once pays itself out of its own pot, and touches no other.
    function test_T19_selfDealingEarnsItsOwnPotOnly() public {
        TaskId honest = task;
        bytes32 before = _digest(honest);
        createTask(defaultTerms(), 2, 9);
        for (uint256 r = 0; r < 10; ++r) {
            proposeAndPublish(2);
            voteAlike(9, ballot(32_767, 300));
            settle();
            vm.assertEq(_digest(honest), before, "the other task");
        }
        Purse memory p = purse();
        vm.assertLe(p.paid, FUNDS, "paid out of what was put in");
        vm.assertEq(uint256(p.pot) + p.paid, FUNDS, "and nothing else");
        assertConserved();
    }

    /// @dev A token that answers nothing moves like one that answers true.
    function test_T20_tokenWithoutAnswersWorks() public {
        deploy(new SilentToken(address(this)));
        token.transfer(creator, FUNDS);
        allow(creator);
        createTask(defaultTerms(), 2, 9);
        proposeAndPublish(2);
        voteAlike(9, ballot(300, -900));
        settle();
        requestExit(trainers[0], UNIT);
        skip(7 days);
        staking.withdraw(task, trainers[0], trainers[0]);
        staking.claim(task, trainers[0], trainers[0]);
        staking.sweepBurn();
        vm.assertGt(token.balanceOf(trainers[0]), UNIT, "stake and reward");
        assertConserved();
    }

    /// @dev A token that refuses one owner holds up that owner alone: nobody's money moves with anybody else's.
    function test_T20_tokenThatRefusesOneOwnerHoldsUpNobodyElse() public {
        ShunningToken shunning = new ShunningToken(address(this));
        deploy(shunning);
        token.transfer(creator, FUNDS);
        allow(creator);
        createTask(defaultTerms(), 2, 9);
        proposeAndPublish(2);
        voteAlike(9, ballot(300, -900));
        shunning.shun(trainers[0]);
        settle();
        vm.expectRevert(abi.encodeWithSelector(ShunningToken.Shunned.selector, trainers[0]));
        staking.claim(task, trainers[0], trainers[0]);
        for (uint256 i = 0; i < 9; ++i) staking.claim(task, validators[i], validators[i]);
        requestExit(trainers[1], 1);
        skip(7 days);
        staking.withdraw(task, trainers[1], trainers[1]);
        staking.sweepBurn();
        vm.assertGt(account(trainers[0]).claimable, 0, "still its own");
        assertConserved();
    }

    /// @dev Who has no seats is in no list and has no fault.
    function test_F32_withoutSeatsNothingIsAtRisk() public {
        vm.assertEq(Payouts.faultOf(0, 5000, 1, 1, defaultTerms()), 0, "fault of no seats");
        stake(trainers[9], Role.Trainer, UNIT - 1);
        proposeAndPublish(1);
        voteAlike(9, ballot(-900));
        address[] memory list = new address[](2);
        address[] memory all = voters();
        (list[0], list[1]) = (trainers[0], trainers[9]);
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongCount.selector, 2, 1));
        distributor.settle(task, list, all);
        list = new address[](1);
        list[0] = trainers[9];
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongOrder.selector, 0));
        distributor.settle(task, list, all);
        settle();
        vm.assertEq(account(trainers[9]).active, UNIT - 1, "stake");
    }

    function _digest(TaskId id) private view returns (bytes32) {
        (uint96 trainerTotal, uint96 voterTotal) = staking.totals(id);
        return keccak256(abi.encode(distributor.purse(id), trainerTotal, voterTotal, staking.account(id, trainers[0])));
    }
}
