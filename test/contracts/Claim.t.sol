// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Base, vm} from "./support/Base.sol";

contract ClaimTest is Base {
    address private constant DEAD = 0x000000000000000000000000000000000000dEaD;

    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 2, 9);
        proposeAndPublish(2);
        voteAlike(9, ballot(300, -900));
        settle();
    }

    function test_claim_revertsIfThereIsNothing() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.NothingToClaim.selector, task, trainers[1], trainers[1]));
        staking.claim(task, trainers[1], trainers[1]);
    }

    function test_claim_paysTheOperatorOnceWhoeverCalls() public {
        uint256 due = account(trainers[0]).claimable;
        vm.expectEmit(address(staking));
        emit IStaking.Claimed(task, trainers[0], trainers[0], due);
        vm.prank(stranger);
        staking.claim(task, trainers[0], trainers[0]);
        vm.assertEq(token.balanceOf(trainers[0]), due, "paid");
        vm.expectRevert(abi.encodeWithSelector(IStaking.NothingToClaim.selector, task, trainers[0], trainers[0]));
        staking.claim(task, trainers[0], trainers[0]);
        assertConserved();
    }

    function test_claim_outlivesTheTask() public {
        vm.prank(creator);
        registry.announceClose(task);
        skip(7 days);
        distributor.close(task);
        staking.claim(task, trainers[0], trainers[0]);
        staking.claim(task, validators[0], validators[0]);
        assertConserved();
    }

    function test_sweepBurn_sendsWhatIsBurnedToTheDeadAddressOnce() public {
        uint256 amount = staking.toBurn();
        vm.assertGt(amount, 0, "to burn");
        vm.expectEmit(address(staking));
        emit IStaking.BurnSwept(amount);
        staking.sweepBurn();
        vm.assertEq(token.balanceOf(DEAD), amount, "burned");
        assertConserved();

        vm.expectRevert(IStaking.NothingToBurn.selector);
        staking.sweepBurn();
    }
}
