// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Phase} from "../../contracts/interfaces/IRounds.sol";
import {Durations, Openings, Phases} from "../../contracts/libraries/Phases.sol";

/// @dev Terms within their bounds, times within theirs, and openings that the contracts can get to.
abstract contract Bounds {
    function requireBounds(Durations memory lengths) internal pure {
        require(lengths.propose >= 1 && lengths.propose <= 30 days);
        require(lengths.publish >= 1 && lengths.publish <= 30 days);
        require(lengths.ballot >= 1 && lengths.ballot <= 30 days);
        require(lengths.reveal >= 1 && lengths.reveal <= 30 days);
        require(lengths.grace <= 30 days);
    }

    function requireOpenings(Openings memory openings, uint256 start, uint256 end) internal pure {
        require(openings.committed <= 2560 && openings.opened <= openings.committed);
        require(openings.onTime <= openings.opened);
        require(openings.opened == 0 ? openings.lastAt == 0 : openings.lastAt >= start && openings.lastAt < end);
    }
}

/// @notice What proposals tell ends in the future and no later than the last deadline, less what ballots still need.
contract ProposalsEndInTime is Bounds {
    function prove(Durations memory lengths, Openings memory openings, uint40 openedAt, uint40 time) external pure {
        requireBounds(lengths);
        uint256 deadline = Phases.publishDeadline(lengths, openedAt);
        requireOpenings(openings, openedAt + lengths.propose, deadline + lengths.grace);
        (Phase phase, uint256 endsAt) = Phases.ofProposals(lengths, openedAt, openings, time);
        uint256 last = Phases.lastDeadline(lengths, openedAt) - lengths.reveal - lengths.grace;
        assert(endsAt <= last && (endsAt > time || phase == Phase.Ballot || phase == Phase.Settle));
    }
}

/// @notice The proposals' phases follow each other as time goes by.
contract ProposalsMoveForwards is Bounds {
    function prove(
        Durations memory lengths,
        Openings memory openings,
        uint40 at,
        uint40 time,
        uint40 later
    ) external pure {
        requireBounds(lengths);
        requireOpenings(openings, at + lengths.propose, Phases.publishDeadline(lengths, at) + lengths.grace);
        require(time <= later);
        (Phase first, ) = Phases.ofProposals(lengths, at, openings, time);
        (Phase second, ) = Phases.ofProposals(lengths, at, openings, later);
        assert(uint8(first) <= uint8(second));
    }
}

/// @notice Reveals end in the future, and no later than their deadline with its grace.
contract BallotsEndInTime is Bounds {
    function prove(Openings memory openings, uint40 ballotEnd, uint24 reveal, uint24 grace, uint40 time) external pure {
        require(reveal >= 1 && reveal <= 30 days && grace <= 30 days);
        requireOpenings(openings, ballotEnd, uint256(ballotEnd) + reveal + grace);
        (Phase phase, uint256 endsAt) = Phases.ofBallots(ballotEnd, reveal, grace, openings, time);
        assert(endsAt <= uint256(ballotEnd) + reveal + grace && (endsAt > time || phase == Phase.Settle));
    }
}

/// @notice The ballots' phases follow each other as time goes by.
contract BallotsMoveForwards is Bounds {
    function prove(
        Openings memory openings,
        uint40 end,
        uint24 reveal,
        uint24 grace,
        uint40 time,
        uint40 later
    ) external pure {
        requireOpenings(openings, end, uint256(end) + reveal + grace);
        require(time <= later);
        (Phase first, ) = Phases.ofBallots(end, reveal, grace, openings, time);
        (Phase second, ) = Phases.ofBallots(end, reveal, grace, openings, later);
        assert(uint8(first) <= uint8(second));
    }
}
