// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Bindable} from "./Bindable.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {DEAD} from "./libraries/Constants.sol";

/// @title The part of the vault that moves tokens, and knows who may ask it to
abstract contract Vault is IStaking, Bindable, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /* IMMUTABLES */

    /// @inheritdoc IStaking
    IERC20 public immutable token;

    /* STORAGE */

    /// @inheritdoc IStaking
    address public rounds;
    /// @inheritdoc IStaking
    address public distributor;
    /// @inheritdoc IStaking
    uint256 public toBurn;

    /* CONSTRUCTOR */

    constructor(IERC20 token_) {
        token = token_;
    }

    /* DEPLOYER */

    /// @inheritdoc IStaking
    function bind(address rounds_, address distributor_) external {
        _requireBindable();
        (rounds, distributor) = (rounds_, distributor_);
    }

    /* ANYONE */

    /// @inheritdoc IStaking
    function sweepBurn() external nonReentrant {
        uint256 amount = toBurn;
        require(amount != 0, NothingToBurn());

        toBurn = 0;

        emit BurnSwept(amount);
        _push(DEAD, amount);
    }

    /* DISTRIBUTOR */

    /// @inheritdoc IStaking
    function deposit(address from, uint256 amount) external nonReentrant {
        _requireDistributor();
        _pull(from, amount);
    }

    /// @inheritdoc IStaking
    function burn(uint256 amount) external {
        _requireDistributor();
        toBurn += amount;
        emit BurnScheduled(amount);
    }

    /* INTERNAL */

    function _isBound() internal view override returns (bool) {
        return distributor != address(0);
    }

    function _requireDistributor() internal view {
        require(msg.sender == distributor, NotDistributor(msg.sender));
    }

    /// @dev Takes exactly `amount`, and never more than the ledgers can count.
    function _pull(address from, uint256 amount) internal {
        require(amount != 0, ZeroAmount());
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(from, address(this), amount);
        uint256 balance = token.balanceOf(address(this));
        require(balance == before + amount, InexactTransfer(balance - before, amount));
        require(balance <= type(uint96).max, VaultFull(balance));
    }

    function _push(address to, uint256 amount) internal {
        token.safeTransfer(to, amount);
    }
}
