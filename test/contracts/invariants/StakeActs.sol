// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Pool, Position} from "../../../contracts/interfaces/IStaking.sol";
import {Role, TaskId, vm} from "../support/Base.sol";
import {Plain} from "./Plain.sol";

/// @notice Every act on stake, with arguments that are mostly good. An act that finds nothing to do reverts.
abstract contract StakeActs is Plain {
    function stake(uint256 luck) external {
        TaskId id = anyTask(luck);
        putStake(id, operators[pick(luck, 1, OPERATORS)], _amount(id, luck));
    }

    function stakeWithPermit(uint256 luck) external {
        TaskId id = anyTask(luck);
        address operator = vm.addr(PERMIT_KEY);
        uint256 amount = _amount(id, luck);
        token.transfer(operator, amount);
        (uint8 v, bytes32 r, bytes32 s) = _permit(operator, amount);
        Role role = roleOf(id, operator);
        vm.prank(operator);
        staking.stakeWithPermit(id, role, amount, block.timestamp, v, r, s);
        own[id][operator].deposited += amount;
    }

    function acceptDelegation(uint256 luck) external {
        TaskId id = anyTask(luck);
        vm.prank(hosts[pick(luck, 1, HOSTS)]);
        staking.acceptDelegation(id, uint16(pick(luck, 2, 10_001)));
    }

    function delegate(uint256 luck) external {
        TaskId id = anyTask(luck);
        putDelegated(id, hosts[pick(luck, 1, HOSTS)], delegators[pick(luck, 2, DELEGATORS)], _amount(id, luck));
    }

    /// @dev An exit of what is there is never refused.
    function requestExit(uint256 luck) external {
        TaskId id = anyTask(luck);
        address operator = operators[pick(luck, 1, OPERATORS)];
        Account memory a = accountOf(id, operator);
        uint256 amount = _part(luck, uint256(a.active) + a.joining);
        vm.prank(operator);
        try staking.requestExit(id, operator, amount) {} catch {
            hold(7, false, "an exit was refused");
        }
    }

    function requestExitDelegated(uint256 luck) external {
        (TaskId id, address host, address owner) = _delegation(luck);
        Position memory p = staking.position(id, host, owner);
        uint256 amount = _part(luck, ((p.shares * uint256(poolOf(id, host).mark.factor)) >> 79) + p.joining);
        vm.prank(owner);
        try staking.requestExit(id, host, amount) {
            ++delegatedExits;
        } catch {
            hold(7, false, "a delegator's exit was refused");
        }
    }

    function withdraw(uint256 luck) external {
        for (uint256 i = 0; i < OPERATORS * tasks.length; ++i) {
            (TaskId id, address operator) = _account(luck, i);
            Account memory a = accountOf(id, operator);
            if (a.left == 0 && a.leaving == 0) continue;
            if (!_isTime(a.unlockAt, luck)) continue;
            return _withdraw(id, operator, a);
        }
        revert Idle();
    }

    /// @dev Whether to try: in time, now and then too early, now and then after waiting.
    function _isTime(uint256 unlockAt, uint256 luck) private returns (bool) {
        if (block.timestamp >= unlockAt) return true;
        if (luck % 8 > 5) vm.warp(unlockAt);
        return luck % 8 > 4;
    }

    function _withdraw(TaskId id, address operator, Account memory a) private {
        uint256 before = token.balanceOf(operator);
        vm.prank(stranger);
        staking.withdraw(id, operator, operator);
        uint256 amount = token.balanceOf(operator) - before;
        own[id][operator].withdrawn += amount;
        hold(7, block.timestamp >= a.unlockAt, "a stake left before its time");
        hold(7, amount == a.left || amount == uint256(a.left) + a.leaving, "a withdrawal of another amount");
    }

    function withdrawDelegated(uint256 luck) external {
        for (uint256 i = 0; i < HOSTS * DELEGATORS * tasks.length; ++i) {
            (TaskId id, address host, address owner) = _position(luck, i);
            Position memory p = staking.position(id, host, owner);
            if (p.left == 0 && p.leavingShares == 0) continue;
            if (!_isTime(p.unlockAt, luck)) continue;
            uint256 before = token.balanceOf(owner);
            vm.prank(stranger);
            staking.withdraw(id, host, owner);
            delegated[id][host][owner].withdrawn += token.balanceOf(owner) - before;
            hold(7, block.timestamp >= p.unlockAt, "a delegator left before its time");
            return;
        }
        revert Idle();
    }

    /// @dev Whoever calls, the owner gets all of it, once.
    function claim(uint256 luck) external {
        for (uint256 i = 0; i < (OPERATORS + 3) * tasks.length; ++i) {
            (TaskId id, address owner) = _creditor(luck, i);
            uint256 due = accountOf(id, owner).claimable;
            if (due == 0) continue;
            own[id][owner].claimed += _claim(id, owner, owner, due);
            return;
        }
        revert Idle();
    }

    function claimDelegated(uint256 luck) external {
        for (uint256 i = 0; i < HOSTS * DELEGATORS * tasks.length; ++i) {
            (TaskId id, address host, address owner) = _position(luck, i);
            uint256 due = staking.position(id, host, owner).claimable;
            if (due == 0) continue;
            delegated[id][host][owner].claimed += _claim(id, host, owner, due);
            return;
        }
        revert Idle();
    }

    function _claim(TaskId id, address operator, address owner, uint256 due) private returns (uint256 amount) {
        uint256 before = token.balanceOf(owner);
        vm.prank(address(0xCA11));
        staking.claim(id, operator, owner);
        amount = token.balanceOf(owner) - before;
        hold(6, amount == due, "a claim of another amount");
        try staking.claim(id, operator, owner) {
            hold(6, false, "a second claim was paid");
        } catch {}
    }

    function sweepBurn(uint256) external {
        uint256 amount = staking.toBurn();
        staking.sweepBurn();
        burned += amount;
    }

    function setSigner(uint256 luck) external {
        TaskId id = anyTask(luck);
        address operator = operators[pick(luck, 1, OPERATORS)];
        vm.prank(operator);
        staking.setSigner(id, signerOf(operator));
    }

    function revokeSigner(uint256 luck) external {
        TaskId id = anyTask(luck);
        vm.prank(operators[pick(luck, 1, OPERATORS)]);
        staking.revokeSigner(id);
    }

    function announce(uint256 luck) external {
        vm.prank(operators[pick(luck, 1, OPERATORS)]);
        staking.announce("https://operator.example");
    }

    /// @dev A gift to the vault is nobody's.
    function donate(uint256 luck) external {
        uint256 amount = 1 + pick(luck, 0, 1 ether);
        token.transfer(address(staking), amount);
        donated += amount;
    }

    function signerOf(address operator) internal pure returns (address) {
        return address(uint160(operator) ^ 0x5E00);
    }

    /// @dev From one unit to three seats, in a task of tiny numbers as well.
    function _amount(TaskId id, uint256 luck) private view returns (uint256) {
        uint256 seat = termsOf[id].seatStake;
        return pick(luck, 3, 3) == 0 ? seat * (1 + pick(luck, 4, 3)) : 1 + pick(luck, 4, 2 * seat);
    }

    /// @dev All, or some, of what is there.
    function _part(uint256 luck, uint256 whole) private pure returns (uint256) {
        require(whole != 0, Idle());
        return pick(luck, 5, 3) == 0 ? whole : 1 + pick(luck, 6, whole);
    }

    function _account(uint256 luck, uint256 i) private returns (TaskId, address) {
        uint256 k = (pick(luck, 0, 1 << 32) + i) % (OPERATORS * tasks.length);
        touched = tasks[k / OPERATORS];
        return (touched, operators[k % OPERATORS]);
    }

    function _creditor(uint256 luck, uint256 i) private returns (TaskId, address) {
        uint256 each = OPERATORS + 3;
        uint256 k = (pick(luck, 0, 1 << 32) + i) % (each * tasks.length);
        touched = tasks[k / each];
        return (touched, creditorAt(k % each));
    }

    /// @dev Everybody who can be credited without a delegation: operators, the creator, who accuses, who settles.
    function creditorAt(uint256 k) internal view returns (address) {
        if (k < OPERATORS) return operators[k];
        return
            k == OPERATORS
                ? creator
                : k == OPERATORS + 1
                    ? stranger
                    : address(this);
    }

    function _position(uint256 luck, uint256 i) private returns (TaskId, address, address) {
        uint256 k = (pick(luck, 0, 1 << 32) + i) % (HOSTS * DELEGATORS * tasks.length);
        touched = tasks[k / (HOSTS * DELEGATORS)];
        return (touched, hosts[(k / DELEGATORS) % HOSTS], delegators[k % DELEGATORS]);
    }

    /// @dev Somebody who has something delegated that can still leave.
    function _delegation(uint256 luck) private returns (TaskId id, address host, address owner) {
        for (uint256 i = 0; i < HOSTS * DELEGATORS * tasks.length; ++i) {
            (id, host, owner) = _position(luck, i);
            Position memory p = staking.position(id, host, owner);
            Pool memory pool = poolOf(id, host);
            if (((p.shares * uint256(pool.mark.factor)) >> 79) + p.joining != 0) return (id, host, owner);
        }
        revert Idle();
    }

    function _permit(address owner, uint256 amount) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 what = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        uint256 nonce = token.nonces(owner);
        bytes32 content = keccak256(abi.encode(what, owner, address(staking), amount, nonce, block.timestamp));
        return vm.sign(PERMIT_KEY, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), content)));
    }
}
