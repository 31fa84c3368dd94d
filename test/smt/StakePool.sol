// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Own, Scale, StakePool} from "../../contracts/libraries/StakePool.sol";
import {NO_ROUND, RoundId} from "../../contracts/types/RoundId.sol";

/// @dev Accounts whose parts the vault can hold.
abstract contract Accounts {
    function requireBounds(Own memory self) internal pure {
        require(self.active <= type(uint96).max && self.joining <= type(uint96).max);
        require(self.leaving <= type(uint96).max && self.left <= type(uint96).max);
    }

    function sumOf(Own memory self) internal pure returns (uint256) {
        return self.active + self.joining + self.leaving + self.left;
    }
}

/// @notice Bringing an account up to date loses and makes nothing.
contract TouchConserves is Accounts {
    using StakePool for Own;

    function prove(Own memory self, RoundId open) external pure {
        requireBounds(self);
        uint256 before = sumOf(self);
        self = self.touch(open);
        assert(sumOf(self) == before);
    }
}

/// @notice A touched account of a task without an open round has nothing joining or leaving.
contract TouchWithoutRoundSettles is Accounts {
    using StakePool for Own;

    function prove(Own memory self) external pure {
        requireBounds(self);
        require(self.joinRound != NO_ROUND || self.joining == 0);
        require(self.leaveRound != NO_ROUND || self.leaving == 0);
        self = self.touch(NO_ROUND);
        assert(self.joining == 0 && self.leaving == 0);
    }
}

/// @notice A deposit adds exactly itself.
contract JoinAddsItsAmount is Accounts {
    using StakePool for Own;

    function prove(Own memory self, RoundId open, uint96 amount) external pure {
        requireBounds(self);
        uint256 before = sumOf(self);
        self = self.join(amount, open);
        assert(sumOf(self) == before + amount);
    }
}

/// @notice An exit loses and makes nothing.
contract ExitConserves is Accounts {
    using StakePool for Own;

    function prove(Own memory self, RoundId open, uint96 amount) external pure {
        requireBounds(self);
        uint256 before = sumOf(self);
        (, self) = self.exit(amount, open);
        assert(sumOf(self) == before);
    }
}

/// @notice An exit is exposed exactly if a round is open and active stake leaves.
contract ExitOfActiveStakeIsExposed is Accounts {
    using StakePool for Own;

    function prove(Own memory self, RoundId open, uint96 amount) external pure {
        requireBounds(self);
        require(amount != 0);
        bool active = self.active != 0;
        bool exposed;
        (exposed, self) = self.exit(amount, open);
        assert(exposed == (active && open != NO_ROUND));
    }
}

/// @notice An exit does not change what bears the faults of an open round.
contract ExitKeepsWhatIsExposed is Accounts {
    using StakePool for Own;

    function prove(Own memory self, RoundId open, uint96 amount) external pure {
        requireBounds(self);
        require(open != NO_ROUND);
        uint256 before = self.active + self.leaving;
        (, self) = self.exit(amount, open);
        assert(self.active + self.leaving == before);
    }
}

/// @notice A withdrawal takes out exactly what it pays.
contract TakeConserves is Accounts {
    using StakePool for Own;

    function prove(Own memory self, bool escaped) external pure {
        requireBounds(self);
        uint256 before = sumOf(self);
        uint256 amount;
        (amount, self) = self.take(escaped);
        assert(sumOf(self) + amount == before);
    }
}

/// @notice Without the escape a withdrawal leaves what is still exposed where it is.
contract TakeLeavesWhatIsExposed is Accounts {
    using StakePool for Own;

    function prove(Own memory self) external pure {
        requireBounds(self);
        (uint256 active, uint256 leaving) = (self.active, self.leaving);
        (, self) = self.take(false);
        assert(self.active == active && self.leaving == leaving);
    }
}

/// @notice A slash takes exactly its cut.
contract SlashTakesItsCut is Accounts {
    using StakePool for Own;

    function prove(Own memory self, uint96 cut) external pure {
        requireBounds(self);
        require(cut <= self.active + self.leaving);
        uint256 before = sumOf(self);
        (, , self) = self.slash(cut);
        assert(sumOf(self) + cut == before);
    }
}

/// @notice Less than a seat's stake weighs nothing, whatever is delegated to it.
contract WeightBelowASeatIsNone {
    function prove(uint96 own, uint96 delegated, Scale memory scale) external pure {
        require(own < scale.seatStake);
        assert(StakePool.weightOf(own, delegated, scale) == 0);
    }
}

/// @notice Delegated stake weighs at most the leverage times the own.
contract WeightIsCapped {
    function prove(uint96 own, uint96 delegated, Scale memory scale) external pure {
        require(scale.maxLeverage <= 100);
        uint256 weight = StakePool.weightOf(own, delegated, scale);
        assert(weight <= uint256(own) + uint256(own) * scale.maxLeverage && weight <= uint256(own) + delegated);
    }
}
