// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Account, Role} from "../interfaces/IStaking.sol";
import {NO_ROUND, RoundId} from "../types/RoundId.sol";

/// @notice The stake of one operator in one task, in two slots. See `Account` for the meaning of its parts.
struct Stake {
    uint96 active;
    uint96 joining;
    RoundId joinRound;
    Role role;
    uint96 leaving;
    uint96 left;
    RoundId leaveRound;
}

/// @notice What is due to an operator beside its stake. Written at the first stake and never empty again, so that no
/// payment has to make a slot.
struct Dues {
    uint96 claimable;
    uint40 unlockAt;
    RoundId since;
}

/// @title The stake account
/// @notice The rules that move stake between active, joining, leaving and left. At most one round is open per task; `open`
/// is its number or NO_ROUND. Every rule expects a touched account and works in memory; the sum of all parts changes
/// only by what is deposited, withdrawn or slashed.
library StakePool {
    /// @notice Brings an account up to date: what joined or left a round that is settled is active or left.
    function touch(Stake memory self, RoundId open) internal pure {
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
    function join(Stake memory self, uint96 amount, RoundId open) internal pure {
        if (open == NO_ROUND) self.active += amount;
        else (self.joining, self.joinRound) = (self.joining + amount, open);
    }

    /// @notice An exit of at most `active + joining`. Active stake that leaves an open round stays exposed to it; stake that
    /// was still joining never was.
    /// @return exposed Whether any of it is exposed.
    function exit(Stake memory self, uint96 amount, RoundId open) internal pure returns (bool exposed) {
        uint96 fromActive = amount < self.active ? amount : self.active;
        uint96 fromJoining = amount - fromActive;
        self.active -= fromActive;
        self.joining -= fromJoining;

        exposed = open != NO_ROUND && fromActive != 0;
        if (exposed) (self.leaving, self.leaveRound) = (self.leaving + fromActive, open);
        else self.left += fromActive;
        self.left += fromJoining;
    }

    /// @notice Takes out what has left and, if `escaped`, what is still leaving a round that nobody settles.
    function take(Stake memory self, bool escaped) internal pure returns (uint96 amount) {
        (amount, self.left) = (self.left, 0);
        if (escaped) {
            amount += self.leaving;
            (self.leaving, self.leaveRound) = (0, NO_ROUND);
        }
    }

    /// @notice Takes `fault`, or everything exposed if that is less: active and leaving in proportion, active rounded up.
    function slash(Stake memory self, uint256 fault) internal pure returns (uint256 fromActive, uint256 fromLeaving) {
        uint256 exposed = uint256(self.active) + self.leaving;
        if (exposed == 0) return (0, 0);

        uint256 cut = Math.min(fault, exposed);
        fromActive = Math.ceilDiv(cut * self.active, exposed);
        fromLeaving = cut - fromActive;
        self.active -= uint96(fromActive);
        self.leaving -= uint96(fromLeaving);
    }

    /// @notice What counts in the open round: what was active when it opened. The same as `countsNext` if none is open.
    function countsNow(Stake memory self) internal pure returns (uint256) {
        return uint256(self.active) + self.leaving;
    }

    /// @notice What counts in the next round to open.
    function countsNext(Stake memory self) internal pure returns (uint256) {
        return uint256(self.active) + self.joining;
    }

    /// @notice The weight of what counts.
    function weightOf(uint256 counts, uint256 seatStake) internal pure returns (uint256) {
        return counts >= seatStake ? counts : 0;
    }

    /// @notice Whether no stake is left in it, so that the operator may change its role.
    function isEmpty(Stake memory self) internal pure returns (bool) {
        return self.active == 0 && self.joining == 0 && self.leaving == 0 && self.left == 0;
    }

    /// @notice Both as one account, for those who look at it.
    function asAccount(Stake memory self, Dues memory dues) internal pure returns (Account memory) {
        return
            Account({
                active: self.active,
                joining: self.joining,
                joinRound: self.joinRound,
                role: self.role,
                leaving: self.leaving,
                left: self.left,
                leaveRound: self.leaveRound,
                unlockAt: dues.unlockAt,
                claimable: dues.claimable,
                since: dues.since
            });
    }
}
