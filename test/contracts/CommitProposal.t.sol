// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Commitments, NO_ROUND, Phase, Role, RoundId, vm} from "./support/Base.sol";
import {Luck} from "./support/Luck.sol";

contract CommitProposalTest is Luck {
    bytes32 private constant COMMITMENT = "commitment";

    address private signer = address(0x51);
    address private other = address(0x52);

    function setUp() public override {
        super.setUp();
        createTask(defaultTerms(), 3, 9);
    }

    function test_commitProposal_revertsOutsidePropose() public {
        _expectPhase(Phase.None);
        commit(trainers[0]);
        openRound();
        sealProposal(trainers[1]);
        endPhase(Phase.Propose);
        _expectPhase(Phase.Publish);
        commit(trainers[0]);
        publish(trainers[1]);
        _expectPhase(Phase.Ballot);
        commit(trainers[0]);
    }

    function test_commitProposal_revertsAtTheVeryEndOfPropose() public {
        openRound();
        (, uint40 endsAt) = voting.phase(task);
        vm.warp(endsAt - 1);
        commit(trainers[0]);
        vm.warp(endsAt);
        _expectPhase(Phase.Publish);
        commit(trainers[1]);
    }

    function test_commitProposal_revertsIfTheSeedIsNotKnown() public {
        rounds.openRound(task, none(), none());
        vm.expectRevert(abi.encodeWithSelector(IRounds.SeedUnavailable.selector, block.number + 1));
        commit(trainers[0]);
    }

    function test_commitProposal_revertsIfAlreadySealed() public {
        openRound();
        commit(trainers[0]);
        vm.expectRevert(abi.encodeWithSelector(IRounds.AlreadySealed.selector, trainers[0]));
        commit(trainers[0]);
    }

    function test_commitProposal_revertsIfSixteenAreSealed() public {
        createTask(defaultTerms());
        address[] memory lucky = luckyOperators(Role.Trainer, 17, 6);
        stakeAll(lucky, Role.Trainer);
        for (uint256 i = 0; i < 9; ++i) stake(validators[i], Role.Validator, UNIT);
        openRound();
        for (uint256 i = 0; i < 16; ++i) commit(lucky[i]);
        vm.assertEq(rounds.round(task).sealedCount, 16, "sealed");
        vm.expectRevert(abi.encodeWithSelector(IRounds.ProposalsFull.selector, 16));
        commit(lucky[16]);
    }

    function test_commitProposal_revertsWithoutSeats() public {
        stake(trainers[4], Role.Trainer, UNIT - 1);
        openRound();
        vm.expectRevert(abi.encodeWithSelector(IRounds.NoSeats.selector, trainers[4]));
        commit(trainers[4]);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NoSeats.selector, stranger));
        commit(stranger);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NoSeats.selector, validators[0]));
        commit(validators[0]);

        stake(trainers[5], Role.Trainer, UNIT);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NoSeats.selector, trainers[5]));
        commit(trainers[5]);
    }

    function test_commitProposal_sealsAndLatchesTheSeed() public {
        openRound();
        vm.expectEmit(address(rounds));
        emit IRounds.SeedLatched(task, RoundId.wrap(1), SEED);
        vm.expectEmit(address(rounds));
        emit IRounds.ProposalCommitted(task, RoundId.wrap(1), trainers[0], 1, COMMITMENT);
        commit(trainers[0]);

        (RoundId round, uint16 seats, , bool published, bytes32 word) = rounds.proposal(task, trainers[0]);
        vm.assertEq(RoundId.unwrap(round), 1, "round");
        vm.assertEq(seats, 1, "seats");
        vm.assertFalse(published, "published");
        vm.assertEq(word, COMMITMENT, "commitment");
        vm.assertEq(rounds.round(task).sealedCount, 1, "sealed");
        (round, , , , ) = rounds.proposal(task, trainers[1]);
        vm.assertTrue(round == NO_ROUND, "nobody else's");
    }

    function test_commitProposal_usesItsSlotAgainInTheNextRound() public {
        proposeAndPublish(2);
        voteAlike(9, ballot(300, 20));
        settle();
        openRound();
        commit(trainers[1]);
        (RoundId round, , uint8 slot, bool published, bytes32 word) = rounds.proposal(task, trainers[1]);
        vm.assertEq(RoundId.unwrap(round), 2, "round");
        vm.assertEq(slot, 0, "slot");
        vm.assertFalse(published, "published");
        vm.assertEq(word, COMMITMENT, "commitment");
    }

    function test_commitProposal_countsSeveralSeats() public {
        stake(trainers[0], Role.Trainer, 2 * UNIT);
        openRound();
        commit(trainers[0]);
        (, uint16 seats, , , ) = rounds.proposal(task, trainers[0]);
        vm.assertEq(seats, 3, "seats");
    }

    /* SIGNERS */

    function test_commitProposal_revertsForAStranger() public {
        openRound();
        _expectNotSigner(trainers[0], stranger);
        commitBy(stranger, trainers[0]);
        _expectNotSigner(trainers[0], trainers[1]);
        commitBy(trainers[1], trainers[0]);
        _expectNotSigner(trainers[0], address(0));
        commitBy(address(0), trainers[0]);
    }

    function test_commitProposal_bySignerIsTheOperators() public {
        name_(trainers[0], signer);
        openRound();
        vm.expectEmit(address(rounds));
        emit IRounds.ProposalCommitted(task, RoundId.wrap(1), trainers[0], 1, COMMITMENT);
        commitBy(signer, trainers[0]);
        (RoundId round, , , , ) = rounds.proposal(task, signer);
        vm.assertTrue(round == NO_ROUND, "nothing of the signer's own");
        _expectNotSigner(trainers[1], signer);
        commitBy(signer, trainers[1]); // nobody else's
    }

    /// @dev The owner key may always act.
    function test_commitProposal_byTheOperatorBesideItsSigner() public {
        name_(trainers[0], signer);
        openRound();
        commit(trainers[0]);
    }

    /// @dev A rotation between seal and open waits for the next round, and commitments bind the operator: who rotates pays
    /// nothing for it.
    function test_rotation_between_seal_and_open() public {
        name_(trainers[0], signer);
        openRound();
        bytes32 sealedOne = Commitments.proposal(
            address(rounds),
            task,
            newest(),
            trainers[0],
            artifactOf(trainers[0]),
            saltOf(trainers[0])
        );
        vm.prank(signer);
        rounds.commitProposal(task, trainers[0], sealedOne);
        name_(trainers[0], other);
        endPhase(Phase.Propose);
        publish(trainers[0]);
        vm.assertEq(rounds.round(task).published, 1, "published");
    }

    function test_commitProposal_takesTheOldSignerUntilTheNextRound() public {
        name_(trainers[0], signer);
        openRound();
        name_(trainers[0], other);
        _expectNotSigner(trainers[0], other);
        commitBy(other, trainers[0]);
        commitBy(signer, trainers[0]);
        endPhase(Phase.Propose);
        endPhase(Phase.Publish);
        address[] memory list = new address[](1);
        list[0] = trainers[0];
        distributor.settle(task, list, none());
        stake(trainers[0], Role.Trainer, UNIT);

        openRound();
        _expectNotSigner(trainers[0], signer);
        commitBy(signer, trainers[0]);
        commitBy(other, trainers[0]);
    }

    function test_commitProposal_revertsForARevokedSignerAtOnce() public {
        name_(trainers[0], signer);
        openRound();
        name_(trainers[0], other);
        vm.prank(trainers[0]);
        staking.revokeSigner(task);
        _expectNotSigner(trainers[0], signer);
        commitBy(signer, trainers[0]);
        _expectNotSigner(trainers[0], other);
        commitBy(other, trainers[0]);
    }

    function name_(address operator, address key) private {
        vm.prank(operator);
        staking.setSigner(task, key);
    }

    function commit(address trainer) private {
        commitBy(trainer, trainer);
    }

    function commitBy(address caller, address trainer) private {
        vm.prank(caller);
        rounds.commitProposal(task, trainer, COMMITMENT);
    }

    function _expectNotSigner(address operator, address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotSigner.selector, operator, caller));
    }

    function _expectPhase(Phase current) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, task, current, Phase.Propose));
    }
}
