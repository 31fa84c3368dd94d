// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITaskRegistry, Terms} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Base, TaskId, vm} from "./support/Base.sol";

contract CreateTaskTest is Base {
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
        (t.voterShareBps, t.seatStake) = (1, 1);
        createTask(t);

        (t.propose, t.publish, t.ballot, t.reveal) = (30 days, 30 days, 30 days, 30 days);
        (t.grace, t.unbonding) = (30 days, 180 days);
        (t.rounds, t.maxVoids, t.seatStake) = (type(uint16).max, type(uint8).max, type(uint96).max);
        (t.expectedTrainers, t.expectedVoters, t.acceptBps) = (8, 40, 9000);
        (t.minGain, t.band, t.dissentBand, t.toleranceBps) = (16_383, 16_383, 16_383, 10_000);
        (t.rejectBps, t.unrevealedBps, t.dissentBps, t.headBps) = (5000, 5000, 2500, 2500);
        (t.absentBps, t.voterShareBps) = (2500, 5000);
        createTask(t);
    }

    function test_createTask_givesOutNumbersAndStartsTheLineage() public {
        Terms memory t = defaultTerms();
        vm.expectEmit(address(registry));
        emit ITaskRegistry.TaskCreated(TaskId.wrap(1), creator, MANIFEST, t);
        createTask(t);
        vm.assertEq(TaskId.unwrap(task), 1, "first number");
        (address who, bytes32 manifest, bytes32 head, uint32 heads, bool closed) = registry.task(task);
        vm.assertEq(who, creator, "creator");
        vm.assertEq(manifest, MANIFEST, "manifest");
        vm.assertEq(head, MANIFEST, "first head");
        vm.assertEq(heads, 0, "heads");
        vm.assertFalse(closed, "closed");
        vm.assertEq(keccak256(abi.encode(registry.terms(task))), keccak256(abi.encode(t)), "terms");
        vm.assertEq(registry.seatStake(task), t.seatStake, "seat stake");

        createTask(t);
        vm.assertEq(TaskId.unwrap(task), 2, "second number");
    }

    function test_views_revertIfTheTaskIsUnknown() public {
        TaskId unknown = TaskId.wrap(7);
        bytes memory expected = abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, unknown);
        vm.expectRevert(expected);
        registry.terms(unknown);
        vm.expectRevert(expected);
        registry.seatStake(unknown);
        vm.expectRevert(expected);
        registry.requireOpen(unknown);
        vm.expectRevert(expected);
        registry.task(unknown);
    }

    /// @dev Whatever is accepted is safe: deadlines that fit, a majority, faults that one seat can bear.
    function test_terms_bounds_fuzz(Terms memory t) public {
        try registry.createTask(t, MANIFEST) {
            uint256 longest = uint256(t.propose) + t.publish + t.ballot + t.reveal + 2 * uint256(t.grace);
            vm.assertLe(longest, 180 days, "longest round");
            vm.assertLe(longest, t.unbonding, "unbonding");
            vm.assertGt(t.acceptBps, 5000, "majority");
            uint256 faults = uint256(t.dissentBps) + t.headBps;
            vm.assertLe(faults, t.unrevealedBps, "revealing never costs more than hiding");
            vm.assertLe(t.unrevealedBps, 5000, "unrevealed");
            vm.assertLe(t.rejectBps, 5000, "rejected");
            vm.assertLe(t.absentBps, t.dissentBps, "absent");
            vm.assertGt(t.seatStake, 0, "seat stake");
        } catch {}
    }

    /// @dev Everything within the bounds is accepted.
    function test_terms_withinBounds_fuzz(Terms memory t) public {
        t.seatStake = uint96(_within(t.seatStake, 1, type(uint96).max));
        t.propose = uint24(_within(t.propose, 1, 30 days));
        t.publish = uint24(_within(t.publish, 1, 30 days));
        t.ballot = uint24(_within(t.ballot, 1, 30 days));
        t.reveal = uint24(_within(t.reveal, 1, 30 days));
        t.grace = uint24(_within(t.grace, 0, 30 days));
        t.unbonding = uint32(_within(t.unbonding, 180 days, type(uint32).max));
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
        createTask(t);
    }

    function _within(uint256 x, uint256 least, uint256 most) private pure returns (uint256) {
        return least + (x % (most - least + 1));
    }

    function _expectOut(Terms memory t, bytes32 term) private {
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.TermOutOfBounds.selector, term));
        registry.createTask(t, MANIFEST);
    }
}
