// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Phase} from "../interfaces/IRounds.sol";

/// @notice How long the phases of a round last, in seconds.
struct Durations {
    uint256 propose;
    uint256 publish;
    uint256 ballot;
    uint256 reveal;
    uint256 grace;
}

/// @notice How far the openings of sealed things got: proposals one by one in publish, ballots by seats in reveal.
struct Openings {
    uint256 committed; // sealed
    uint256 opened; // published or revealed
    uint256 onTime; // of those, before the deadline without grace
    uint256 lastAt; // time of the newest opening
}

/// @title Where a round stands
/// @notice A pure function of deadlines, of what was opened when, and of the time, over half-open windows [start, end).
library Phases {
    /// @dev Fewer sealed proposals than this never take a grace, or one trainer of two could delay every round.
    uint256 private constant GRACE_PROPOSALS = 3;

    /// @notice The phase as far as proposals tell. Ballot stands for everything after publish.
    /// @return phase Propose, Publish, Ballot, or Settle if nothing was published in time.
    /// @return endsAt When the phase ends as things stand; of Ballot, when ballots close; 0 for Settle.
    function ofProposals(
        Durations memory lengths,
        uint256 openedAt,
        Openings memory proposals,
        uint256 time
    ) internal pure returns (Phase phase, uint256 endsAt) {
        uint256 proposeEnd = openedAt + lengths.propose;
        if (time < proposeEnd) return (Phase.Propose, proposeEnd);

        uint256 deadline = publishDeadline(lengths, openedAt);
        uint256 grace = proposals.committed >= GRACE_PROPOSALS && _isShort(proposals) ? lengths.grace : 0;
        uint256 publishEnd = _end(proposals, proposeEnd, deadline, grace, time);
        if (time < publishEnd) return (Phase.Publish, publishEnd);
        if (proposals.opened == 0) return (Phase.Settle, 0);

        // Whether the grace was taken was decided at the deadline and never again: later openings are not on time.
        return (Phase.Ballot, deadline + grace + lengths.ballot);
    }

    /// @notice The phase of a round once publish is over.
    /// @param ballotEnd When ballots close.
    /// @return phase Ballot, Reveal or Settle.
    /// @return endsAt When the phase ends as things stand; 0 for Settle.
    function ofBallots(
        uint256 ballotEnd,
        uint256 reveal,
        uint256 grace,
        Openings memory ballots,
        uint256 time
    ) internal pure returns (Phase phase, uint256 endsAt) {
        if (time < ballotEnd) return (Phase.Ballot, ballotEnd);

        uint256 revealEnd = _end(ballots, ballotEnd, ballotEnd + reveal, _isShort(ballots) ? grace : 0, time);
        uint256 earliest = ballotEnd + reveal / 2;
        if (revealEnd < earliest) revealEnd = earliest;
        return time < revealEnd ? (Phase.Reveal, revealEnd) : (Phase.Settle, 0);
    }

    /// @notice The latest time at which a round can end.
    function lastDeadline(Durations memory lengths, uint256 openedAt) internal pure returns (uint256) {
        return publishDeadline(lengths, openedAt) + lengths.ballot + lengths.reveal + 2 * lengths.grace;
    }

    /// @notice The deadline of publish without grace: what is published before it is on time.
    function publishDeadline(Durations memory lengths, uint256 openedAt) internal pure returns (uint256) {
        return openedAt + lengths.propose + lengths.publish;
    }

    function _isShort(Openings memory openings) private pure returns (bool) {
        return openings.onTime * 3 < openings.committed * 2;
    }

    function _end(
        Openings memory openings,
        uint256 start,
        uint256 deadline,
        uint256 grace,
        uint256 time
    ) private pure returns (uint256) {
        if (openings.committed == 0) return start;
        if (openings.opened == openings.committed) return openings.lastAt;
        return time < deadline ? deadline : deadline + grace;
    }
}
