// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Phase} from "../../../contracts/interfaces/IRounds.sol";
import {Durations, Openings, Phases} from "../../../contracts/libraries/Phases.sol";
import {vm} from "../support/Vm.sol";

contract PhasesTest {
    uint256 private constant OPENED = 1000;

    /// @dev The phase of a round: as far as proposals tell, then as ballots do.
    function phaseOf(
        Durations memory l,
        Openings memory proposals,
        Openings memory ballots,
        uint256 time
    ) private pure returns (Phase phase, uint256 endsAt) {
        (phase, endsAt) = Phases.ofProposals(l, OPENED, proposals, time);
        if (phase == Phase.Ballot) return Phases.ofBallots(endsAt, l.reveal, l.grace, ballots, time);
    }

    function lengths() private pure returns (Durations memory) {
        return Durations({propose: 100, publish: 10, ballot: 50, reveal: 20, grace: 500});
    }

    function test_phases_followEachOtherOverHalfOpenWindows() public pure {
        Openings memory two = Openings({committed: 2, opened: 1, onTime: 1, lastAt: 1105});
        Openings memory nobody;
        _expect(two, nobody, 1000, Phase.Propose, 1100);
        _expect(two, nobody, 1099, Phase.Propose, 1100);
        _expect(two, nobody, 1100, Phase.Publish, 1110);
        _expect(two, nobody, 1109, Phase.Publish, 1110);
        _expect(two, nobody, 1110, Phase.Ballot, 1160);
        _expect(two, nobody, 1159, Phase.Ballot, 1160);
        _expect(two, nobody, 1160, Phase.Reveal, 1170);
        _expect(two, nobody, 1169, Phase.Reveal, 1170);
        _expect(two, nobody, 1170, Phase.Settle, 0);
    }

    function test_phases_endAtOnceWithNothingSealed() public pure {
        Openings memory nothing;
        _expect(nothing, nothing, 1099, Phase.Propose, 1100);
        _expect(nothing, nothing, 1100, Phase.Settle, 0);
    }

    function test_phases_ofThreeSealedRunToGraceIfShort() public pure {
        Openings memory p = Openings({committed: 3, opened: 0, onTime: 0, lastAt: 0});
        Openings memory nobody;
        _expect(p, nobody, 1110, Phase.Publish, 1610);
        _expect(p, nobody, 1609, Phase.Publish, 1610);
        _expect(p, nobody, 1610, Phase.Settle, 0);
        p = Openings({committed: 3, opened: 3, onTime: 1, lastAt: 1200});
        _expect(p, nobody, 1200, Phase.Ballot, 1660);
    }

    function test_phases_revealRunsToGraceIfShortInSeats() public pure {
        Openings memory p = Openings({committed: 1, opened: 1, onTime: 1, lastAt: 1100});
        Openings memory b = Openings({committed: 9, opened: 5, onTime: 5, lastAt: 1165});
        _expect(p, b, 1179, Phase.Reveal, 1180);
        _expect(p, b, 1180, Phase.Reveal, 1680);
        _expect(p, b, 1680, Phase.Settle, 0);
        (b.opened, b.onTime) = (6, 6);
        _expect(p, b, 1180, Phase.Settle, 0);
        (b.opened, b.lastAt) = (9, 1162);
        _expect(p, b, 1169, Phase.Reveal, 1170);
        _expect(p, b, 1170, Phase.Settle, 0);
    }

    /// @dev Time alone never moves a round backwards, an end lies ahead, and the last deadline is the last.
    function test_phases_onlyMoveForwards_fuzz(uint24[5] memory d, uint8 a, uint8 b, uint32 s, uint32 t) public pure {
        Durations memory l = Durations(
            uint256(d[0]) + 1,
            uint256(d[1]) + 1,
            uint256(d[2]) + 1,
            uint256(d[3]) + 1,
            d[4]
        );
        Openings memory p = _openings(a, OPENED + l.propose);
        Openings memory v = _openings(b, OPENED + l.propose + l.publish + l.ballot);
        if (s > t) (s, t) = (t, s);
        (Phase first, uint256 firstEnd) = phaseOf(l, p, v, OPENED + s);
        (Phase second, ) = phaseOf(l, p, v, OPENED + t);
        vm.assertLe(uint256(first), uint256(second), "order");
        if (first != Phase.Settle) vm.assertGt(firstEnd, OPENED + s, "end ahead");
        uint256 last = Phases.lastDeadline(l, OPENED);
        vm.assertLe(firstEnd, last, "last deadline");
        (first, ) = phaseOf(l, p, v, last);
        vm.assertEq(uint256(first), uint256(Phase.Settle), "over");
    }

    /// @dev Some number sealed, some of them opened on time, the last at the start of the window.
    function _openings(uint8 word, uint256 start) private pure returns (Openings memory) {
        uint256 committed = word % 16;
        uint256 opened = committed == 0 ? 0 : (word / 16) % (committed + 1);
        return Openings({committed: committed, opened: opened, onTime: opened, lastAt: opened == 0 ? 0 : start});
    }

    function _expect(
        Openings memory proposals,
        Openings memory ballots,
        uint256 time,
        Phase phase,
        uint256 endsAt
    ) private pure {
        (Phase actual, uint256 end) = phaseOf(lengths(), proposals, ballots, time);
        vm.assertEq(uint256(actual), uint256(phase), "phase");
        vm.assertEq(end, endsAt, "end");
    }
}
