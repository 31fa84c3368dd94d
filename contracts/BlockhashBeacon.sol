// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRandomBeacon} from "./interfaces/IRandomBeacon.sol";

/// @title The default randomness: block hashes
/// @notice A hash stays in reach for 8,191 blocks where EIP-2935 holds, for 256 elsewhere.
///
/// Warning: whoever builds the seed block can try many hashes. The voters' seed also needs the proposers' salts, which
/// that builder does not know; a network that needs more deploys another beacon.
contract BlockhashBeacon is IRandomBeacon {
    /// @notice Blocks between opening a round and its seed: the seed's block does not exist yet when a round opens.
    uint40 public constant DELAY = 1;

    /// @dev EIP-2935's contract of older block hashes.
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @inheritdoc IRandomBeacon
    function nextSeedBlock() external view returns (uint40) {
        return uint40(block.number) + DELAY;
    }

    /// @inheritdoc IRandomBeacon
    /// @dev Not OpenZeppelin's Blockhash: that takes the words of a refusal for a hash, and some chains refuse with words.
    function valueOf(uint40 seedBlock) public view returns (bytes32) {
        if (seedBlock >= block.number) return 0;
        if (block.number - seedBlock <= 256) return blockhash(seedBlock);

        (bool isServed, bytes memory hash) = HISTORY.staticcall(abi.encode(seedBlock));
        return isServed && hash.length == 32 ? bytes32(hash) : bytes32(0);
    }

    /// @inheritdoc IRandomBeacon
    function missed(uint40 seedBlock) external view returns (bool) {
        return block.number > seedBlock && valueOf(seedBlock) == 0;
    }
}
