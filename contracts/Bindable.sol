// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBindable} from "./interfaces/IBindable.sol";

/// @title The guard of `bind`
abstract contract Bindable is IBindable {
    /* IMMUTABLES */

    address private immutable _deployer = msg.sender;

    /* INTERNAL */

    /// @dev Whether `bind` was called.
    function _isBound() internal view virtual returns (bool);

    function _requireBindable() internal view {
        require(msg.sender == _deployer, NotDeployer(msg.sender));
        require(!_isBound(), AlreadyBound());
    }

    function _requireBound() internal view {
        require(_isBound(), NotBound());
    }
}
