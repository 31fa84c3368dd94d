// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockhashBeacon} from "../../contracts/BlockhashBeacon.sol";
import {Rounds} from "../../contracts/Rounds.sol";
import {Staking} from "../../contracts/Staking.sol";
import {TaskRegistry} from "../../contracts/TaskRegistry.sol";
import {IBindable} from "../../contracts/interfaces/IBindable.sol";
import {IRewardDistributor} from "../../contracts/interfaces/IRewardDistributor.sol";
import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {ITaskRegistry} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Base, RoundId, Role, TaskId, vm} from "./support/Base.sol";

contract BindTest is Base {
    TaskRegistry private _registry;
    Staking private _staking;
    Rounds private _rounds;

    function setUp() public override {
        super.setUp();
        _registry = new TaskRegistry();
        _staking = new Staking(token, _registry);
        _rounds = new Rounds(_registry, _staking, new BlockhashBeacon());
    }

    function test_bind_revertsIfNotTheDeployer() public {
        bytes memory expected = abi.encodeWithSelector(IBindable.NotDeployer.selector, stranger);
        vm.expectRevert(expected);
        vm.prank(stranger);
        _registry.bind(stranger);
        vm.expectRevert(expected);
        vm.prank(stranger);
        _staking.bind(stranger, stranger);
        vm.expectRevert(expected);
        vm.prank(stranger);
        _rounds.bind(stranger, stranger);
    }

    function test_bind_revertsIfAlreadyBound() public {
        vm.expectRevert(IBindable.AlreadyBound.selector);
        registry.bind(address(this));
        vm.expectRevert(IBindable.AlreadyBound.selector);
        staking.bind(address(this), address(this));
        vm.expectRevert(IBindable.AlreadyBound.selector);
        rounds.bind(address(this), address(this));
    }

    function test_nothingWorksBeforeItIsBound() public {
        vm.expectRevert(IBindable.NotBound.selector);
        _registry.createTask(defaultTerms(), MANIFEST);
        vm.expectRevert(IBindable.NotBound.selector);
        _staking.stake(TaskId.wrap(1), Role.Trainer, UNIT);
        vm.expectRevert(IBindable.NotBound.selector);
        _staking.announce("https://trainer.example");
        vm.expectRevert(IBindable.NotBound.selector);
        _rounds.openRound(TaskId.wrap(1), none(), none());
    }

    function test_nobodyButTheSiblingsHasPower() public {
        TaskId one = TaskId.wrap(1);
        bytes memory expected = abi.encodeWithSelector(ITaskRegistry.NotDistributor.selector, address(this));
        vm.expectRevert(expected);
        registry.close(one);
        vm.expectRevert(expected);
        registry.moveHead(one, RoundId.wrap(1), 1, new bytes32[](0), new uint256[](0));

        vm.expectRevert(abi.encodeWithSelector(IStaking.NotRounds.selector, address(this)));
        staking.open(one, RoundId.wrap(1), 0);
        expected = abi.encodeWithSelector(IStaking.NotDistributor.selector, address(this));
        vm.expectRevert(expected);
        staking.settleAccounts(one, none(), new uint256[](0), new uint256[](0));
        vm.expectRevert(expected);
        staking.closeRound(one);
        vm.expectRevert(expected);
        staking.deposit(creator, 1);
        vm.expectRevert(expected);
        staking.burn(1);
        vm.expectRevert(expected);
        staking.credit(one, stranger, 1);
        vm.expectRevert(expected);
        staking.slashAbsent(one, stranger, 1, stranger, 1);

        vm.expectRevert(abi.encodeWithSelector(IRounds.NotDistributor.selector, address(this)));
        rounds.settled(one, true);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotVoting.selector, address(this)));
        rounds.takeVoterSeats(one, stranger, stranger);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NotRounds.selector, address(this)));
        distributor.settleVoid(one, none(), none());
    }

    function test_everyContractNamesItsSiblings() public view {
        vm.assertEq(registry.distributor(), address(distributor), "registry: distributor");
        vm.assertEq(address(staking.token()), address(token), "vault: token");
        vm.assertEq(address(staking.registry()), address(registry), "vault: registry");
        vm.assertEq(staking.rounds(), address(rounds), "vault: rounds");
        vm.assertEq(staking.distributor(), address(distributor), "vault: distributor");
        vm.assertEq(address(rounds.registry()), address(registry), "rounds: registry");
        vm.assertEq(address(rounds.staking()), address(staking), "rounds: vault");
        vm.assertEq(address(rounds.beacon()), address(beacon), "rounds: beacon");
        vm.assertEq(rounds.voting(), address(voting), "rounds: ballots");
        vm.assertEq(rounds.distributor(), address(distributor), "rounds: distributor");
        vm.assertEq(address(voting.rounds()), address(rounds), "ballots: rounds");
        vm.assertEq(address(distributor.registry()), address(registry), "distributor: registry");
        vm.assertEq(address(distributor.staking()), address(staking), "distributor: vault");
        vm.assertEq(address(distributor.rounds()), address(rounds), "distributor: rounds");
        vm.assertEq(address(distributor.voting()), address(voting), "distributor: ballots");
    }
}
