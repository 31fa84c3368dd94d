// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Base, Role, vm} from "./support/Base.sol";
import {HookedToken} from "./support/Tokens.sol";

/// @notice A token that calls back finds every door of the vault that moves tokens closed, from inside each of them.
contract ReentrancyTest is Base {
    HookedToken private hooked;

    function setUp() public override {
        super.setUp();
        hooked = new HookedToken(address(this));
        deploy(hooked);
        token.transfer(creator, 2 * FUNDS);
        allow(creator);
        createTask(defaultTerms(), 2, 9);
        proposeAndPublish(2);
        voteAlike(9, ballot(300, -900));
        settle();
        requestExit(trainers[0], UNIT);
        vm.prank(trainers[1]);
        staking.acceptDelegation(task, 0);
        skip(7 days);
        token.approve(address(staking), type(uint256).max);
    }

    function test_noDoorOpensFromInsideAnother() public {
        bytes[] memory doors = new bytes[](5);
        doors[0] = abi.encodeCall(IStaking.withdraw, (task, trainers[0], trainers[0]));
        doors[1] = abi.encodeCall(IStaking.claim, (task, trainers[0], trainers[0]));
        doors[2] = abi.encodeCall(IStaking.sweepBurn, ());
        doors[3] = abi.encodeCall(IStaking.stake, (task, Role.Trainer, UNIT));
        doors[4] = abi.encodeCall(IStaking.delegate, (task, trainers[1], UNIT));
        for (uint256 i = 0; i < doors.length; ++i) {
            hooked.hook(address(staking), doors[i]);
            _expectClosed();
            staking.withdraw(task, trainers[0], trainers[0]);
            _expectClosed();
            staking.claim(task, trainers[0], trainers[0]);
            _expectClosed();
            staking.sweepBurn();
            _expectClosed();
            staking.stake(task, Role.Trainer, UNIT);
            _expectClosed();
            vm.prank(creator);
            distributor.fund(task, 1);
            _expectClosed();
            staking.delegate(task, trainers[1], UNIT);
        }
    }

    function test_noDepositFromInsideAnyDoor() public {
        hooked.hook(address(distributor), abi.encodeCall(distributor.fund, (task, 1)));
        _expectClosed();
        staking.withdraw(task, trainers[0], trainers[0]);
        _expectClosed();
        vm.prank(creator);
        distributor.fund(task, 1);
    }

    /// @dev Closing moves no token, so it may come from inside a door: what arrives there is counted already.
    function test_closeFromInsideADepositConserves() public {
        vm.prank(creator);
        registry.announceClose(task);
        skip(7 days);
        hooked.hook(address(this), abi.encodeCall(this.closeOnce, ()));
        vm.prank(creator);
        distributor.fund(task, 1 ether);
        (, , , , bool closed, ) = registry.task(task);
        vm.assertTrue(closed, "closed");
        assertConserved();
    }

    function closeOnce() external {
        hooked.hook(address(0), "");
        distributor.close(task);
    }

    function _expectClosed() private {
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
    }
}
