// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TaskId} from "../support/Base.sol";
import {RoundChecks} from "./RoundChecks.sol";

/// @notice I1 to I18: what holds after every act, whatever came before. After an act the task that it touched is looked at
/// whole, of the others what could tell; after every eighth act and after each sequence everything. Three campaigns, so
/// that the calls are paid three times and not eighteen; a message begins with the number of what broke.
contract InvariantsTest is RoundChecks {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    uint256 private constant PLAYS = 40; // calls of `play` to one of each other act

    function setUp() public override {
        build();
    }

    /* THE CALLS */

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(this);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        bytes4[29] memory acts = [
            this.stake.selector,
            this.stakeWithPermit.selector,
            this.acceptDelegation.selector,
            this.delegate.selector,
            this.requestExit.selector,
            this.requestExitDelegated.selector,
            this.withdraw.selector,
            this.withdrawDelegated.selector,
            this.claim.selector,
            this.claimDelegated.selector,
            this.sweepBurn.selector,
            this.setSigner.selector,
            this.revokeSigner.selector,
            this.announce.selector,
            this.donate.selector,
            this.createTask.selector,
            this.fund.selector,
            this.announceClose.selector,
            this.close.selector,
            this.openRound.selector,
            this.latchSeed.selector,
            this.commitProposal.selector,
            this.publishProposal.selector,
            this.commitBallot.selector,
            this.revealBallot.selector,
            this.accuseAbsence.selector,
            this.settle.selector,
            this.misact.selector,
            this.passTime.selector
        ];
        list = new FuzzSelector[](1);
        (list[0].addr, list[0].selectors) = (address(this), new bytes4[](acts.length + PLAYS));
        for (uint256 i = 0; i < acts.length; ++i) list[0].selectors[i] = acts[i];
        for (uint256 i = 0; i < PLAYS; ++i) list[0].selectors[acts.length + i] = this.play.selector;
    }

    /* THE CAMPAIGNS */

    /// @dev I1 conservation, I2 accounts by their own books, I3 shares, I4 slashes, I5 pots, I6 claims, I7 exits.
    function invariant_I1_to_I7_money() public view {
        checkHeld(2, 7);
        for (uint256 t = 0; t < tasks.length; ++t) checkPurse(tasks[t]);
        if (_luck() % 8 == 0) checkConservation();
        else if (TaskId.unwrap(touched) != 0) checkBooks(touched);
    }

    /// @dev I8 phases, I9 one commitment and one reveal, I10 seats, I11 seeds, I12 splits, I18 terms.
    function invariant_I8_to_I12_and_I18_rounds() public view {
        checkHeld(8, 10);
        for (uint256 t = 0; t < tasks.length; ++t) checkPhase(tasks[t]);
        if (TaskId.unwrap(touched) != 0) checkRound(touched);
    }

    /// @dev I13 results of votes only, I14 medians, I15 hiding never pays, I16 void rounds, I17 liveness.
    function invariant_I13_to_I17_results() public {
        checkHeld(13, 16);
        uint256 luck = _luck();
        if (luck % 8 == 0) checkLiveness(tasks[(luck >> 8) % tasks.length], luck & 16 == 0);
    }

    /// @dev After each sequence everything once more, touched or not.
    function afterInvariant() public view {
        checkConservation();
        for (uint256 t = 0; t < tasks.length; ++t) checkRound(tasks[t]);
    }

    /// @dev Dear checks come after every eighth act.
    function _luck() private view returns (uint256) {
        return uint256(keccak256(abi.encode(block.timestamp, block.number, token.balanceOf(address(staking)))));
    }
}
