// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {IRandomBeacon} from "./interfaces/IRandomBeacon.sol";

/// @title The default randomness: block hashes
/// @notice A hash stays in reach for 8,191 blocks where EIP-2935 holds, for 256 elsewhere.
///
/// Warning: whoever builds the seed block can try many hashes. The voters' seed also needs the proposers' salts, which
/// that builder does not know; a network that needs more deploys another beacon.
contract BlockhashBeacon is IRandomBeacon {
    /// @notice Blocks between opening a round and its seed: the seed's block does not exist yet when a round opens.
    uint64 public constant DELAY = 1;

    /// @inheritdoc IRandomBeacon
    function nextSeedBlock() external view returns (uint64) {
        return uint64(block.number) + DELAY;
    }

    /// @inheritdoc IRandomBeacon
    function valueOf(uint64 seedBlock) public view returns (bytes32) {
        return Blockhash.blockHash(seedBlock);
    }

    /// @inheritdoc IRandomBeacon
    function missed(uint64 seedBlock) external view returns (bool) {
        return block.number > seedBlock && valueOf(seedBlock) == 0;
    }
}
