// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Pool, Position} from "../../../contracts/interfaces/IStaking.sol";
import {Delegation, Delegations} from "../../../contracts/libraries/Delegation.sol";
import {Shares, Visit} from "../../../contracts/libraries/Shares.sol";
import {NO_ROUND, RoundId} from "../../../contracts/types/RoundId.sol";
import {vm} from "../support/Vm.sol";

/// @notice Random acts on one pool beside the plain rule: a list of owners, and a loop over it for every slash and reward.
contract DelegationTest {
    using Delegation for Delegations;
    using Shares for Pool;
    using Shares for Visit;

    uint256 private constant OWNERS = 4;
    uint256 private constant SCALE = 1 << 64;
    uint256 private constant AMOUNT = 1 << 80;
    uint256 private constant OWN = 1 << 70; // the operator's own active stake

    /// @dev What one owner has by the plain rule, in parts of a wei.
    struct Plain {
        uint256 active;
        uint256 joining;
        uint256 leaving;
        uint256 left;
        uint256 rewards;
    }

    /// @dev What an act moved.
    struct Done {
        uint256 amount; // deposited, asked for, or slashed
        uint256 credited;
        uint256 paid; // out of the pool
    }

    Delegations private subject;
    Delegations private twin; // the same acts, and idle visits between
    RoundId private open;
    uint32 private last;
    Plain[OWNERS] private plain;
    uint256 private balance; // of the pool and its owners together
    uint256 private acts;
    uint256 private slack; // of rewards: what a wei of a share more or less earns

    /// @dev Every owner has what the plain rule gives it, whatever happened; nothing is owed that is not there.
    /// hardhat-config: fuzz.runs = 1500
    function test_pool_isThePlainRule_fuzz(uint256[24] memory words) public {
        _begin(subject);
        for (uint256 i = 0; i < words.length; ++i) {
            _act(words[i]);
            _assertSound();
            for (uint256 who = 0; who < OWNERS; ++who) _assertAsPlain(who);
        }
    }

    /// @dev Nobody's rewards depend on how often anybody looks after them.
    function test_rewards_doNotDependOnTouches_fuzz(uint256[24] memory words) public {
        _begin(subject);
        _begin(twin);
        uint256[OWNERS] memory touches;
        for (uint256 i = 0; i < words.length; ++i) {
            (RoundId before, uint32 number) = (open, last);
            _actOn(subject, words[i]);
            (open, last) = (before, number);
            _actOn(twin, words[i]);
            uint256 who = (words[i] >> 200) % OWNERS;
            twin.keep(twin.visit(_owner(who), open, words[i] >> 255 == 0));
            ++touches[who];
        }
        for (uint256 who = 0; who < OWNERS; ++who) {
            Position memory a = subject.positionOf(_owner(who), open);
            Position memory b = twin.positionOf(_owner(who), open);
            vm.assertEq(a.shares, b.shares, "shares");
            vm.assertEq(a.left, b.left, "left");
            vm.assertLe(b.claimable, a.claimable, "a touch gives nothing");
            vm.assertLe(a.claimable, b.claimable + touches[who], "a touch takes less than a wei");
        }
    }

    /// @dev Whoever waits for a settlement makes the slots that it writes, so that no settlement ever makes one.
    function test_waiting_makesTheSlotsThatASettlementWrites() public {
        _begin(subject);
        open = RoundId.wrap(++last);
        Visit memory act = subject.visit(_owner(0), open, false);
        subject.reserveEnd(act.pool);
        act.join(100);
        subject.keep(act);
        vm.assertGt(subject.marks[open].factor, 0, "mark, by who joins");
        vm.assertGt(subject.ends[0].factor, 0, "end of the generation");

        open = RoundId.wrap(++last);
        act = subject.visit(_owner(0), open, true);
        act.exit(50);
        subject.keep(act);
        vm.assertGt(subject.marks[open].factor, 0, "mark, by who leaves");
    }

    /// @dev An owner that slept through five ends of generations wakes up with what is left of it, and all it earned.
    function test_position_catchesUpThroughManyGenerations() public {
        _begin(subject);
        Visit memory act = subject.visit(_owner(0), open, false);
        act.join(uint96(AMOUNT));
        subject.keep(act);
        uint256 earned = 0;
        for (uint256 i = 0; i < 8; ++i) {
            Pool memory pool = subject.look(open);
            earned += pool.reward(0, 1 << 40);
            subject.slash(pool, pool.active - (pool.active >> 17));
            subject.pool = pool;
        }
        Position memory its = subject.positionOf(_owner(0), open);
        vm.assertEq(its.generation, 5, "generation");
        vm.assertEq(its.shares, 0, "shares");
        vm.assertLe(its.claimable, earned, "not more than was credited");
        vm.assertLe(earned, its.claimable + 8, "all of it");
        vm.assertGt(earned, 3 << 40, "more than once");
    }

    /* ACTS */

    function _begin(Delegations storage self) private {
        Pool memory pool;
        pool.accept(1250);
        self.pool = pool;
    }

    /// @dev One random act on the contract's rule.
    function _actOn(Delegations storage self, uint256 word) private returns (Done memory done) {
        uint256 act = word % 8;
        uint256 random = ((word >> 16) % (1 << 80)) >> ((word >> 96) % 80);
        bool wholly = act > 1 || (word >> 254) % 2 == 0;
        Visit memory visit = self.visit(_owner((word >> 8) % OWNERS), open, wholly);
        if (act <= 1) {
            done.amount = random;
            if (visit.pool.isEmpty()) self.reserveEnd(visit.pool);
            visit.join(uint96(random));
        } else if (act == 2 && visit.available() != 0) {
            done.amount = (word >> 248) == 0 ? visit.available() : 1 + (random % visit.available());
            visit.exit(done.amount);
        } else if (act == 3 && open == NO_ROUND) {
            open = RoundId.wrap(++last);
        } else if (act == 4 && open != NO_ROUND) {
            self.keep(visit);
            return _settle(self, word, random);
        } else if (act == 5) {
            open = NO_ROUND; // a round that did not concern this pool
        } else if (act >= 6) {
            if (act == 7 && open != NO_ROUND) visit.escape();
            done.paid = uint256(visit.holding.left) + visit.holding.claimable;
            (visit.holding.left, visit.holding.claimable) = (0, 0);
        }
        self.keep(visit);
    }

    function _settle(Delegations storage self, uint256 word, uint256 random) private returns (Done memory done) {
        Pool memory pool = self.look(open);
        uint256 part = pool.active >> ((word >> 104) % 48);
        done.amount =
            (word >> 112) % 4 == 0
                ? 0
                : (word >> 112) % 4 == 1
                    ? part
                    : pool.active - part;
        self.slash(pool, done.amount);
        done.credited = pool.reward(OWN, random);
        slack += 2 + (2 * (acts + 1) * done.credited) / (Shares.valueOf(pool.shares, pool.mark.factor) + 1);
        self.settle(pool, open);
        open = NO_ROUND;
    }

    /// @dev One random act on both rules.
    function _act(uint256 word) private {
        uint256 act = word % 8;
        Plain storage own = plain[(word >> 8) % OWNERS];
        RoundId before = open;
        uint256 active = _active();
        Done memory done = _actOn(subject, word);
        ++acts;
        balance = balance + done.credited - done.paid;
        if (act <= 1) {
            balance += done.amount;
            if (open == NO_ROUND) own.active += done.amount * SCALE;
            else own.joining += done.amount * SCALE;
        } else if (act == 2) {
            _plainExit(own, done.amount * SCALE);
        } else if (act == 4 && before != NO_ROUND) {
            balance -= done.amount;
            _plainSettle(active, active - done.amount, done.credited);
        } else if (act == 5) {
            _plainSettle(1, 1, 0);
        } else if (act >= 6) {
            (own.left, own.rewards) = (0, 0);
            if (act == 7 && open != NO_ROUND) own.leaving = 0;
        }
    }

    /* THE PLAIN RULE */

    function _plainExit(Plain storage own, uint256 amount) private {
        uint256 fromActive = amount < own.active ? amount : own.active;
        uint256 fromJoining = amount - fromActive < own.joining ? amount - fromActive : own.joining;
        own.active -= fromActive;
        own.joining -= fromJoining;
        own.left += fromJoining;
        if (open == NO_ROUND) own.left += fromActive;
        else own.leaving += fromActive;
    }

    function _plainSettle(uint256 before, uint256 afterwards, uint256 credited) private {
        uint256 total;
        for (uint256 who = 0; who < OWNERS; ++who) {
            Plain storage own = plain[who];
            if (before != 0) own.active = (own.active * afterwards) / before;
            if (before != 0) own.leaving = (own.leaving * afterwards) / before;
            total += own.active;
        }
        for (uint256 who = 0; who < OWNERS; ++who) {
            Plain storage own = plain[who];
            if (total != 0) own.rewards += ((own.active * credited) / total) * SCALE;
            own.active += own.joining;
            own.left += own.leaving;
            (own.joining, own.leaving) = (0, 0);
        }
    }

    /* ASSERTIONS */

    /// @dev Shares are never worth more than there is, positions never sum to more than the pool.
    function _assertSound() private view {
        Pool memory pool = subject.look(open);
        uint256 shares;
        uint256 leaving;
        uint256 joining;
        uint256 owed = uint256(pool.active) + pool.joining;
        for (uint256 who = 0; who < OWNERS; ++who) {
            Position memory its = subject.positionOf(_owner(who), open);
            shares += its.shares;
            leaving += its.leavingShares;
            joining += its.joining;
            owed += uint256(its.left) + its.claimable;
        }
        vm.assertLe(shares, pool.shares, "shares");
        vm.assertLe(leaving, pool.leavingShares, "leaving shares");
        vm.assertLe(pool.shares + pool.leavingShares, shares + leaving + 2 * OWNERS, "shares of nobody");
        vm.assertEq(joining, pool.joining, "joining");
        vm.assertLe(Shares.FACTOR_MIN, pool.mark.factor, "factor");
        uint256 value = (uint256(pool.shares) + pool.leavingShares) * pool.mark.factor;
        vm.assertLe(value, uint256(pool.active) << 79, "worth of all shares");
        vm.assertLe(owed, balance, "owed beyond what is there");
    }

    /// @dev To a wei for each act, and 2^-40 for the factors' last bits.
    function _assertAsPlain(uint256 who) private view {
        Pool memory pool = subject.look(open);
        Position memory its = subject.positionOf(_owner(who), open);
        Plain storage own = plain[who];
        uint256 expected = (own.active + own.joining + own.leaving + own.left) / SCALE;
        uint256 actual =
            Shares.valueOf(its.shares, pool.mark.factor) +
                Shares.valueOf(its.leavingShares, pool.mark.factor) +
                its.joining +
                its.left;
        vm.assertLe(actual, expected + acts, "never more than the plain rule");
        vm.assertLe(expected, actual + 2 * acts + (expected >> 40), "never less than the plain rule");

        expected = own.rewards / SCALE;
        vm.assertLe(its.claimable, expected + slack + (expected >> 40), "rewards not more");
        vm.assertLe(expected, its.claimable + slack + (expected >> 40), "rewards not less");
    }

    function _active() private view returns (uint256) {
        Pool memory pool = subject.look(open);
        return pool.active;
    }

    function _owner(uint256 who) private pure returns (address) {
        return address(uint160(who + 1));
    }
}
