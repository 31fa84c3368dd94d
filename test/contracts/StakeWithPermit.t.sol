// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {RoundId, Role, VaultBase, vm} from "./support/VaultBase.sol";

contract StakeWithPermitTest is VaultBase {
    bytes32 private constant PERMIT = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );
    uint256 private constant KEY = 0xA11CE;

    address private owner = vm.addr(KEY);
    uint256 private deadline;

    function setUp() public override {
        super.setUp();
        deadline = block.timestamp + 1 hours;
        token.transfer(owner, 10 * UNIT);
    }

    function test_stakeWithPermit_stakesWithoutAnAllowance() public {
        (uint8 v, bytes32 r, bytes32 s) = permit(UNIT);
        vm.expectEmit(address(staking));
        emit IStaking.Staked(task, owner, Role.Trainer, UNIT, RoundId.wrap(1));
        vm.prank(owner);
        staking.stakeWithPermit(task, Role.Trainer, UNIT, deadline, v, r, s);
        vm.assertEq(account(owner).active, UNIT, "active");
        vm.assertEq(token.allowance(owner, address(staking)), 0, "allowance");
    }

    /// @dev Somebody else sends the permit first: the allowance is there, and the stake goes through.
    function test_stakeWithPermit_isNotBlockedByAFrontRun() public {
        (uint8 v, bytes32 r, bytes32 s) = permit(UNIT);
        vm.prank(rival);
        token.permit(owner, address(staking), UNIT, deadline, v, r, s);
        vm.prank(owner);
        staking.stakeWithPermit(task, Role.Trainer, UNIT, deadline, v, r, s);
        vm.assertEq(account(owner).active, UNIT, "active");
    }

    /// @dev Nobody else can stake with it, neither for the owner nor for himself.
    function test_stakeWithPermit_revertsWithoutAPermitOfTheCaller() public {
        (uint8 v, bytes32 r, bytes32 s) = permit(UNIT);
        bytes memory expected = abi.encodeWithSelector(
            IERC20Errors.ERC20InsufficientAllowance.selector,
            address(staking),
            0,
            UNIT
        );
        vm.expectRevert(expected);
        vm.prank(rival);
        staking.stakeWithPermit(task, Role.Trainer, UNIT, deadline, v, r, s);

        skip(1 hours + 1);
        vm.expectRevert(expected);
        vm.prank(owner);
        staking.stakeWithPermit(task, Role.Trainer, UNIT, deadline, v, r, s);
    }

    function permit(uint256 amount) private view returns (uint8, bytes32, bytes32) {
        bytes32 content = keccak256(abi.encode(PERMIT, owner, address(staking), amount, token.nonces(owner), deadline));
        return vm.sign(KEY, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), content)));
    }
}
