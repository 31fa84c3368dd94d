// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Tags} from "../../../contracts/libraries/Tags.sol";
import {vm} from "../support/Vm.sol";

contract TagsTest {
    using Tags for uint256[4];

    uint256[4] private tags;

    function test_add_findsEveryDuplicateAndNoOther_fuzz(uint8[16] memory picks, uint256 stale) public {
        tags = [stale, stale, stale, stale];
        bool[256] memory seen;
        uint256 slot;
        for (uint256 i = 0; i < 16; ++i) {
            bool isNew = tags.add(slot, keccak256(abi.encode(picks[i] % 32)));
            vm.assertTrue(isNew != seen[picks[i] % 32], "new");
            seen[picks[i] % 32] = true;
            if (isNew) ++slot;
        }
    }

    function test_add_forgetsTheFormerRound() public {
        for (uint256 slot = 0; slot < 16; ++slot) vm.assertTrue(tags.add(slot, bytes32(slot + 1)), "first round");
        for (uint256 slot = 0; slot < 16; ++slot) vm.assertTrue(tags.add(slot, bytes32(16 - slot)), "next round");
        vm.assertFalse(tags.add(15, bytes32(uint256(16))), "a duplicate of this round");
    }

    function test_add_takesAgainWhatItsSlotHadInTheFormerRound() public {
        for (uint256 slot = 0; slot < 16; ++slot) vm.assertTrue(tags.add(slot, bytes32(slot + 1)), "first round");
        for (uint256 slot = 0; slot < 16; ++slot) vm.assertTrue(tags.add(slot, bytes32(slot + 1)), "next round");
    }
}
