// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Mark, Pool, Position} from "../interfaces/IStaking.sol";
import {NO_ROUND, RoundId} from "../types/RoundId.sol";
import {Holding, Shares, Visit} from "./Shares.sol";

/// @notice All that is delegated to one operator in one task.
struct Delegations {
    Pool pool;
    mapping(RoundId round => Mark mark) marks; // where the pool stood after the settlement that something waited for
    mapping(uint32 generation => Mark mark) ends; // where each generation of shares ended
    mapping(address owner => Holding holding) holdings;
}

/// @title Delegated stake
/// @notice A pool counts shares, not owners: a slash lowers the value of every share (`mark.factor`), a reward raises what
/// every share has earned (`mark.index`), so neither looks at an owner, and an owner that missed a thousand rounds catches
/// up in one step. What is delegated while a round is open gets its shares when that round is settled, at that value; what
/// leaves in it earns nothing of it and is worth what the settlement leaves of it. Both are looked up in the mark that
/// the first of them kept, and the settlement kept anew if it moved the pool.
library Delegation {
    using Shares for Holding;
    using Shares for Pool;

    /* READING */

    /// @notice The pool as if touched now.
    function look(Delegations storage self, RoundId open) internal view returns (Pool memory) {
        Pool memory pool = self.pool;
        pool.touch(open);
        return pool;
    }

    /// @notice What of the pool counts in the open round, or in the next one if none is open.
    function countsNow(Delegations storage self, RoundId open) internal view returns (uint256) {
        RoundId pending = self.pool.pendingRound;
        return pending == NO_ROUND || pending == open ? self.pool.active : look(self, open).active;
    }

    /// @notice What `owner` has, as if touched now.
    function positionOf(Delegations storage self, address owner, RoundId open) internal view returns (Position memory) {
        Holding memory its = _load(self, owner, open, true);
        return
            Position({
                joining: its.joining,
                pendingRound: its.pendingRound,
                generation: its.generation,
                left: its.left,
                shares: its.shares,
                leavingShares: its.leavingShares,
                index: its.index,
                claimable: its.claimable,
                unlockAt: its.unlockAt
            });
    }

    /* THE POOL */

    /// @notice Keeps what the settlement of `round` made of the pool, also for those who wait for it.
    function settle(Delegations storage self, Pool memory pool, RoundId round) internal {
        save(self, pool);
        if (pool.pendingRound == round) _put(self.marks[round], pool.mark);
    }

    /// @notice Keeps what `look` gave, and what became of it.
    /// @dev Amounts fit: no ledger exceeds what the vault holds. One write of a slot, where the compiler makes one a field.
    function save(Delegations storage self, Pool memory pool) internal {
        Pool storage stored = self.pool;
        uint256 first = uint256(pool.active) | (uint256(pool.joining) << 96);
        first |= uint256(RoundId.unwrap(pool.pendingRound)) << 192;
        first |= (uint256(pool.commissionBps) << 224) | (pool.accepts ? 1 << 240 : 0);
        uint256 second = uint256(pool.shares) | (uint256(pool.leavingShares) << 128);
        assembly ("memory-safe") {
            sstore(stored.slot, first)
            sstore(add(stored.slot, 1), second)
        }
        _put(stored.mark, pool.mark);
    }

    /// @notice Takes `cut`, at most what is active, from every share alike.
    function slash(Delegations storage self, Pool memory pool, uint256 cut) internal {
        if (cut == 0) return;
        Mark memory end = pool.slash(cut);
        if (end.factor < Shares.FACTOR_MIN) _put(self.ends[end.generation], end);
    }

    /* AN OWNER */

    /// @notice Begins an act of `owner`.
    /// @param wholly Whether the act looks at what leaves or has left.
    function visit(
        Delegations storage self,
        address owner,
        RoundId open,
        bool wholly
    ) internal view returns (Visit memory act) {
        (act.owner, act.open) = (owner, open);
        act.wholly = wholly || self.holdings[owner].pendingRound != NO_ROUND;
        act.holding = _load(self, owner, open, act.wholly);
        act.pool = look(self, open);
        (act.pending, act.counted) = (act.pool.pendingRound, act.pool.countsNext());
    }

    /// @notice Ends an act. Whoever is the first to wait for a settlement keeps where the pool stands, in the slot that a
    /// settlement that moves the pool will write.
    function keep(Delegations storage self, Visit memory act) internal {
        if (act.pending == NO_ROUND && act.pool.pendingRound != NO_ROUND) _put(self.marks[act.open], act.pool.mark);
        save(self, act.pool);
        _save(self, act.owner, act.holding, act.wholly);
    }

    /// @notice Makes the slot that the end of this generation will write, for the first deposit in it.
    function reserveEnd(Delegations storage self, Pool memory pool) internal {
        Mark storage end = self.ends[pool.mark.generation];
        if (end.factor == 0) end.factor = pool.mark.factor;
    }

    /// @notice Takes out what `owner` has earned. Leaves the pool alone.
    function claim(Delegations storage self, address owner, RoundId open) internal returns (uint256 amount) {
        bool wholly = self.holdings[owner].pendingRound != NO_ROUND;
        Holding memory its = _load(self, owner, open, wholly);
        (amount, its.claimable) = (its.claimable, 0);
        _save(self, owner, its, wholly);
    }

    /* INTERNAL */

    /// @dev One write, as in `save`.
    function _put(Mark storage self, Mark memory mark) private {
        uint256 word = uint256(mark.factor) | (uint256(mark.index) << 80) | (uint256(mark.generation) << 224);
        assembly ("memory-safe") {
            sstore(self.slot, word)
        }
    }

    /// @dev A touched holding. Whoever waits for nothing needs the third slot only to leave.
    function _load(
        Delegations storage self,
        address owner,
        RoundId open,
        bool wholly
    ) private view returns (Holding memory its) {
        Holding storage stored = self.holdings[owner];
        (its.shares, its.index, its.claimable) = (stored.shares, stored.index, stored.claimable);
        (its.joining, its.pendingRound, its.generation) = (stored.joining, stored.pendingRound, stored.generation);
        if (wholly) (its.leavingShares, its.left, its.unlockAt) = (stored.leavingShares, stored.left, stored.unlockAt);

        Mark memory mark = self.pool.mark;
        RoundId pending = its.pendingRound;
        if (pending != NO_ROUND && pending != open) {
            // Untouched since, the pool still stands where the round left it.
            Mark memory then = pending == self.pool.pendingRound ? mark : self.marks[pending];
            _renew(self, its, then.generation);
            its.earn(then.index);
            its.convert(then);
        }
        _renew(self, its, mark.generation);
        its.earn(mark.index);
    }

    /// @dev Walks through the ends of generations. Each takes at least 16 bits off the shares: after seven none is left.
    function _renew(Delegations storage self, Holding memory its, uint32 generation) private view {
        while (its.generation != generation && (its.shares != 0 || its.leavingShares != 0)) {
            its.renew(self.ends[its.generation]);
        }
        its.generation = generation;
    }

    /// @dev A holding without shares needs neither index nor generation.
    function _save(Delegations storage self, address owner, Holding memory its, bool wholly) private {
        Holding storage stored = self.holdings[owner];
        if (its.shares == 0 && its.leavingShares == 0) (its.index, its.generation) = (0, 0);
        (stored.shares, stored.index, stored.claimable) = (its.shares, its.index, its.claimable);
        (stored.joining, stored.pendingRound, stored.generation) = (its.joining, its.pendingRound, its.generation);
        if (wholly) (stored.leavingShares, stored.left, stored.unlockAt) = (its.leavingShares, its.left, its.unlockAt);
    }
}
