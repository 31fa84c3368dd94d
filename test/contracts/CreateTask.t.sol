// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITaskRegistry, Payout, Roles, Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Base, TaskId, vm} from "./support/Base.sol";

contract CreateTaskTest is Base {
    Terms private _draft;

    function test_createTask_revertsIfAStakeOrPhaseIsOutOfBounds() public {
        Terms memory t = defaultTerms();
        t.seatStake = 0;
        _expectOut(t, "seatStake");
        t = defaultTerms();
        t.propose = 0;
        _expectOut(t, "propose");
        t.propose = 30 days + 1;
        _expectOut(t, "propose");
        t = defaultTerms();
        t.publish = 0;
        _expectOut(t, "publish");
        t.publish = 30 days + 1;
        _expectOut(t, "publish");
        t = defaultTerms();
        t.ballot = 0;
        _expectOut(t, "ballot");
        t.ballot = 30 days + 1;
        _expectOut(t, "ballot");
        t = defaultTerms();
        t.reveal = 0;
        _expectOut(t, "reveal");
        t.reveal = 30 days + 1;
        _expectOut(t, "reveal");
        t = defaultTerms();
        t.grace = 30 days + 1;
        _expectOut(t, "grace");
        t = defaultTerms();
        t.unbonding = 9 hours + 24 hours - 1;
        _expectOut(t, "unbonding");
        t.unbonding = 180 days + 1;
        _expectOut(t, "unbonding");
        t = defaultTerms();
        t.idleAfter = 0;
        _expectOut(t, "idleAfter");
        t.idleAfter = 180 days + 1;
        _expectOut(t, "idleAfter");
    }

    function test_createTask_revertsIfANumberIsOutOfBounds() public {
        Terms memory t = defaultTerms();
        t.rounds = 0;
        _expectOut(t, "rounds");
        t = defaultTerms();
        t.expectedTrainers = 0;
        _expectOut(t, "expectedTrainers");
        t.expectedTrainers = 9;
        _expectOut(t, "expectedTrainers");
        t = defaultTerms();
        t.expectedVoters = 0;
        _expectOut(t, "expectedVoters");
        t.expectedVoters = 41;
        _expectOut(t, "expectedVoters");
        t = defaultTerms();
        t.maxVoids = 0;
        _expectOut(t, "maxVoids");
        t = defaultTerms();
        t.maxLeverage = 101;
        _expectOut(t, "maxLeverage");
        t = defaultTerms();
        t.rankRatioBps = 0;
        _expectOut(t, "rankRatioBps");
        t.rankRatioBps = 10_001;
        _expectOut(t, "rankRatioBps");
    }

    function test_createTask_revertsIfRolesOrPayoutAreUnknown() public {
        Terms memory t = defaultTerms();
        bytes memory call = abi.encodeCall(registry.createTask, (t, MANIFEST));
        // The last word is the manifest, before it stand the payout and the roles.
        for (uint256 i = 2; i <= 3; ++i) {
            bytes memory bad = bytes.concat(call);
            bad[bad.length - 32 * i + 31] = 0x02;
            (bool isTaken, ) = address(registry).call(bad);
            vm.assertFalse(isTaken, "beyond the last choice");
        }
        (bool isDone, ) = address(registry).call(call);
        vm.assertTrue(isDone, "as it is");
    }

    function test_createTask_revertsIfATermOfTheVoteIsOutOfBounds() public {
        Terms memory t = defaultTerms();
        t.acceptBps = 5000;
        _expectOut(t, "acceptBps");
        t.acceptBps = 9001;
        _expectOut(t, "acceptBps");
        t = defaultTerms();
        t.minGain = 16_384;
        _expectOut(t, "minGain");
        t = defaultTerms();
        t.dissentBand = 0;
        _expectOut(t, "dissentBand");
        t.dissentBand = 16_384;
        _expectOut(t, "dissentBand");
        t = defaultTerms();
        t.band = 0;
        _expectOut(t, "band");
        t.band = 201;
        _expectOut(t, "band");
        t = defaultTerms();
        t.toleranceBps = 10_001;
        _expectOut(t, "toleranceBps");
    }

    function test_createTask_revertsIfAFaultOrShareIsOutOfBounds() public {
        Terms memory t = defaultTerms();
        t.rejectBps = 5001;
        _expectOut(t, "rejectBps");
        t = defaultTerms();
        t.unrevealedBps = 1499;
        _expectOut(t, "unrevealedBps");
        t.unrevealedBps = 5001;
        _expectOut(t, "unrevealedBps");
        t = defaultTerms();
        t.absentBps = 1001;
        _expectOut(t, "absentBps");
        t = defaultTerms();
        t.voterShareBps = 0;
        _expectOut(t, "voterShareBps");
        t.voterShareBps = 5001;
        _expectOut(t, "voterShareBps");
    }

    function test_createTask_acceptsTheBoundsThemselves() public {
        Terms memory t = defaultTerms();
        (t.propose, t.publish, t.ballot, t.reveal, t.grace) = (1, 1, 1, 1, 0);
        (t.unbonding, t.rounds, t.maxVoids) = (4, 1, 1);
        (t.expectedTrainers, t.expectedVoters, t.acceptBps) = (1, 1, 5001);
        (t.minGain, t.band, t.dissentBand, t.toleranceBps) = (0, 1, 1, 0);
        (t.rejectBps, t.unrevealedBps, t.dissentBps, t.headBps, t.absentBps) = (0, 0, 0, 0, 0);
        (t.voterShareBps, t.seatStake, t.rankRatioBps, t.maxLeverage, t.idleAfter) = (1, 1, 1, 0, 1);
        createTask(t);

        (t.propose, t.publish, t.ballot, t.reveal) = (30 days, 30 days, 30 days, 30 days);
        (t.grace, t.unbonding) = (30 days, 180 days);
        (t.rounds, t.maxVoids, t.seatStake) = (type(uint16).max, type(uint8).max, type(uint88).max);
        (t.expectedTrainers, t.expectedVoters, t.acceptBps) = (8, 40, 9000);
        (t.minGain, t.band, t.dissentBand, t.toleranceBps) = (16_383, 16_383, 16_383, 10_000);
        (t.rejectBps, t.unrevealedBps, t.dissentBps, t.headBps) = (5000, 5000, 2500, 2500);
        (t.absentBps, t.voterShareBps) = (2500, 5000);
        (t.rankRatioBps, t.maxLeverage, t.idleAfter) = (10_000, 100, 180 days);
        (t.roles, t.payout) = (Roles.Drawn, Payout.Ranked);
        createTask(t);
    }

    function test_createTask_givesOutNumbersAndStartsTheLineage() public {
        Terms memory t = defaultTerms();
        vm.expectEmit(address(registry));
        emit ITaskRegistry.TaskCreated(TaskId.wrap(1), creator, MANIFEST, t);
        createTask(t);
        vm.assertEq(TaskId.unwrap(task), 1, "first number");
        (address who, bytes32 manifest, bytes32 head, uint32 heads, bool closed, uint40 closableAt) = registry.task(
            task
        );
        vm.assertEq(who, creator, "creator");
        vm.assertEq(manifest, MANIFEST, "manifest");
        vm.assertEq(head, MANIFEST, "first head");
        vm.assertEq(heads, 0, "heads");
        vm.assertFalse(closed, "closed");
        vm.assertEq(closableAt, 0, "notice");
        vm.assertEq(keccak256(abi.encode(registry.terms(task))), keccak256(abi.encode(t)), "terms");
    }

    function test_stakeTerms_areWhatAnActOnStakeNeeds() public {
        Terms memory t = defaultTerms();
        t.roles = Roles.Drawn;
        createTask(t);
        (uint256 seatStake, uint256 maxLeverage, uint256 unbonding, Roles roles, bool closed) = registry.stakeTerms(
            task
        );
        vm.assertEq(seatStake, UNIT, "seat stake");
        vm.assertEq(maxLeverage, 9, "leverage");
        vm.assertEq(unbonding, 7 days, "unbonding");
        vm.assertTrue(roles == Roles.Drawn, "roles");
        vm.assertFalse(closed, "closed");
    }

    function test_createTask_numbersTasksUpwards() public {
        createTask(defaultTerms());
        createTask(defaultTerms());
        vm.assertEq(TaskId.unwrap(task), 2, "second number");
    }

    function test_views_revertIfTheTaskIsUnknown() public {
        TaskId unknown = TaskId.wrap(7);
        bytes memory expected = abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, unknown);
        vm.expectRevert(expected);
        registry.terms(unknown);
        vm.expectRevert(expected);
        registry.stakeTerms(unknown);
        vm.expectRevert(expected);
        registry.requireOpen(unknown);
        vm.expectRevert(expected);
        registry.termsToOpen(unknown);
        vm.expectRevert(expected);
        registry.task(unknown);
    }

    /// @dev Whatever is accepted is safe: deadlines that fit, a majority, faults that one seat can bear. One term is any
    /// value of its type, the others lie within their bounds.
    function test_terms_bounds_fuzz(uint256 a, uint256 b, uint8 wild) public {
        Terms memory t = _inBounds(a, b);
        Terms memory any = _raw(b, a);
        assembly ("memory-safe") {
            let at := mul(32, mod(wild, 27)) // 27 terms, a word each
            mstore(add(t, at), mload(add(any, at)))
        }
        try registry.createTask(t, MANIFEST) {
            uint256 longest = uint256(t.propose) + t.publish + t.ballot + t.reveal + 2 * uint256(t.grace);
            vm.assertLe(longest, 180 days, "longest round");
            vm.assertLe(longest, t.unbonding, "unbonding");
            vm.assertLe(t.unbonding, 180 days, "stake always comes free");
            vm.assertGt(t.acceptBps, 5000, "majority");
            uint256 faults = uint256(t.dissentBps) + t.headBps;
            vm.assertLe(faults, t.unrevealedBps, "revealing never costs more than hiding");
            vm.assertLe(t.unrevealedBps, 5000, "unrevealed");
            vm.assertLe(t.rejectBps, 5000, "rejected");
            vm.assertLe(t.absentBps, t.dissentBps, "absent");
            vm.assertGt(t.seatStake, 0, "seat stake");
            vm.assertLe(t.rankRatioBps, 10_000, "a rank never beats the one before");
        } catch {}
    }

    /// @dev Everything within the bounds is accepted, and kept.
    function test_terms_withinBounds_fuzz(uint256 a, uint256 b) public {
        Terms memory t = _inBounds(a, b);
        createTask(t);
        vm.assertEq(keccak256(abi.encode(registry.terms(task))), keccak256(abi.encode(t)), "terms");
    }

    /// @dev Terms out of two words, as they lie in storage, whatever they are.
    function _raw(uint256 a, uint256 b) private returns (Terms memory) {
        b &= ~((uint256(0xFE) << 240) | (uint256(0xFE) << 248)); // roles and payout have two choices
        assembly ("memory-safe") {
            sstore(_draft.slot, a)
            sstore(add(_draft.slot, 1), b)
        }
        return _draft;
    }

    function _inBounds(uint256 a, uint256 b) private returns (Terms memory t) {
        t = _raw(a, b);
        t.seatStake = uint88(_within(t.seatStake, 1, type(uint88).max));
        t.propose = uint24(_within(t.propose, 1, 30 days));
        t.publish = uint24(_within(t.publish, 1, 30 days));
        t.ballot = uint24(_within(t.ballot, 1, 30 days));
        t.reveal = uint24(_within(t.reveal, 1, 30 days));
        t.grace = uint24(_within(t.grace, 0, 30 days));
        t.unbonding = 180 days;
        t.rounds = uint16(_within(t.rounds, 1, type(uint16).max));
        t.expectedTrainers = uint8(_within(t.expectedTrainers, 1, 8));
        t.expectedVoters = uint8(_within(t.expectedVoters, 1, 40));
        t.maxVoids = uint8(_within(t.maxVoids, 1, 255));
        t.acceptBps = uint16(_within(t.acceptBps, 5001, 9000));
        t.minGain = uint16(_within(t.minGain, 0, 16_383));
        t.dissentBand = uint16(_within(t.dissentBand, 1, 16_383));
        t.band = uint16(_within(t.band, 1, t.dissentBand));
        t.toleranceBps = uint16(_within(t.toleranceBps, 0, 10_000));
        t.rejectBps = uint16(_within(t.rejectBps, 0, 5000));
        t.dissentBps = uint16(_within(t.dissentBps, 0, 2500));
        t.headBps = uint16(_within(t.headBps, 0, 2500));
        t.unrevealedBps = uint16(_within(t.unrevealedBps, uint256(t.dissentBps) + t.headBps, 5000));
        t.absentBps = uint16(_within(t.absentBps, 0, t.dissentBps));
        t.voterShareBps = uint16(_within(t.voterShareBps, 1, 5000));
        t.rankRatioBps = uint16(_within(t.rankRatioBps, 1, 10_000));
        t.maxLeverage = uint8(_within(t.maxLeverage, 0, 100));
        t.idleAfter = uint24(_within(t.idleAfter, 1, 180 days));
    }

    function _within(uint256 x, uint256 least, uint256 most) private pure returns (uint256) {
        return least + (x % (most - least + 1));
    }

    function _expectOut(Terms memory t, bytes32 term) private {
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.TermOutOfBounds.selector, term));
        registry.createTask(t, MANIFEST);
    }
}
