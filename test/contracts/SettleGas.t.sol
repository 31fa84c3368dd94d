// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Sortition} from "../../contracts/libraries/Sortition.sol";
import {ABSTAIN, Ballot, Phase, Role, vm} from "./support/Base.sol";
import {Luck} from "./support/Luck.sol";

/// @notice The worst settlements: 16 proposals and 64 ballots, everybody slashed, every voter paid as well.
contract SettleGasTest is Luck {
    uint256 private constant BOUND = 5_000_000;
    /// @dev Of the code that tests run. For the code that is deployed the bound is 5,000,000: test/journeys/gas.slow.test.ts.
    uint256 private constant BOUND_WITH_POOLS = 5_600_000;
    uint256 private constant BOUND_WITH_ABSENTS = 6_200_000;
    /// @dev Ballots sealed where the others are accused of absence: the dearest number, for a quorum must be sealed.
    uint256 private constant SEALED = 26;

    address[] private proposing;
    address[] private voting64;

    /// @dev A round with 16 published proposals and 64 voters. With `delegated`, that much is delegated to each of them, and
    /// as much again while the round is open.
    function _begin(uint256 delegated) private {
        Terms memory terms = defaultTerms();
        (terms.expectedTrainers, terms.expectedVoters) = (8, 40);
        createTask(terms);
        fund(creator, FUNDS);

        proposing = luckyOperators(Role.Trainer, 16, 8, SEED, UNIT + delegated);
        stakeAll(proposing, Role.Trainer);
        bytes32 accumulator;
        for (uint256 i = 0; i < 16; ++i) {
            bytes32 salt = keccak256(abi.encode("salt", proposing[i], uint32(1)));
            accumulator = Sortition.fold(accumulator, salt, proposing[i]);
        }
        bytes32 voterSeed = Sortition.voterSeed(SEED, Sortition.mix(accumulator, VOTER_VALUE));
        voting64 = luckyOperators(Role.Validator, 64, 40, voterSeed, UNIT + delegated);
        stakeAll(voting64, Role.Validator);
        if (delegated != 0) _openPools();
        _delegateToAll(delegated);

        openRound();
        _delegateToAll(delegated);
        for (uint256 i = 0; i < 16; ++i) sealProposal(proposing[i]);
        endPhase(Phase.Propose);
        for (uint256 i = 0; i < 16; ++i) publish(proposing[i]);
    }

    function test_settle_gas_64x16_adversarial() public {
        _begin(0);
        // Even slots are accepted, odd ones rejected, far apart; every voter is silent on one of them.
        for (uint256 v = 0; v < 64; ++v) {
            uint256 word;
            for (uint256 i = 0; i < 16; ++i) {
                int256 score = int256(300 * (i + 1)) * (i % 2 == 0 ? int256(1) : int256(-1)) - int256(v);
                word |= _lane(v % 16 == i ? ABSTAIN : int16(score), i);
            }
            sealBallot(voting64[v], Ballot.wrap(word));
        }
        revealBallots();
        vm.assertLt(_gasOfSettle(), BOUND, "gas of settle");
        for (uint256 v = 0; v < 64; ++v) {
            vm.assertGt(account(voting64[v]).claimable, 0, "voter paid");
            vm.assertLt(account(voting64[v]).active, UNIT, "voter slashed");
        }
        for (uint256 i = 0; i < 16; ++i) {
            bool isPaid = account(proposing[i]).claimable != 0;
            vm.assertTrue(isPaid == (i % 2 == 0), "trainer paid");
        }
    }

    /// @dev Nobody tells anything apart: the windows are halved to the end.
    function test_settle_gas_64x16_withoutPoints() public {
        _begin(0);
        for (uint256 v = 0; v < 64; ++v) {
            uint256 word;
            for (uint256 i = 0; i < 16; ++i) word |= _lane(v % 3 == 0 ? int16(-900) : int16(300), i);
            sealBallot(voting64[v], Ballot.wrap(word), bytes20(uint160(1 + (v % 3) / 2)));
        }
        revealBallots();
        vm.assertLt(_gasOfSettle(), BOUND, "gas of settle");
        vm.assertEq(account(voting64[0]).claimable, 0, "pay");
    }

    /// @dev All that settlements write: every pool moves and has stake that waits for it, every voter has asked for half of
    /// its stake, is paid, silent once, dissents once, and every third names another head; the windows are halved to the end.
    function test_settle_gas_64x16_withPools() public {
        _begin(UNIT / 10);
        for (uint256 v = 0; v < 64; ++v) {
            requestExit(voting64[v], UNIT / 2);
            sealBallot(voting64[v], Ballot.wrap(_halfSilent(v)), bytes20(uint160(v % 3 == 1 ? 2 : 1)));
        }
        revealBallots();
        vm.assertLt(_gasOfSettle(), BOUND_WITH_POOLS, "gas of settle");
        for (uint256 v = 0; v < 64; ++v) {
            vm.assertGt(account(voting64[v]).claimable, 0, "voter paid");
            vm.assertLt(pool(voting64[v]).active, UNIT / 5, "delegators slashed");
            vm.assertGt(pool(voting64[v]).mark.index, 0, "delegators paid");
        }
        for (uint256 i = 0; i < 16; ++i)
            vm.assertLt(pool(proposing[i]).active, UNIT / 5, "trainers' delegators slashed");
    }

    /// @dev Each absent voter is accused by somebody else, whose bounty makes a slot.
    function test_settle_gas_64x16_withPoolsAndAbsents() public {
        _begin(UNIT / 10);
        for (uint256 v = 0; v < 64; ++v) {
            requestExit(voting64[v], UNIT / 2);
            if (v < SEALED) sealBallot(voting64[v], Ballot.wrap(_halfSilent(v)), bytes20(uint160(v % 3 == 1 ? 2 : 1)));
        }
        endPhase(Phase.Ballot);
        for (uint256 v = SEALED; v < 64; ++v) accuse(address(uint160(0xacc00000 + v)), voting64[v]);
        for (uint256 v = 0; v < SEALED; ++v) reveal(voting64[v]);
        skip(1 hours);
        vm.assertLt(_gasOfSettle(), BOUND_WITH_ABSENTS, "gas of settle");
        for (uint256 v = SEALED; v < 64; ++v) vm.assertLt(account(voting64[v]).active, UNIT, "absent voter slashed");
    }

    /// @dev Scores of a voter that is silent once and dissents once.
    function _halfSilent(uint256 v) private pure returns (uint256 word) {
        for (uint256 i = 0; i < 16; ++i) {
            int16 score = i % 2 == 0 ? int16(-100) : int16(-110);
            if (i == v % 16) score = ABSTAIN;
            if (i == (v + 1) % 16) score = 2000;
            word |= _lane(score, i);
        }
    }

    function _openPools() private {
        for (uint256 i = 0; i < 16; ++i) acceptDelegation(proposing[i], 1000);
        for (uint256 v = 0; v < 64; ++v) acceptDelegation(voting64[v], 1000);
    }

    function _delegateToAll(uint256 amount) private {
        if (amount == 0) return;
        for (uint256 i = 0; i < 16; ++i) delegate(address(0xde1e), proposing[i], amount);
        for (uint256 v = 0; v < 64; ++v) delegate(address(0xde1e), voting64[v], amount);
    }

    /// @dev Storage is cold, as in a transaction of its own; the first payment to everybody also makes a slot.
    function _gasOfSettle() private returns (uint256 used) {
        (address[] memory first, address[] memory second) = (proposers(), voters());
        vm.cool(address(registry));
        vm.cool(address(staking));
        vm.cool(address(rounds));
        vm.cool(address(voting));
        vm.cool(address(distributor));
        used = gasleft();
        distributor.settle(task, first, second);
        used -= gasleft();
    }
}
