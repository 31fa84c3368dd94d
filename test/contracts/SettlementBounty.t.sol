// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Base, Phase, Role, vm} from "./support/Base.sol";

/// @notice Whoever settles a round that is not void gets a thousandth of its pot, at most a tenth of a seat's stake.
contract SettlementBountyTest is Base {
    uint256 private constant POT = FUNDS / 10;

    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    function test_settle_creditsWhoeverCalls() public {
        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        vm.expectEmit(address(staking));
        emit IStaking.Credited(task, stranger, POT / 1000);
        settleBy(stranger);
        vm.assertEq(account(stranger).claimable, POT / 1000, "claimable");
        uint256 voters_ = 9 * ((((POT - POT / 1000) * 3000) / 10_000) / 9);
        uint256 trainer = (2 * (((POT - POT / 1000) * 7000) / 10_000)) / 6;
        vm.assertEq(account(trainers[0]).claimable, trainer, "shares are of what is left");
        vm.assertEq(purse().paid, voters_ + trainer + POT / 1000, "the bounty is paid out of the pot");
        vm.assertEq(purse().pot, FUNDS - purse().paid, "pot");
        staking.claim(task, stranger, stranger);
        vm.assertEq(token.balanceOf(stranger), POT / 1000, "claimed");
        assertConserved();
    }

    function test_settle_creditsAnOperatorBesideItsReward() public {
        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        settleBy(validators[0]);
        uint256 pay = account(validators[1]).claimable;
        vm.assertEq(account(validators[0]).claimable, pay + POT / 1000, "claimable");
        assertConserved();
    }

    function test_settle_capsTheBountyByTheStakeOfASeat() public {
        Terms memory terms = defaultTerms();
        terms.seatStake = 1 ether;
        createTask(terms, 3, 9);
        fund(creator, 9 * FUNDS);
        proposeAndPublish(1);
        for (uint256 i = 0; i < 9; ++i) {
            if (rounds.seats(task, Role.Validator, validators[i]) != 0) sealBallot(validators[i], ballot(300));
        }
        revealBallots();
        settleBy(stranger);
        vm.assertGt((10 * POT) / 1000, 0.1 ether, "the cap bites");
        vm.assertEq(account(stranger).claimable, 0.1 ether, "a tenth of a seat's stake");
        assertConserved();
    }

    /// @dev Opening and voiding rounds is no trade.
    function test_settle_ofAVoidRoundPaysNoBounty() public {
        openRound();
        sealProposal(trainers[0]);
        endPhase(Phase.Propose);
        endPhase(Phase.Publish);
        settleBy(stranger);
        vm.assertEq(rounds.round(task).voids, 1, "void");
        vm.assertEq(account(stranger).claimable, 0, "bounty");
        assertConserved();
    }

    function test_settle_ofAnEmptyPotPaysNoBounty() public {
        createTask(defaultTerms());
        for (uint256 i = 0; i < 9; ++i) stake(validators[i], Role.Validator, UNIT);
        stake(trainers[0], Role.Trainer, UNIT);
        proposeAndPublish(1);
        voteAlike(9, ballot(300));
        settleBy(stranger);
        vm.assertEq(account(stranger).claimable, 0, "bounty");
        vm.assertEq(rounds.round(task).paidRounds, 1, "a paid round all the same");
    }

    function settleBy(address caller) private {
        (address[] memory first, address[] memory second) = (proposers(), voters());
        vm.prank(caller);
        distributor.settle(task, first, second);
    }
}
