// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {ITaskRegistry, Roles, Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Account, Base, Phase, Role, RoundId, TaskId, vm} from "./support/Base.sol";
import {ChargingToken, VastToken} from "./support/Tokens.sol";

contract StakeTest is Base {
    address private alice = address(0xA1);

    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
        token.transfer(alice, 10 * UNIT);
        allow(alice);
    }

    function test_stake_revertsIfTheTaskIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, TaskId.wrap(9)));
        staking.stake(TaskId.wrap(9), Role.Trainer, UNIT);
    }

    function test_stake_revertsIfTheTaskIsClosed() public {
        vm.prank(creator);
        registry.announceClose(task);
        skip(7 days);
        distributor.close(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.AlreadyClosed.selector, task));
        vm.prank(alice);
        staking.stake(task, Role.Trainer, UNIT);
    }

    function test_stake_revertsInAnotherRole() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.WrongRole.selector, Role.Trainer, Role.Validator));
        vm.prank(trainers[0]);
        staking.stake(task, Role.Validator, UNIT);
    }

    function test_stake_revertsInAPoolThatTheTaskDoesNotHave() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.WrongPool.selector, Role.Drawn));
        vm.prank(alice);
        staking.stake(task, Role.Drawn, UNIT);

        createDrawnTask();
        vm.expectRevert(abi.encodeWithSelector(IStaking.WrongPool.selector, Role.Trainer));
        vm.prank(alice);
        staking.stake(task, Role.Trainer, UNIT);
        vm.expectRevert(abi.encodeWithSelector(IStaking.WrongPool.selector, Role.Validator));
        vm.prank(alice);
        staking.stake(task, Role.Validator, UNIT);
    }

    function test_stake_revertsIfTheAmountIsZero() public {
        vm.expectRevert(IStaking.ZeroAmount.selector);
        vm.prank(alice);
        staking.stake(task, Role.Trainer, 0);
    }

    function test_stake_revertsIfTheTokenChargesForTransfers() public {
        ChargingToken charging = new ChargingToken(address(this));
        deploy(charging);
        createTask(defaultTerms());
        token.approve(address(staking), UNIT);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InexactTransfer.selector, UNIT - 1, UNIT));
        staking.stake(task, Role.Trainer, UNIT);
    }

    function test_stake_revertsIfTheVaultIsFull() public {
        deploy(new VastToken(address(this)));
        createTask(defaultTerms());
        token.approve(address(staking), type(uint256).max);
        TaskId other = createOther();
        uint256 range = type(uint96).max;
        staking.stake(task, Role.Trainer, range - 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.VaultFull.selector, range + 1));
        staking.stake(other, Role.Trainer, 2);
    }

    function test_stake_countsAtOnceIfNoRoundIsOpen() public {
        vm.expectEmit(address(staking));
        emit IStaking.Staked(task, alice, Role.Trainer, UNIT, RoundId.wrap(1));
        vm.prank(alice);
        staking.stake(task, Role.Trainer, UNIT);

        Account memory a = account(alice);
        vm.assertEq(a.active, UNIT, "active");
        vm.assertEq(a.joining, 0, "joining");
        vm.assertEq(RoundId.unwrap(a.since), 1, "since");
        vm.assertEq(weight(alice), UNIT, "weight");
        (uint96 total, ) = staking.totals(task);
        vm.assertEq(total, 4 * uint256(UNIT), "total");
    }

    function test_stake_joinsIfARoundIsOpen() public {
        openRound();
        vm.expectEmit(address(staking));
        emit IStaking.Staked(task, alice, Role.Validator, 2 * UNIT, RoundId.wrap(2));
        vm.prank(alice);
        staking.stake(task, Role.Validator, 2 * UNIT);

        Account memory a = account(alice);
        vm.assertEq(a.active, 0, "active");
        vm.assertEq(a.joining, 2 * UNIT, "joining");
        vm.assertEq(RoundId.unwrap(a.joinRound), 1, "join round");
        vm.assertEq(weight(alice), 0, "weight in the open round");
        (, uint96 total) = staking.latched(task);
        vm.assertEq(total, 9 * uint256(UNIT), "latched total");
        (, total) = staking.totals(task);
        vm.assertEq(total, 11 * uint256(UNIT), "next total");

        endPhase(Phase.Propose);
        settle();
        a = account(alice);
        vm.assertEq(a.active, 2 * UNIT, "active once settled");
        vm.assertEq(a.joining, 0, "joining once settled");
        vm.assertEq(RoundId.unwrap(a.joinRound), 0, "join round once settled");
        vm.assertEq(weight(alice), 2 * UNIT, "weight in the next round");
    }

    function test_stake_countsInTheOnePoolOfDrawnRoles() public {
        createDrawnTask();
        stake(trainers[0], Role.Drawn, UNIT);
        stake(validators[0], Role.Drawn, 2 * UNIT);
        (uint96 asTrainers, uint96 asVoters) = staking.totals(task);
        vm.assertEq(asTrainers, 3 * UNIT, "total");
        vm.assertEq(asVoters, 3 * UNIT, "the same total");
        vm.prank(address(rounds));
        (asTrainers, asVoters) = staking.open(task, RoundId.wrap(1), 0);
        vm.assertEq(asTrainers, 3 * UNIT, "total of the round");
        vm.assertEq(asVoters, 3 * UNIT, "the same total of the round");
        (asTrainers, asVoters) = staking.latched(task);
        vm.assertEq(asTrainers, 3 * UNIT, "latched total");
        vm.assertEq(asVoters, 3 * UNIT, "the same latched total");
        vm.assertEq(uint256(account(trainers[0]).role), uint256(Role.Drawn), "pool");
        assertConserved();
    }

    function test_stake_hasNoWeightBelowTheSeatStake() public {
        vm.prank(alice);
        staking.stake(task, Role.Trainer, UNIT - 1);
        vm.assertEq(weight(alice), 0, "weight");
        (uint96 total, ) = staking.totals(task);
        vm.assertEq(total, 3 * uint256(UNIT), "total without it");

        vm.prank(alice);
        staking.stake(task, Role.Trainer, 1);
        vm.assertEq(weight(alice), UNIT, "weight once it is enough");
        (total, ) = staking.totals(task);
        vm.assertEq(total, 4 * uint256(UNIT), "total with it");
    }

    function test_stake_changesTheRoleOfAnEmptyAccount() public {
        vm.prank(alice);
        staking.stake(task, Role.Trainer, UNIT);
        requestExit(alice, UNIT);
        skip(7 days);
        vm.expectRevert(abi.encodeWithSelector(IStaking.WrongRole.selector, Role.Trainer, Role.Validator));
        vm.prank(alice);
        staking.stake(task, Role.Validator, UNIT);

        staking.withdraw(task, alice, alice);
        vm.prank(alice);
        staking.stake(task, Role.Validator, UNIT);
        vm.assertEq(uint256(account(alice).role), uint256(Role.Validator), "role");
        vm.assertEq(RoundId.unwrap(account(alice).since), 1, "since the first stake");
    }

    /// @dev Whoever still has something here, or for whom others have, stays what it is.
    function test_stake_changesNoRoleWhileAnythingIsDelegated() public {
        vm.prank(alice);
        staking.stake(task, Role.Trainer, UNIT);
        acceptDelegation(alice, 0);
        delegate(stranger, alice, 1);
        requestExit(alice, UNIT);
        skip(7 days);
        staking.withdraw(task, alice, alice);
        bytes memory expected = abi.encodeWithSelector(IStaking.WrongRole.selector, Role.Trainer, Role.Validator);
        vm.expectRevert(expected);
        vm.prank(alice);
        staking.stake(task, Role.Validator, UNIT);

        // What is leaving or joining is still something.
        openRound();
        vm.prank(stranger);
        staking.requestExit(task, alice, 1);
        vm.expectRevert(expected);
        vm.prank(alice);
        staking.stake(task, Role.Validator, UNIT);
        delegate(trainers[0], alice, 1);
        skip(9 hours + 2 * 12 hours + 7 days);
        staking.withdraw(task, alice, stranger);
        vm.expectRevert(expected);
        vm.prank(alice);
        staking.stake(task, Role.Validator, UNIT);

        vm.prank(trainers[0]);
        staking.requestExit(task, alice, 1);
        vm.prank(alice);
        staking.stake(task, Role.Validator, UNIT);
        vm.assertEq(uint256(account(alice).role), uint256(Role.Validator), "role");
    }

    function test_stake_takesAnyRoleAtFirstWhateverIsDelegated() public {
        createDrawnTask();
        acceptDelegation(alice, 0);
        delegate(stranger, alice, UNIT);
        vm.prank(alice);
        staking.stake(task, Role.Drawn, UNIT);
        vm.assertEq(weight(alice), 2 * UNIT, "weight");
    }

    function test_stake_earnsNothingInTheOpenRound() public {
        proposeAndPublish(2);
        voteAlike(9, ballot(300, 20));
        uint256 before = account(trainers[0]).claimable;
        stake(trainers[0], Role.Trainer, 99 * uint256(UNIT));
        settle();

        uint256 pot = FUNDS / 10 - FUNDS / 10_000;
        uint256 fair = (2 * ((pot * 7000) / 10_000)) / 6;
        vm.assertEq(account(trainers[0]).claimable - before, fair, "pay as without the deposit");
        assertConserved();
    }

    function test_stake_isNotSlashedInTheOpenRound() public {
        proposeAndPublish(2);
        voteAlike(9, ballot(-900, 20));
        stake(trainers[0], Role.Trainer, UNIT);
        settle();

        Account memory a = account(trainers[0]);
        vm.assertEq(a.active, 2 * uint256(UNIT) - (uint256(UNIT) * 3000) / 10_000, "one seat's fault only");
        assertConserved();

        // Even a fault beyond what is exposed does not reach what is joining.
        openRound();
        requestExit(trainers[1], UNIT);
        stake(trainers[1], Role.Trainer, UNIT);
        address[] memory operators = new address[](1);
        uint256[] memory faults = new uint256[](1);
        (operators[0], faults[0]) = (trainers[1], 5 * uint256(UNIT));
        vm.prank(address(distributor));
        uint256 cut = staking.settleAccounts(task, operators, new uint256[](1), faults);
        vm.assertEq(cut, UNIT, "cut");
        vm.assertEq(account(trainers[1]).joining, UNIT, "joining untouched");
    }

    function test_stake_isKeptApartByTask() public {
        TaskId first = task;
        vm.prank(alice);
        staking.stake(first, Role.Trainer, UNIT);
        TaskId second = createOther();
        vm.assertEq(staking.account(second, alice).active, 0, "stake in the other task");
        (, uint256 w) = staking.weightOf(second, alice);
        vm.assertEq(w, 0, "weight in the other task");
    }

    function test_announce_revertsIfTheEndpointIsTooLong() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.EndpointTooLong.selector, 201));
        staking.announce(string(new bytes(201)));
    }

    function test_announce_tellsTheEndpoint() public {
        string memory endpoint = string(new bytes(200));
        vm.expectEmit(address(staking));
        emit IStaking.EndpointAnnounced(alice, endpoint);
        vm.prank(alice);
        staking.announce(endpoint);
    }

    function createDrawnTask() private {
        Terms memory terms = defaultTerms();
        terms.roles = Roles.Drawn;
        createTask(terms);
    }

    function createOther() private returns (TaskId other) {
        (other, task) = (task, other);
        createTask(defaultTerms());
        (other, task) = (task, other);
    }
}
