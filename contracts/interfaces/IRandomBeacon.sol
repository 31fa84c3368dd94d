// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Public randomness
/// @notice A value nobody knew when the round was opened, named by the block that fixes it. A network that wants a
/// better source than block hashes deploys another beacon behind this interface.
interface IRandomBeacon {
    /// @notice The block whose value a round opened in this block will use.
    function nextSeedBlock() external view returns (uint40 seedBlock);

    /// @notice The value fixed by `seedBlock`; zero as long as it does not exist, and again once it is out of reach.
    function valueOf(uint40 seedBlock) external view returns (bytes32 value);

    /// @notice Whether the value of `seedBlock` is out of reach for ever. Once true, always true.
    function missed(uint40 seedBlock) external view returns (bool);
}
