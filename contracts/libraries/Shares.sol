// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Mark, Pool} from "../interfaces/IStaking.sol";
import {NO_ROUND, RoundId} from "../types/RoundId.sol";
import {BPS} from "./Constants.sol";

/// @notice What one owner has in a pool, as it is stored. See `Position` for the meaning of its parts.
struct Holding {
    uint112 shares; // the first slot: all that a plain claim writes
    uint144 index;
    uint96 claimable; // the second slot
    uint96 joining;
    RoundId pendingRound;
    uint32 generation;
    uint112 leavingShares; // the third slot: only of those who go
    uint96 left;
    uint40 unlockAt;
}

/// @notice A pool and what one owner has in it, both touched, while an act works on them.
struct Visit {
    Pool pool;
    Holding holding;
    address owner;
    RoundId open;
    RoundId pending; // the pool's, before the act
    uint256 counted; // of the pool in the next round, before the act
    bool wholly; // whether the third slot of the holding is here
}

/// @title The shares of a pool
/// @notice The rules that move delegated stake, in memory. When a share is worth less than 2^-16 wei the pool counts anew:
/// shares turn into as many as they are worth, at one wei each. A pool that lost everything does the same, to zero shares;
/// old shares never meet new deposits at a price that a small slash could wipe out.
///
/// `(shares + leavingShares) * factor <= active << 79` holds always. Roundings favour the pool, never an owner.
/// @dev Nothing overflows: amounts fit 96 bits (the vault holds no more), so shares fit 112, checked or not.
library Shares {
    uint256 internal constant FACTOR_ONE = 1 << 79;
    uint256 internal constant FACTOR_MIN = 1 << 63;

    uint256 private constant FACTOR_BITS = 79;
    uint256 private constant INDEX_BITS = 48;

    /* POOL */

    /// @notice Brings a pool up to date: what joined or left a round that is settled is active or gone.
    function touch(Pool memory pool, RoundId open) internal pure {
        if (pool.pendingRound == NO_ROUND || pool.pendingRound == open) return;

        pool.active = uint96(countsNext(pool));
        pool.shares += uint128(sharesFor(pool.joining, pool.mark.factor));
        (pool.leavingShares, pool.joining, pool.pendingRound) = (0, 0, NO_ROUND);
    }

    /// @notice Opens an empty pool, or changes its commission.
    function accept(Pool memory pool, uint16 commissionBps) internal pure {
        (pool.accepts, pool.commissionBps) = (true, commissionBps);
        if (pool.mark.factor == 0) pool.mark.factor = uint80(FACTOR_ONE);
    }

    /// @notice Takes `cut`, at most what is active, from every share alike.
    /// @return end Where the pool stands then; if its factor is below FACTOR_MIN, where its generation ended.
    function slash(Pool memory pool, uint256 cut) internal pure returns (Mark memory end) {
        uint256 before = pool.active;
        pool.active = uint96(before - cut);
        uint256 factor = (pool.mark.factor * (before - cut)) / before;
        end = Mark(uint80(factor), pool.mark.index, pool.mark.generation);
        pool.mark.factor = end.factor;
        if (factor >= FACTOR_MIN) return end;

        pool.shares = uint128(valueOf(pool.shares, factor));
        pool.leavingShares = uint128(valueOf(pool.leavingShares, factor));
        (pool.mark.factor, pool.mark.generation) = (uint80(FACTOR_ONE), end.generation + 1);
    }

    /// @notice The delegators' part of a reward: by active stake beside what the round counts of the operator's `own`, less
    /// the commission.
    /// @return credited What the shares earn of it, all of them together.
    function reward(Pool memory pool, uint256 own, uint256 amount) internal pure returns (uint256 credited) {
        uint256 earning = pool.active - valueOf(pool.leavingShares, pool.mark.factor);
        if (pool.shares == 0 || earning == 0) return 0;

        unchecked {
            uint256 net = (((amount * earning) / (own + earning)) * (BPS - pool.commissionBps)) / BPS;
            uint256 delta = (net << INDEX_BITS) / pool.shares;
            if (delta > type(uint144).max - pool.mark.index) return 0;

            pool.mark.index += uint144(delta);
            // Rounded up, at most `net`: an owner that counts several rewards at once rounds down once, not once a reward.
            return Math.ceilDiv(delta * pool.shares, 1 << INDEX_BITS);
        }
    }

    /// @notice What counts of a pool in the next round to open.
    function countsNext(Pool memory pool) internal pure returns (uint256) {
        return uint256(pool.active) - valueOf(pool.leavingShares, pool.mark.factor) + pool.joining;
    }

    /// @notice Whether nobody has anything in a pool. `active` may hold what roundings left.
    function isEmpty(Pool memory pool) internal pure returns (bool) {
        return pool.shares == 0 && pool.leavingShares == 0 && pool.joining == 0;
    }

    /* HOLDING */

    /// @notice Converts what waited for the settlement after which the pool stood at `mark`.
    function convert(Holding memory its, Mark memory mark) internal pure {
        its.left += uint96(valueOf(its.leavingShares, mark.factor));
        its.shares += uint112(sharesFor(its.joining, mark.factor));
        (its.leavingShares, its.joining, its.pendingRound) = (0, 0, NO_ROUND);
    }

    /// @notice Credits what the shares earned until the pool stood at `index`.
    function earn(Holding memory its, uint144 index) internal pure {
        if (its.shares != 0) its.claimable += uint96((its.shares * uint256(index - its.index)) >> INDEX_BITS);
        its.index = index;
    }

    /// @notice Counts the shares anew that a generation ended with.
    function renew(Holding memory its, Mark memory end) internal pure {
        earn(its, end.index);
        its.shares = uint112(valueOf(its.shares, end.factor));
        its.leavingShares = uint112(valueOf(its.leavingShares, end.factor));
        its.generation = end.generation + 1;
    }

    /* BOTH */

    /// @notice A deposit: shares at once if no round is open, otherwise joining.
    function join(Visit memory act, uint96 amount) internal pure {
        (Pool memory pool, Holding memory its) = (act.pool, act.holding);
        if (act.open == NO_ROUND) {
            uint256 shares = sharesFor(amount, pool.mark.factor);
            (pool.active, pool.shares) = (pool.active + amount, pool.shares + uint128(shares));
            its.shares += uint112(shares);
        } else {
            (pool.joining, pool.pendingRound) = (pool.joining + amount, act.open);
            (its.joining, its.pendingRound) = (its.joining + amount, act.open);
        }
    }

    /// @notice An exit of at most `available`. Shares that leave an open round stay exposed to it; what was still joining
    /// never was.
    /// @return exposed Whether any of it is exposed.
    function exit(Visit memory act, uint256 amount) internal pure returns (bool exposed) {
        (Pool memory pool, Holding memory its) = (act.pool, act.holding);
        uint256 factor = pool.mark.factor;
        uint256 held = valueOf(its.shares, factor);
        uint112 shares = its.shares;
        uint96 fromJoining = 0;
        if (amount < held) shares = uint112(Math.ceilDiv(amount << FACTOR_BITS, factor));
        else fromJoining = uint96(amount - held);
        (pool.shares, its.shares) = (pool.shares - shares, its.shares - shares);
        (pool.joining, its.joining) = (pool.joining - fromJoining, its.joining - fromJoining);
        its.left += fromJoining;

        exposed = act.open != NO_ROUND && shares != 0;
        if (exposed) {
            (pool.leavingShares, pool.pendingRound) = (pool.leavingShares + shares, act.open);
            (its.leavingShares, its.pendingRound) = (its.leavingShares + shares, act.open);
        } else {
            _release(pool, its, shares);
        }
        _tidy(pool, its);
    }

    /// @notice Frees what is still leaving a round that nobody settles.
    function escape(Visit memory act) internal pure {
        (Pool memory pool, Holding memory its) = (act.pool, act.holding);
        _release(pool, its, its.leavingShares);
        (pool.leavingShares, its.leavingShares) = (pool.leavingShares - its.leavingShares, 0);
        _tidy(pool, its);
    }

    /// @notice What the owner can still ask to leave with.
    function available(Visit memory act) internal pure returns (uint256) {
        return valueOf(act.holding.shares, act.pool.mark.factor) + act.holding.joining;
    }

    /* PRICE */

    /// @notice What `shares` are worth, rounded down.
    function valueOf(uint256 shares, uint256 factor) internal pure returns (uint256) {
        unchecked {
            return (shares * factor) >> FACTOR_BITS;
        }
    }

    /// @notice The shares that `amount` buys, rounded down; at least as many as wei.
    function sharesFor(uint256 amount, uint256 factor) internal pure returns (uint256) {
        return amount == 0 ? 0 : (amount << FACTOR_BITS) / factor;
    }

    /* INTERNAL */

    /// @dev Pays shares that are exposed to nothing out of the pool.
    function _release(Pool memory pool, Holding memory its, uint256 shares) private pure {
        uint96 out = uint96(valueOf(shares, pool.mark.factor));
        (pool.active, its.left) = (pool.active - out, its.left + out);
    }

    function _tidy(Pool memory pool, Holding memory its) private pure {
        if (pool.joining == 0 && pool.leavingShares == 0) pool.pendingRound = NO_ROUND;
        if (its.joining == 0 && its.leavingShares == 0) its.pendingRound = NO_ROUND;
    }
}
