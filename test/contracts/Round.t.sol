// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Base, Phase, vm} from "./support/Base.sol";

/// @notice One round, told once.
contract RoundTest is Base {
    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    /// @dev One good proposal, one poisoned, one on which the panel finds nothing; one voter dissents.
    function test_round_paysTheGoodSlashesTheBadAndMovesTheHead() public {
        uint256 pot = distributor.potOfRound(task);
        vm.assertEq(pot, FUNDS / 10, "pot of the round");

        proposeAndPublish(3);
        assertPhase(Phase.Ballot);
        for (uint256 i = 0; i < 8; ++i) sealBallot(validators[i], ballot(300, -900, 2));
        sealBallot(validators[8], ballot(300, 400, 2));
        revealBallots();
        assertPhase(Phase.Settle);
        settle();
        assertPhase(Phase.None);

        // A thousandth to whoever settles, the rest is shared.
        vm.assertEq(account(address(this)).claimable, pot / 1000, "bounty of the settler");
        pot -= pot / 1000;

        // Lone accepted: capped at twice its fair share of the trainers' 70 %.
        uint256 trainerPay = (2 * (pot * 7000)) / 10_000 / 6;
        vm.assertEq(account(trainers[0]).claimable, trainerPay, "pay of the good");
        vm.assertEq(account(trainers[1]).active, UNIT - (UNIT * 3000) / 10_000, "stake of the bad");
        vm.assertEq(account(trainers[2]).claimable, 0, "pay of the undecided");
        vm.assertEq(account(trainers[2]).active, UNIT, "stake of the undecided");

        // 300 hits its own window 50 + 75 and not that around -900; -900 likewise; 2 hits only its own: three points.
        // The dissenter hits with 300 and 2, and 400 misses both windows: two points.
        uint256 part = (pot * 3000) / 10_000;
        vm.assertEq(account(validators[0]).claimable, (part * 9) / (8 * 9 + 4), "pay of a voter");
        vm.assertEq(account(validators[8]).claimable, (part * 4) / (8 * 9 + 4), "pay of the dissenter");
        uint256 dissent = (UNIT * 1000) / 10_000 / 2;
        vm.assertEq(account(validators[8]).active, UNIT - dissent, "stake of the dissenter");

        bytes32[] memory artifacts = new bytes32[](1);
        uint256[] memory factors = new uint256[](1);
        (artifacts[0], factors[0]) = (artifactOf(trainers[0]), 295);
        bytes32 expected = keccak256(abi.encode(MANIFEST, uint32(1), uint256(3), artifacts, factors));
        vm.assertEq(headId(), expected, "head");
        vm.assertEq(rounds.roundsLeft(task), 9, "rounds left");
        assertConserved();
    }
}
