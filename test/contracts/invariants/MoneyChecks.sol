// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Purse} from "../../../contracts/interfaces/IRewardDistributor.sol";
import {Account, Mark, Pool, Position} from "../../../contracts/interfaces/IStaking.sol";
import {TaskId, vm} from "../support/Base.sol";
import {Handler} from "./Handler.sol";

/// @notice I1 to I7 as they stand in the contracts.
abstract contract MoneyChecks is Handler {
    /// @dev I1: the vault holds what it owes, and beyond it gifts and what roundings left of delegators' exits: less than
    /// a wei each.
    function checkConservation() internal view {
        uint256 owed = staking.toBurn() + donated;
        for (uint256 t = 0; t < tasks.length; ++t) {
            Purse memory purse = distributor.purse(tasks[t]);
            owed += uint256(purse.pot) + purse.incoming + checkBooks(tasks[t]);
        }
        uint256 balance = token.balanceOf(address(staking));
        check(1, owed <= balance, "something is owed that is not there");
        check(1, balance <= owed + delegatedExits, "something is there that nobody owns");
    }

    /// @dev I2 and I3 of one task.
    /// @return owed What the vault owes to all who have stake or rewards in it.
    function checkBooks(TaskId id) internal view returns (uint256 owed) {
        for (uint256 i = 0; i < OPERATORS + 3; ++i) owed += _checkAccount(id, creditorAt(i));
        for (uint256 i = 0; i < HOSTS; ++i) owed += _checkPool(id, hosts[i]);
    }

    /// @dev I2: every account is what went in less what went out.
    function _checkAccount(TaskId id, address owner) private view returns (uint256 owed) {
        Account memory a = staking.account(id, owner);
        Flow storage f = own[id][owner];
        owed = uint256(a.active) + a.joining + a.leaving + a.left;
        check(2, owed + f.withdrawn + f.slashed == f.deposited, "a stake that is not what went in and out");
        check(2, a.claimable + f.claimed == f.credited, "a claim that is not what was credited");
        return owed + a.claimable;
    }

    /// @dev I3: shares are worth what is there and no more, and only settlements change that; owners have the pool's shares
    /// and no more.
    function _checkPool(TaskId id, address host) private view returns (uint256 owed) {
        Pool memory pool = staking.pool(id, host);
        Mark storage known = markOf[id][host];
        check(3, known.factor == pool.mark.factor || known.factor == 0, "an act changed what a share is worth");
        check(3, known.index == pool.mark.index, "an act changed what a share earned");
        uint256 all = uint256(pool.shares) + pool.leavingShares;
        check(3, all * pool.mark.factor <= uint256(pool.active) << 79, "shares are worth more than there is");

        uint256[4] memory sums; // shares, joining, left, earned and claimed
        for (uint256 d = 0; d < DELEGATORS; ++d) _addPosition(id, host, delegators[d], pool.mark.factor, sums);
        check(3, sums[0] <= all, "more shares than the pool counts");
        check(3, sums[1] == pool.joining, "what joins is not what owners joined with");
        check(2, sums[3] <= toDelegators[id][host], "delegators earned more than was credited");
        owed = uint256(pool.active) + pool.joining + sums[2] + toDelegators[id][host];
        // The rewards of delegators are what was credited to them all, less what they claimed.
        for (uint256 d = 0; d < DELEGATORS; ++d) owed -= delegated[id][host][delegators[d]].claimed;
    }

    function _addPosition(TaskId id, address host, address owner, uint256 factor, uint256[4] memory sums) private view {
        Position memory p = staking.position(id, host, owner);
        Flow storage f = delegated[id][host][owner];
        uint256 worth = ((p.shares * factor) >> 79) + ((p.leavingShares * factor) >> 79) + p.joining + p.left;
        check(2, worth + f.withdrawn <= f.deposited, "a delegator has more than it put in");
        sums[0] += uint256(p.shares) + p.leavingShares;
        sums[1] += p.joining;
        sums[2] += p.left;
        sums[3] += p.claimable + f.claimed;
    }

    /// @dev I5: nothing but its own acts moves a task's pot.
    function checkPurse(TaskId id) internal view {
        Purse memory purse = distributor.purse(id);
        check(5, uint256(purse.pot) + purse.incoming == purseOf[id], "an act changed another pot");
    }

    /// @dev What acts found broken, all of it.
    function checkHeld(uint256 from, uint256 to) internal view {
        string memory found = "";
        for (uint256 i = from; i <= to; ++i) {
            if (bytes(broken[i]).length != 0) found = string.concat(found, "I", _digits(i), ": ", broken[i], ". ");
        }
        vm.assertTrue(bytes(found).length == 0, found);
    }

    function check(uint256 invariant, bool condition, string memory what) internal pure {
        if (!condition) vm.assertTrue(false, string.concat("I", _digits(invariant), ": ", what));
    }

    function _digits(uint256 number) private pure returns (string memory) {
        bytes memory digits = new bytes(number < 10 ? 1 : 2);
        digits[digits.length - 1] = bytes1(uint8(48 + (number % 10)));
        if (number >= 10) digits[0] = bytes1(uint8(48 + number / 10));
        return string(digits);
    }
}
