// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FlockToken} from "../../../contracts/FlockToken.sol";
import {Staking} from "../../../contracts/Staking.sol";
import {TaskRegistry} from "../../../contracts/TaskRegistry.sol";
import {Account, Pool, Position, Role} from "../../../contracts/interfaces/IStaking.sol";
import {Payout, Roles, Terms} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Shares} from "../../../contracts/libraries/Shares.sol";
import {NO_ROUND, RoundId} from "../../../contracts/types/RoundId.sol";
import {TaskId} from "../../../contracts/types/TaskId.sol";
import {vm} from "./Vm.sol";

/// @notice The vault alone: the test itself opens rounds and settles them, at any moment and with any pays and faults.
abstract contract VaultBase {
    uint96 internal constant UNIT = 100 ether;
    uint256 internal constant UNBONDING = 7 days;

    FlockToken internal token;
    TaskRegistry internal registry;
    Staking internal staking;
    TaskId internal task;
    RoundId internal round; // the newest
    bool internal isOpen;

    address internal operator = address(0xA0);
    address internal rival = address(0xA1); // without a pool
    address internal alice = address(0xD1);
    address internal bob = address(0xD2);
    address internal carol = address(0xD3);

    uint256 internal pot; // what pays come from and slashes go to

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        token = new FlockToken(address(this));
        registry = new TaskRegistry();
        staking = new Staking(token, registry);
        registry.bind(address(this));
        staking.bind(address(this), address(this));
        task = registry.createTask(terms(), "manifest");
        token.approve(address(staking), type(uint256).max);
        pot = 100_000 ether;
        staking.deposit(address(this), pot);
    }

    function terms() internal pure virtual returns (Terms memory) {
        return
            Terms({
                seatStake: uint88(UNIT),
                propose: 6 hours,
                publish: 30 minutes,
                ballot: 2 hours,
                reveal: 30 minutes,
                grace: 12 hours,
                unbonding: uint24(UNBONDING),
                rankRatioBps: 8500,
                maxLeverage: 9,
                rounds: 10,
                expectedTrainers: 6,
                expectedVoters: 9,
                maxVoids: 5,
                acceptBps: 6000,
                minGain: 5,
                band: 50,
                dissentBand: 200,
                toleranceBps: 2500,
                rejectBps: 3000,
                unrevealedBps: 1500,
                dissentBps: 1000,
                headBps: 500,
                absentBps: 200,
                voterShareBps: 3000,
                idleAfter: 30 days,
                roles: Roles.Declared,
                payout: Payout.Proportional
            });
    }

    /* ACTS */

    function open() internal {
        round = round.next();
        isOpen = true;
        staking.open(task, round, uint40(block.timestamp + 1 days));
    }

    /// @dev Slashes and pays one operator in the open round, as its settlement does.
    function book(address who, uint256 fault, uint256 pay) internal returns (uint256 cut) {
        address[] memory operators = new address[](1);
        uint256[] memory pays = new uint256[](1);
        uint256[] memory faults = new uint256[](1);
        (operators[0], pays[0], faults[0]) = (who, pay, fault);
        cut = staking.settleAccounts(task, operators, pays, faults);
        pot = pot + cut - pay;
    }

    function close() internal {
        staking.closeRound(task);
        isOpen = false;
    }

    /// @dev Settles the open round with one slash and one pay.
    function settle(address who, uint256 fault, uint256 pay) internal returns (uint256 cut) {
        cut = book(who, fault, pay);
        close();
    }

    function stake(address who, Role role, uint256 amount) internal {
        supply(who, amount);
        vm.prank(who);
        staking.stake(task, role, amount);
    }

    function accept(address who, uint16 commissionBps) internal {
        vm.prank(who);
        staking.acceptDelegation(task, commissionBps);
    }

    function delegate(address owner, address who, uint256 amount) internal {
        supply(owner, amount);
        vm.prank(owner);
        staking.delegate(task, who, amount);
    }

    function exit(address owner, address who, uint256 amount) internal {
        vm.prank(owner);
        staking.requestExit(task, who, amount);
    }

    function supply(address who, uint256 amount) internal {
        token.transfer(who, amount);
        vm.prank(who);
        token.approve(address(staking), type(uint256).max);
    }

    function skip(uint256 time) internal {
        vm.warp(block.timestamp + time);
    }

    /* READINGS */

    function account(address who) internal view returns (Account memory) {
        return staking.account(task, who);
    }

    function pool(address who) internal view returns (Pool memory) {
        return staking.pool(task, who);
    }

    function position(address who, address owner) internal view returns (Position memory) {
        return staking.position(task, who, owner);
    }

    function weight(address who) internal view returns (uint256 w) {
        (, w) = staking.weightOf(task, who);
    }

    /// @dev What the shares of a position are worth.
    function worth(address who, address owner) internal view returns (uint256) {
        return Shares.valueOf(position(who, owner).shares, pool(who).mark.factor);
    }

    /// @dev All that `owner` has in the pool of `who`, rewards apart.
    function holding(address who, address owner) internal view returns (uint256) {
        Position memory its = position(who, owner);
        uint256 shares = uint256(its.shares) + its.leavingShares;
        return Shares.valueOf(shares, pool(who).mark.factor) + its.joining + its.left;
    }

    /* ASSERTIONS */

    /// @dev Nothing is owed that is not there, and what rounding leaves is at most `dust`.
    function assertConserved(uint256 dust) internal view {
        uint256 owed = pot + staking.toBurn();
        address[2] memory operators = [operator, rival];
        address[3] memory owners = [alice, bob, carol];
        for (uint256 i = 0; i < operators.length; ++i) {
            Account memory a = account(operators[i]);
            owed += uint256(a.active) + a.joining + a.leaving + a.left + a.claimable;
            Pool memory p = pool(operators[i]);
            owed += uint256(p.active) + p.joining;
            for (uint256 j = 0; j < owners.length; ++j) {
                Position memory its = position(operators[i], owners[j]);
                owed += uint256(its.left) + its.claimable;
            }
        }
        uint256 balance = token.balanceOf(address(staking));
        vm.assertLe(owed, balance, "owed beyond what is there");
        vm.assertLe(balance, owed + dust, "lost beyond what rounding leaves");
    }

    /// @dev The sums of weights are the sums of weights.
    function assertTotals() internal view {
        uint256[2] memory sums;
        address[2] memory operators = [operator, rival];
        for (uint256 i = 0; i < operators.length; ++i) {
            Account memory a = account(operators[i]);
            uint256 own = uint256(a.active) + a.joining;
            if (own < UNIT) continue;
            uint256 most = own * terms().maxLeverage;
            uint256 counts = Shares.countsNext(pool(operators[i]));
            sums[uint256(a.role)] += own + (counts < most ? counts : most);
        }
        (uint96 trainers, uint96 voters) = staking.totals(task);
        vm.assertEq(trainers, sums[0], "trainer total");
        vm.assertEq(voters, sums[1], "voter total");
    }
}
