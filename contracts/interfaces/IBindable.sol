// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title One back-link, tied once
/// @notice Contracts know the siblings they depend on from construction. The link in the other direction (who may slash
/// and reward, who may move a head) is tied by `bind`, which only the deploying address can call, and only once. Nothing
/// works before it and nobody has any power after it.
interface IBindable {
    /// @notice Thrown when anyone but the deploying address binds.
    error NotDeployer(address caller);

    /// @notice Thrown when a contract that is bound is bound again.
    error AlreadyBound();

    /// @notice Thrown when a contract is used before it is bound.
    error NotBound();
}
