// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FlockToken} from "../../../contracts/FlockToken.sol";

/// @notice Takes one unit of every transfer that is not a mint.
contract ChargingToken is FlockToken {
    constructor(address holder) FlockToken(holder) {}

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0)) super._update(to, address(1), 1);
    }
}

/// @notice Refuses every transfer once it is told to.
contract RefusingToken is FlockToken {
    bool public refuses;

    error Refused();

    constructor(address holder) FlockToken(holder) {}

    function refuse(bool refuses_) external {
        refuses = refuses_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!refuses, Refused());
        super._update(from, to, amount);
    }
}

/// @notice Moves nothing to or from one account.
contract ShunningToken is FlockToken {
    address private _shunned;

    error Shunned(address account);

    constructor(address holder) FlockToken(holder) {}

    function shun(address account) external {
        _shunned = account;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(_shunned == address(0) || (from != _shunned && to != _shunned), Shunned(_shunned));
        super._update(from, to, amount);
    }
}

/// @notice Has far more units than the vault's ledgers can count.
contract VastToken is FlockToken {
    constructor(address holder) FlockToken(holder) {
        _mint(holder, type(uint128).max);
    }
}

/// @notice Calls back in the middle of every transfer that is not a mint.
contract HookedToken is FlockToken {
    address private _target;
    bytes private _data;

    constructor(address holder) FlockToken(holder) {}

    function hook(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (_target == address(0)) return;
        (bool isDone, bytes memory reason) = _target.call(_data);
        if (isDone) return;
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }
}

/// @notice Moves as asked and answers nothing, as the oldest tokens do; only its first holder is answered.
contract SilentToken is FlockToken {
    address private immutable _holder;

    constructor(address holder) FlockToken(holder) {
        _holder = holder;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return super.transfer(to, amount) && _answer();
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return super.transferFrom(from, to, amount) && _answer();
    }

    function _answer() private view returns (bool) {
        if (msg.sender == _holder) return true;
        assembly ("memory-safe") {
            return(0, 0)
        }
    }
}
