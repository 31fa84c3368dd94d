// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockhashBeacon} from "../../contracts/BlockhashBeacon.sol";
import {vm} from "./support/Vm.sol";

contract BlockhashBeaconTest {
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @dev The code that EIP-2935 puts at its address.
    bytes private constant HISTORY_CODE =
        hex"3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff814303116042"
        hex"57611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";

    BlockhashBeacon private beacon;
    uint40 private seedBlock;

    function setUp() public {
        vm.roll(20_000);
        beacon = new BlockhashBeacon();
        seedBlock = beacon.nextSeedBlock();
        vm.assertEq(seedBlock, 20_001, "seed block");
    }

    function test_valueOf_isUnknownUntilTheBlockIsOver() public {
        vm.assertEq(beacon.valueOf(seedBlock), 0, "before");
        vm.roll(seedBlock);
        vm.assertEq(beacon.valueOf(seedBlock), 0, "in the block itself");
        vm.assertFalse(beacon.missed(seedBlock), "missed");
        vm.roll(seedBlock + 1);
        vm.assertTrue(beacon.valueOf(seedBlock) != 0, "after");
        vm.assertEq(beacon.valueOf(seedBlock), blockhash(seedBlock), "its hash");
    }

    /// @dev Where the history is not served, or refused with words, a hash is out of reach after 256 blocks.
    function test_valueOf_isMissedAfter256BlocksWithoutHistory() public {
        vm.roll(seedBlock + 256);
        vm.assertFalse(beacon.missed(seedBlock), "missed in time");
        vm.roll(seedBlock + 257);
        vm.assertTrue(beacon.missed(seedBlock), "missed where the history is refused");
        vm.etch(HISTORY, "");
        vm.assertTrue(beacon.missed(seedBlock), "missed where there is no history");
        // Reverts with the word 1.
        vm.etch(HISTORY, hex"60015f5260205ffd");
        vm.assertEq(beacon.valueOf(seedBlock), 0, "a refusal in 32 bytes is no value");
    }

    function test_valueOf_isMissedAfter8191BlocksWithHistory() public {
        vm.etch(HISTORY, HISTORY_CODE);
        vm.store(HISTORY, bytes32(uint256(seedBlock) % 8191), "hash");
        vm.roll(seedBlock + 257);
        vm.assertEq(beacon.valueOf(seedBlock), "hash", "value as soon as the chain itself forgets");
        vm.roll(seedBlock + 8191);
        vm.assertEq(beacon.valueOf(seedBlock), "hash", "value");
        vm.assertFalse(beacon.missed(seedBlock), "missed in time");
        vm.roll(seedBlock + 8192);
        vm.assertTrue(beacon.missed(seedBlock), "missed");
    }
}
