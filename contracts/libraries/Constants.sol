// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev 100 %.
uint256 constant BPS = 10_000;

/// @dev Proposals a round can hold.
uint256 constant MAX_PROPOSALS = 16;

/// @dev Ballots a round can hold.
uint256 constant MAX_BALLOTS = 64;

/// @dev Proposals in one bank of lanes (see Lanes).
uint256 constant BANK = 8;

/// @dev How often the voters' windows are halved until somebody has a point.
uint256 constant MAX_HALVINGS = 3;

/// @dev Parts of ten of the slashed stake that go back to the pot; the rest is burned.
uint256 constant KEPT_TENTHS = 9;

/// @dev The settler's part of the round's pot, of 10,000.
uint256 constant SETTLE_BPS = 10;

/// @dev A bounty is at most this part of `seatStake` (settling) or of one seat's fault (accusing).
uint256 constant BOUNTY_DIVISOR = 10;

/// @dev Bytes of a sealed ballot's encrypted copy.
uint256 constant MAX_COPY = 160;

/// @dev Bytes of an announced endpoint.
uint256 constant MAX_ENDPOINT = 200;

/// @dev Where burned tokens go: the conventional dead address.
address constant DEAD = 0x000000000000000000000000000000000000dEaD;
