// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bindable} from "./Bindable.sol";
import {IRandomBeacon} from "./interfaces/IRandomBeacon.sol";
import {IRounds, Phase, Round} from "./interfaces/IRounds.sol";
import {IStaking, Role} from "./interfaces/IStaking.sol";
import {ITaskRegistry, Terms} from "./interfaces/ITaskRegistry.sol";
import {Commitments} from "./libraries/Commitments.sol";
import {MAX_PROPOSALS} from "./libraries/Constants.sol";
import {Frame, Frames} from "./libraries/Frames.sol";
import {Durations, Openings, Phases} from "./libraries/Phases.sol";
import {Sortition} from "./libraries/Sortition.sol";
import {StakePool} from "./libraries/StakePool.sol";
import {Tags} from "./libraries/Tags.sol";
import {Tally} from "./libraries/Tally.sol";
import {RoundId} from "./types/RoundId.sol";
import {TaskId} from "./types/TaskId.sol";

contract Rounds is IRounds, Bindable {
    using Frames for Frame;
    using Tags for uint256[4];

    /// @dev The newest proposal of an operator: it belongs to the round it names and to no other.
    struct Proposal {
        RoundId round;
        uint16 seats;
        uint8 slot;
        bool published;
        bytes32 word; // the commitment, then the artifact's digest
    }

    /* IMMUTABLES */

    ITaskRegistry private immutable _registry;
    IStaking private immutable _staking;
    IRandomBeacon private immutable _beacon;

    /* STORAGE: keyed by task and used again by every round, which costs a third of fresh slots */

    address private _distributor;
    mapping(TaskId task => Round round) private _rounds; // seed and accumulator are stale until `seeded` and `published`
    mapping(TaskId task => Frame frame) private _frames;
    mapping(TaskId task => mapping(address operator => Proposal proposal)) private _proposals;
    mapping(TaskId task => uint256[4] tags) private _tags; // of the published artifacts

    /* CONSTRUCTOR */

    constructor(ITaskRegistry registry, IStaking staking, IRandomBeacon beacon) {
        _registry = registry;
        _staking = staking;
        _beacon = beacon;
    }

    /* DEPLOYER */

    /// @inheritdoc IRounds
    function bind(address distributor) external {
        _requireBindable();
        _distributor = distributor;
    }

    /* ANYONE */

    /// @inheritdoc IRounds
    function openRound(TaskId task) external {
        _requireBound();
        _registry.requireOpen(task);
        Terms memory terms = _registry.terms(task);
        Round storage self = _rounds[task];
        require(!self.open, RoundStillOpen(task, self.number));
        require(self.paidRounds < terms.rounds, NoRoundsLeft(task));
        require(self.voids < terms.maxVoids, TooManyVoids(task, self.voids));

        uint40 openedAt = uint40(block.timestamp);
        RoundId number = self.number.next();
        uint64 seedBlock = _beacon.nextSeedBlock();
        (self.number, self.openedAt, self.seedBlock, self.open) = (number, openedAt, seedBlock, true);
        (self.sealedCount, self.published, self.onTime) = (0, 0, 0);
        (self.lastPublishedAt, self.seeded) = (0, false);

        Frame storage frame = _frames[task];
        frame.keep(terms);
        uint40 lastDeadline = uint40(Phases.lastDeadline(frame.lengths(), openedAt));
        (uint96 trainers, uint96 voters) = _staking.open(task, number, lastDeadline);
        _requirePool(Role.Trainer, trainers, terms.seatStake);
        _requirePool(Role.Validator, voters, Tally.quorum(terms) * terms.seatStake);
        (self.trainerTotal, self.voterTotal) = (trainers, voters);

        emit RoundOpened(task, number, openedAt, seedBlock, trainers, voters);
    }

    /// @inheritdoc IRounds
    function latchSeed(TaskId task) external {
        Round storage self = _rounds[task];
        require(self.open, NoOpenRound(task));
        require(!self.seeded, AlreadyLatched(task, self.number));
        _latch(task, self);
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
    function commitProposal(TaskId task, bytes32 commitment) external {
        Round storage self = _rounds[task];
        Proposal storage mine = _proposals[task][msg.sender];
        _requirePhase(task, self, _frames[task].lengths(), Phase.Propose);
        if (!self.seeded) _latch(task, self);
        require(mine.round != self.number, AlreadySealed(msg.sender));
        require(self.sealedCount < MAX_PROPOSALS, ProposalsFull(MAX_PROPOSALS));
        uint16 mySeats = _seats(task, self, Role.Trainer, msg.sender);
        require(mySeats != 0, NoSeats(msg.sender));

        (mine.round, mine.seats, mine.slot, mine.published) = (self.number, mySeats, 0, false);
        mine.word = commitment;
        self.sealedCount += 1;

        emit ProposalCommitted(task, self.number, msg.sender, mySeats, commitment);
    }

    /* DISTRIBUTOR */

    /// @inheritdoc IRounds
    function settled(TaskId task, bool isVoid) external {
        require(msg.sender == _distributor, NotDistributor(msg.sender));
        Round storage self = _rounds[task];

        self.open = false;
        if (isVoid) self.voids += 1;
        else (self.voids, self.paidRounds) = (0, self.paidRounds + 1);
    }

    /* VIEWS */

    /// @inheritdoc IRounds
    function round(TaskId task) external view returns (Round memory self) {
        self = _rounds[task];
        if (!self.seeded) self.seed = 0;
        if (self.published == 0) self.accumulator = 0;
    }

    /// @inheritdoc IRounds
    function standing(
        TaskId task
    ) external view returns (RoundId number, Phase phase, uint40 endsAt, uint8 published, uint24 reveal, uint24 grace) {
        Round storage self = _rounds[task];
        Frame storage frame = _frames[task];
        (number, published, reveal, grace) = (self.number, self.published, frame.reveal, frame.grace);
        if (seedMissed(task)) phase = Phase.Settle;
        else (phase, endsAt) = _phase(self, frame.lengths());
    }

    /// @inheritdoc IRounds
    function seedMissed(TaskId task) public view returns (bool) {
        Round storage self = _rounds[task];
        return self.open && !self.seeded && _beacon.missed(self.seedBlock);
    }

    /// @inheritdoc IRounds
    function seats(TaskId task, Role role, address operator) external view returns (uint16) {
        Round storage self = _rounds[task];
        require(self.open, NoOpenRound(task));
        return _seats(task, self, role, operator);
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
    ) external view returns (uint256[] memory seatsOf, bytes32[] memory artifacts) {
        Round storage self = _rounds[task];
        uint256 published = self.published;
        require(operators.length == self.sealedCount, WrongCount(operators.length, self.sealedCount));

        seatsOf = new uint256[](operators.length);
        artifacts = new bytes32[](published);
        for (uint256 i = 0; i < operators.length; ++i) {
            Proposal storage one = _proposals[task][operators[i]];
            bool inOrder =
                i < published
                    ? one.published && one.slot == i
                    : !one.published && (i == published || operators[i] > operators[i - 1]);
            require(one.round == self.number && inOrder, WrongOrder(i));
            seatsOf[i] = one.seats;
            if (i < published) artifacts[i] = one.word;
        }
    }

    /// @inheritdoc IRounds
    function roundsLeft(TaskId task) external view returns (uint256) {
        return _registry.terms(task).rounds - _rounds[task].paidRounds;
    }

    /* INTERNAL */

    function _isBound() internal view override returns (bool) {
        return _distributor != address(0);
    }

    function _latch(TaskId task, Round storage self) private {
        bytes32 seed = _beacon.valueOf(self.seedBlock);
        require(seed != 0, SeedUnavailable(self.seedBlock));
        (self.seed, self.seeded) = (seed, true);
        emit SeedLatched(task, self.number, seed);
    }

    function _seats(TaskId task, Round storage self, Role role, address operator) private view returns (uint16) {
        bytes32 seed = self.seeded ? self.seed : _beacon.valueOf(self.seedBlock);
        require(seed != 0, SeedUnavailable(self.seedBlock));
        (Role actual, uint256 counted) = _staking.countedOf(task, operator);
        if (actual != role) return 0;

        Frame storage frame = _frames[task];
        bool isTrainer = role == Role.Trainer;
        if (!isTrainer) seed = Sortition.voterSeed(seed, self.published == 0 ? bytes32(0) : self.accumulator);
        return
            Sortition.seats({
                u: Sortition.luck(seed, address(this), task, self.number, role, operator),
                expected: isTrainer ? frame.expectedTrainers : frame.expectedVoters,
                weight: StakePool.weightOf(counted, frame.seatStake),
                total: isTrainer ? self.trainerTotal : self.voterTotal,
                seatStake: frame.seatStake
            });
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

    function _requirePool(Role role, uint256 total, uint256 required) private pure {
        require(total >= required, PoolTooSmall(role, total, required));
    }
}
