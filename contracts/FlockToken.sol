// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title The token of local and test networks
/// @notice Live networks name their own token. The whole supply is minted at construction; nobody can mint more.
contract FlockToken is ERC20Permit {
    /// @notice A thousand million tokens.
    uint256 public constant SUPPLY = 1e9 ether;

    constructor(address holder) ERC20("Flock", "FLK") ERC20Permit("Flock") {
        _mint(holder, SUPPLY);
    }
}
