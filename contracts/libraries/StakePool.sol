// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Account, Role} from "../interfaces/IStaking.sol";
import {NO_ROUND, RoundId} from "../types/RoundId.sol";

/// @notice The own stake of one operator in one task, as it is stored. See `Account` for the meaning of its parts.
struct Stake {
    uint96 active; // the first slot: all that most acts need
    uint96 joining;
    RoundId joinRound;
    Role role;
    bool hasPool; // whether it opened itself to delegation; nobody else pays for pools
    bool hasExit; // whether `leaving` may be more than 0
    uint96 leaving; // the second slot: only of those who go
    uint96 left;
    RoundId leaveRound;
}

/// @notice The same while an act works on it.
struct Own {
    uint256 active;
    uint256 joining;
    uint256 leaving;
    uint256 left;
    RoundId joinRound;
    RoundId leaveRound;
    Role role;
    bool hasPool;
    bool hasExit;
}

/// @notice What is due to an operator beside its stake. Written at the first stake and never empty again, so that no
/// payment has to make a slot.
struct Dues {
    uint96 claimable;
    uint40 unlockAt;
    RoundId since;
    bool hasPool; // the same as in its stake, so that a payment without a pool reads nothing else
}

/// @notice The terms that turn stake into weight.
struct Scale {
    uint256 seatStake;
    uint256 maxLeverage;
}

/// @title The stake account
/// @notice The rules that move own stake between active, joining, leaving and left. At most one round is open per task;
/// `open` is its number or NO_ROUND. Every rule expects a touched account and works in memory; the sum of all parts
/// changes only by what is deposited, withdrawn or slashed.
library StakePool {
    /// @notice The account; without `wholly`, `left` is missing unless something may be leaving.
    function load(Stake storage self, bool wholly) internal view returns (Own memory own) {
        (own.active, own.joining, own.joinRound) = (self.active, self.joining, self.joinRound);
        (own.role, own.hasPool, own.hasExit) = (self.role, self.hasPool, self.hasExit);
        if (!wholly && !own.hasExit) return own;
        (own.leaving, own.left, own.leaveRound) = (self.leaving, self.left, self.leaveRound);
    }

    /// @notice Keeps what `load` gave, and what became of it.
    /// @dev Amounts fit: no ledger exceeds what the vault holds. One write of a slot, where the compiler makes one a field.
    function save(Stake storage self, Own memory own, bool wholly) internal {
        uint256 first = own.active | (own.joining << 96) | (uint256(RoundId.unwrap(own.joinRound)) << 192);
        first |= (uint256(own.role) << 224) | (own.hasPool ? 1 << 232 : 0) | (own.hasExit ? 1 << 240 : 0);
        assembly ("memory-safe") {
            sstore(self.slot, first)
        }
        if (!wholly && !own.hasExit) return;
        uint256 second = own.leaving | (own.left << 96) | (uint256(RoundId.unwrap(own.leaveRound)) << 192);
        assembly ("memory-safe") {
            sstore(add(self.slot, 1), second)
        }
    }

    /// @notice Brings an account up to date: what joined or left a round that is settled is active or left.
    function touch(Own memory self, RoundId open) internal pure {
        if (self.joinRound != open) {
            self.active += self.joining;
            (self.joining, self.joinRound) = (0, NO_ROUND);
        }
        if (self.leaveRound != open) {
            self.left += self.leaving;
            (self.leaving, self.leaveRound) = (0, NO_ROUND);
        }
    }

    /// @notice A deposit: active at once if no round is open, otherwise joining.
    function join(Own memory self, uint256 amount, RoundId open) internal pure {
        if (open == NO_ROUND) self.active += amount;
        else (self.joining, self.joinRound) = (self.joining + amount, open);
    }

    /// @notice An exit of at most `active + joining`. Active stake that leaves an open round stays exposed to it; stake that
    /// was still joining never was.
    /// @return exposed Whether any of it is exposed.
    function exit(Own memory self, uint256 amount, RoundId open) internal pure returns (bool exposed) {
        uint256 fromActive = amount < self.active ? amount : self.active;
        uint256 fromJoining = amount - fromActive;
        self.active -= fromActive;
        self.joining -= fromJoining;
        if (self.joining == 0) self.joinRound = NO_ROUND;

        exposed = open != NO_ROUND && fromActive != 0;
        if (exposed) (self.leaving, self.leaveRound, self.hasExit) = (self.leaving + fromActive, open, true);
        else self.left += fromActive;
        self.left += fromJoining;
    }

    /// @notice Takes out what has left and, if `escaped`, what is still leaving a round that nobody settles.
    function take(Own memory self, bool escaped) internal pure returns (uint256 amount) {
        (amount, self.left) = (self.left, 0);
        if (escaped) {
            amount += self.leaving;
            (self.leaving, self.leaveRound) = (0, NO_ROUND);
        }
        self.hasExit = self.leaving != 0;
    }

    /// @notice Takes `cut`, at most what is exposed: active and leaving in proportion, active rounded up.
    function slash(Own memory self, uint256 cut) internal pure returns (uint256 fromActive, uint256 fromLeaving) {
        if (cut == 0) return (0, 0);

        fromActive = Math.ceilDiv(cut * self.active, countsNow(self));
        fromLeaving = cut - fromActive;
        self.active -= fromActive;
        self.leaving -= fromLeaving;
    }

    /// @notice What bears the faults of the open round, and counts in it: what was active when it opened. The same as
    /// `countsNext` if none is open.
    function countsNow(Own memory self) internal pure returns (uint256) {
        unchecked {
            return self.active + self.leaving; // no ledger exceeds what the vault holds
        }
    }

    /// @notice What counts in the next round to open.
    function countsNext(Own memory self) internal pure returns (uint256) {
        unchecked {
            return self.active + self.joining; // no ledger exceeds what the vault holds
        }
    }

    /// @notice The weight of what counts: the own stake if it is enough, and delegated stake in proportion to it.
    function weightOf(uint256 own, uint256 delegated, Scale memory scale) internal pure returns (uint256) {
        unchecked {
            return own < scale.seatStake ? 0 : own + Math.min(delegated, own * scale.maxLeverage);
        }
    }

    /// @notice Account and dues as one, for those who look at them.
    function asAccount(Own memory self, Dues memory dues) internal pure returns (Account memory) {
        return
            Account({
                active: uint96(self.active),
                joining: uint96(self.joining),
                joinRound: self.joinRound,
                role: self.role,
                leaving: uint96(self.leaving),
                left: uint96(self.left),
                leaveRound: self.leaveRound,
                unlockAt: dues.unlockAt,
                claimable: dues.claimable,
                since: dues.since
            });
    }
}
