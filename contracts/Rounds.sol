// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Seats} from "./Seats.sol";
import {IRandomBeacon} from "./interfaces/IRandomBeacon.sol";
import {IRewardDistributor} from "./interfaces/IRewardDistributor.sol";
import {IRounds, Phase, Round, Standing} from "./interfaces/IRounds.sol";
import {IStaking, Role} from "./interfaces/IStaking.sol";
import {ITaskRegistry, Roles, Terms} from "./interfaces/ITaskRegistry.sol";
import {Commitments} from "./libraries/Commitments.sol";
import {MAX_PROPOSALS} from "./libraries/Constants.sol";
import {Frame, Frames} from "./libraries/Frames.sol";
import {Durations, Openings, Phases} from "./libraries/Phases.sol";
import {Proposal, Proposals} from "./libraries/Proposals.sol";
import {Sortition} from "./libraries/Sortition.sol";
import {Tags} from "./libraries/Tags.sol";
import {Tally} from "./libraries/Tally.sol";
import {NO_ROUND, RoundId} from "./types/RoundId.sol";
import {TaskId} from "./types/TaskId.sol";

contract Rounds is Seats {
    using Frames for Frame;
    using Proposals for Proposal;
    using Proposals for mapping(address operator => Proposal proposal);
    using Tags for uint256[4];

    /* STORAGE: keyed by task and used again by every round, which costs a third of fresh slots */

    /// @inheritdoc IRounds
    address public voting;
    /// @inheritdoc IRounds
    address public distributor;
    mapping(TaskId task => mapping(address operator => Proposal proposal)) private _proposals;
    mapping(TaskId task => uint256[4] tags) private _tags; // of the published artifacts

    /* CONSTRUCTOR */

    constructor(
        ITaskRegistry registry_,
        IStaking staking_,
        IRandomBeacon beacon_
    ) Seats(registry_, staking_, beacon_) {}

    /* DEPLOYER */

    /// @inheritdoc IRounds
    function bind(address voting_, address distributor_) external {
        _requireBindable();
        voting = voting_;
        distributor = distributor_;
    }

    /* ANYONE */

    /// @inheritdoc IRounds
    function openRound(TaskId task, address[] calldata proposers, address[] calldata voters) external {
        Round storage self = _rounds[task];
        if (self.number == NO_ROUND) _requireBound(); // once and for ever
        if (self.open) IRewardDistributor(distributor).settleVoid(task, proposers, voters);
        Terms memory terms = registry.termsToOpen(task);
        require(self.paidRounds < terms.rounds, NoRoundsLeft(task));
        require(self.voids < terms.maxVoids, TooManyVoids(task, self.voids));

        uint40 openedAt = uint40(block.timestamp);
        RoundId number = self.number.next();
        uint40 seedBlock = beacon.nextSeedBlock();
        (self.number, self.openedAt, self.seedBlock, self.voterBlock) = (number, openedAt, seedBlock, 0);
        (self.open, self.seedsLatched, self.lastPublishedAt) = (true, 0, 0);
        (self.sealedCount, self.published, self.onTime) = (0, 0, 0);

        Frame storage frame = _frames[task];
        frame.keep(terms);
        uint40 lastDeadline = uint40(Phases.lastDeadline(frame.lengths(), openedAt));
        (uint96 trainers, uint96 voterTotal) = staking.open(task, number, lastDeadline);
        _requirePools(terms, trainers, voterTotal);
        (self.trainerTotal, self.voterTotal) = (trainers, voterTotal);

        emit RoundOpened(task, number, openedAt, seedBlock, trainers, voterTotal);
    }

    /// @inheritdoc IRounds
    function publishProposal(TaskId task, address operator, bytes32 artifact, bytes32 salt) external {
        Round storage self = _rounds[task];
        Proposal storage sealedOne = _proposals[task][operator];
        Durations memory lengths = _frames[task].lengths();
        _requirePhase(task, self, lengths, Phase.Publish);
        require(sealedOne.round == self.number, NotSealed(operator));
        require(!sealedOne.published, AlreadyPublished(operator));
        bytes32 commitment = Commitments.proposal(address(this), task, self.number, operator, artifact, salt);
        require(sealedOne.word == commitment, CommitmentMismatch(operator));

        uint8 slot = self.published;
        if (slot == 0) self.voterBlock = beacon.nextSeedBlock();
        require(_tags[task].add(slot, artifact), DuplicateArtifact(artifact));
        (sealedOne.slot, sealedOne.published, sealedOne.word) = (slot, true, artifact);
        self.accumulator = Sortition.fold(slot == 0 ? bytes32(0) : self.accumulator, salt, operator);
        self.published = slot + 1;
        self.lastPublishedAt = uint40(block.timestamp);
        if (block.timestamp < Phases.publishDeadline(lengths, self.openedAt)) self.onTime += 1;

        emit ProposalPublished(task, self.number, operator, slot, artifact, salt);
    }

    /* TRAINER */

    /// @inheritdoc IRounds
    function commitProposal(TaskId task, address operator, bytes32 commitment) external {
        Round storage self = _rounds[task];
        Proposal storage sealedOne = _proposals[task][operator];
        _requirePhase(task, self, _frames[task].lengths(), Phase.Propose);
        _requireMayAct(task, operator, msg.sender);
        if (self.seedsLatched == 0) _latchSeed(task, self);
        (RoundId number, uint8 count) = (self.number, self.sealedCount);
        require(sealedOne.round != number, AlreadySealed(operator));
        require(count < MAX_PROPOSALS, ProposalsFull(MAX_PROPOSALS));
        uint16 itsSeats = _seats(task, self, Role.Trainer, operator);
        require(itsSeats != 0, NoSeats(operator));

        sealedOne.put(number, itsSeats, commitment);
        self.sealedCount = count + 1;

        emit ProposalCommitted(task, number, operator, itsSeats, commitment);
    }

    /* VOTING */

    /// @inheritdoc IRounds
    function takeVoterSeats(TaskId task, address operator, address caller) external returns (uint16) {
        require(msg.sender == voting, NotVoting(msg.sender));
        _requireMayAct(task, operator, caller);
        Round storage self = _rounds[task];
        if (self.seedsLatched == 1) _latchVoterSeed(task, self);
        return _seats(task, self, Role.Validator, operator);
    }

    /* DISTRIBUTOR */

    /// @inheritdoc IRounds
    function settled(TaskId task, bool isVoid) external {
        require(msg.sender == distributor, NotDistributor(msg.sender));
        Round storage self = _rounds[task];

        self.open = false;
        if (isVoid) self.voids += 1;
        else (self.voids, self.paidRounds) = (0, self.paidRounds + 1);
    }

    /* VIEWS */

    /// @inheritdoc IRounds
    function round(TaskId task) external view returns (Round memory self) {
        self = _rounds[task];
        if (self.seedsLatched == 0) self.seed = 0;
        if (self.published == 0) self.accumulator = 0;
    }

    /// @inheritdoc IRounds
    function standing(TaskId task) external view returns (Standing memory now_) {
        Round storage self = _rounds[task];
        Frame storage frame = _frames[task];
        (now_.number, now_.published, now_.paidRounds) = (self.number, self.published, self.paidRounds);
        (now_.quorum, now_.reveal, now_.grace) = (frame.expectedVoters / 2 + 1, frame.reveal, frame.grace);
        if (seedMissed(task)) now_.phase = Phase.Settle;
        else (now_.phase, now_.endsAt) = _phase(self, frame.lengths());
    }

    /// @inheritdoc IRounds
    function proposal(TaskId task, address operator) external view returns (RoundId, uint16, uint8, bool, bytes32) {
        Proposal storage self = _proposals[task][operator];
        return (self.round, self.seats, self.slot, self.published, self.word);
    }

    /// @inheritdoc IRounds
    function proposals(
        TaskId task,
        address[] calldata operators
    ) external view returns (uint256[] memory, bytes32[] memory) {
        Round storage self = _rounds[task];
        return _proposals[task].list(operators, self.number, self.sealedCount, self.published);
    }

    /// @inheritdoc IRounds
    function roundsLeft(TaskId task) external view returns (uint256) {
        return registry.terms(task).rounds - _rounds[task].paidRounds;
    }

    /* INTERNAL */

    function _isBound() internal view override returns (bool) {
        return distributor != address(0);
    }

    function _requireMayAct(TaskId task, address operator, address caller) private view {
        require(caller == operator || staking.mayAct(task, operator, caller), NotSigner(operator, caller));
    }

    function _requirePhase(TaskId task, Round storage self, Durations memory lengths, Phase expected) private view {
        (Phase current, ) = _phase(self, lengths);
        require(current == expected, UnexpectedPhase(task, current, expected));
    }

    function _phase(Round storage self, Durations memory lengths) private view returns (Phase phase, uint40 endsAt) {
        if (!self.open) return (Phase.None, 0);
        Openings memory openings = Openings({
            committed: self.sealedCount,
            opened: self.published,
            onTime: self.onTime,
            lastAt: self.lastPublishedAt
        });
        uint256 end;
        (phase, end) = Phases.ofProposals(lengths, self.openedAt, openings, block.timestamp);
        endsAt = uint40(end);
    }

    function _requirePools(Terms memory terms, uint256 trainers, uint256 voters) private pure {
        uint256 quorum = Tally.quorum(terms);
        if (terms.roles == Roles.Drawn) {
            _requirePool(Role.Drawn, trainers, (terms.expectedTrainers + quorum) * terms.seatStake);
        } else {
            _requirePool(Role.Trainer, trainers, terms.seatStake);
            _requirePool(Role.Validator, voters, quorum * terms.seatStake);
        }
    }

    function _requirePool(Role pool, uint256 total, uint256 required) private pure {
        require(total >= required, PoolTooSmall(pool, total, required));
    }
}
