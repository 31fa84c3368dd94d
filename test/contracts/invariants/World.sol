// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FlockToken} from "../../../contracts/FlockToken.sol";
import {Account, Mark, Pool} from "../../../contracts/interfaces/IStaking.sol";
import {Payout, Roles, Terms} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Ballot, Base, Phase, Role, RoundId, TaskId, Vm, vm} from "../support/Base.sol";

/// @notice Three tasks (declared and shared by gain, drawn and by rank, and one of tiny numbers), everybody who acts in
/// them, and what an onlooker remembers: what was paid in and out, what the newest rounds saw. Nothing here is read back
/// from the contracts but what the acts themselves gave.
abstract contract World is Base {
    uint256 internal constant OPERATORS = 12;
    uint256 internal constant HOSTS = 3; // operators that others delegate to: the first, sixth and eleventh
    uint256 internal constant DELEGATORS = 4;
    uint256 internal constant MOST_TASKS = 4;
    uint256 internal constant PERMIT_KEY = 0xF10C;

    /// @dev What somebody put into and got out of one task, own stake or delegated.
    struct Flow {
        uint256 deposited;
        uint256 withdrawn;
        uint256 slashed;
        uint256 credited;
        uint256 claimed;
    }

    /// @dev What the newest round of a task saw.
    struct Play {
        uint256 openedAt;
        uint256 openedIn; // block
        uint256 trainerTotal;
        uint256 voterTotal;
        bytes32 accumulator;
        uint256 firstPublishedIn; // block
        uint256 sealedCount;
        uint256 publishedOnTime;
        uint256 lastPublishedAt;
        uint256 sealedSeats;
        uint256 revealedSeats;
        uint256 revealedOnTime;
        uint256 lastRevealedAt;
        Phase reached;
        bool open;
    }

    address[] internal operators; // ascending
    address[] internal hosts;
    TaskId[] internal tasks;
    mapping(TaskId task => Terms terms) internal termsOf;

    uint256 internal donated;
    uint256 internal burned;
    mapping(TaskId task => uint256 amount) internal purseOf; // pot and incoming
    mapping(TaskId task => mapping(address owner => Flow flow)) internal own;
    mapping(TaskId task => mapping(address host => mapping(address owner => Flow flow))) internal delegated;
    mapping(TaskId task => mapping(address host => uint256 amount)) internal toDelegators;
    mapping(TaskId task => mapping(address host => Mark mark)) internal markOf; // of the newest settlement
    uint256 internal delegatedExits;

    mapping(TaskId task => Play play) internal plays;
    mapping(TaskId task => address[] operators) internal published; // in slot order
    mapping(TaskId task => mapping(address operator => uint256 weight)) internal weightAtOpen;
    mapping(TaskId task => mapping(address operator => Role role)) internal poolAtOpen;
    mapping(uint256 number => bytes32 hash) internal hashOf; // of blocks
    mapping(TaskId task => mapping(address operator => Ballot scores)) internal sealedScores;
    mapping(TaskId task => mapping(address operator => bytes20 head)) internal sealedHead;

    mapping(uint256 invariant => string what) internal broken;
    TaskId internal touched; // by the newest act, 0 if by none

    /// @dev Thrown when there is nothing to do for an act.
    error Idle();

    function build() internal {
        vm.warp(1_800_000_000);
        vm.roll(1000);
        deploy(new FlockToken(address(this)));
        for (uint160 i = 1; i < OPERATORS; ++i) operators.push(address(0x1000 + i));
        operators.push(vm.addr(PERMIT_KEY)); // far above the others
        for (uint256 i = 0; i < HOSTS; ++i) hosts.push(operators[5 * i]);
        for (uint160 i = 0; i < DELEGATORS; ++i) delegators.push(address(0x3000 + i));

        addTask(_declared(), 4000 ether);
        addTask(_drawn(), 3000 ether);
        addTask(_tiny(), 1009);
        for (uint256 t = 0; t < tasks.length; ++t) _populate(tasks[t]);
    }

    function addTask(Terms memory terms, uint256 deposit) internal {
        vm.prank(creator);
        TaskId id = registry.createTask(terms, MANIFEST);
        tasks.push(id);
        termsOf[id] = terms;
        if (deposit != 0) pay(creator, id, deposit);
    }

    function _populate(TaskId id) private {
        for (uint256 i = 0; i < OPERATORS; ++i) putStake(id, operators[i], (1 + (i % 3) / 2) * termsOf[id].seatStake);
        for (uint256 i = 0; i < HOSTS; ++i) {
            vm.prank(hosts[i]);
            staking.acceptDelegation(id, uint16(i * 700));
        }
        for (uint256 i = 0; i < HOSTS; ++i) {
            putDelegated(id, hosts[i], delegators[i], termsOf[id].seatStake / 2 + 1);
            putDelegated(id, hosts[i], delegators[i + 1], termsOf[id].seatStake);
        }
    }

    function _declared() private pure returns (Terms memory t) {
        t = defaultTerms();
        (t.propose, t.publish, t.ballot, t.reveal, t.grace, t.unbonding) = (600, 100, 300, 120, 200, 1600);
        (t.expectedTrainers, t.expectedVoters, t.idleAfter, t.maxVoids) = (5, 7, 4000, 5);
    }

    function _drawn() private pure returns (Terms memory t) {
        t = _declared();
        (t.roles, t.payout, t.expectedTrainers, t.expectedVoters) = (Roles.Drawn, Payout.Ranked, 5, 7);
        (t.maxLeverage, t.propose, t.ballot) = (2, 500, 250);
    }

    function _tiny() private pure returns (Terms memory t) {
        t = _declared();
        (t.seatStake, t.propose, t.publish, t.ballot, t.reveal, t.grace, t.unbonding) = (7, 90, 30, 60, 31, 0, 211);
        (t.rounds, t.expectedTrainers, t.expectedVoters, t.maxVoids, t.idleAfter) = (3, 1, 3, 2, 700);
        (t.acceptBps, t.minGain, t.band, t.dissentBand, t.toleranceBps) = (5001, 0, 1, 1, 333);
        (t.rejectBps, t.unrevealedBps, t.dissentBps, t.headBps, t.absentBps) = (4999, 5000, 3333, 1667, 3001);
        (t.voterShareBps, t.maxLeverage, t.rankRatioBps) = (4999, 100, 9999);
    }

    /* MONEY GOES IN */

    function give(address to, uint256 amount) private {
        token.transfer(to, amount);
        vm.prank(to);
        token.approve(address(staking), amount);
    }

    function pay(address from, TaskId id, uint256 amount) internal {
        give(from, amount);
        vm.prank(from);
        distributor.fund(id, amount);
        purseOf[id] += amount;
    }

    function putStake(TaskId id, address operator, uint256 amount) internal {
        give(operator, amount);
        Role role = roleOf(id, operator);
        vm.prank(operator);
        staking.stake(id, role, amount);
        own[id][operator].deposited += amount;
    }

    function putDelegated(TaskId id, address host, address owner, uint256 amount) internal {
        give(owner, amount);
        vm.prank(owner);
        staking.delegate(id, host, amount);
        delegated[id][host][owner].deposited += amount;
    }

    /* TIME AND BLOCKS */

    /// @dev One more block; the one before has its hash now.
    function mine() internal {
        vm.roll(block.number + 1);
        hashOf[block.number - 1] = blockhash(block.number - 1);
    }

    /* CHOICES */

    /// @dev The pool of an operator: with declared roles the first five train.
    function roleOf(TaskId id, address operator) internal view returns (Role) {
        if (termsOf[id].roles == Roles.Drawn) return Role.Drawn;
        return operator < operators[5] ? Role.Trainer : Role.Validator;
    }

    /// @dev Luck for one of several choices in an act.
    function pick(uint256 luck, uint256 choice, uint256 count) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(luck, choice))) % count;
    }

    function anyTask(uint256 luck) internal returns (TaskId id) {
        id = tasks[pick(luck, 0, tasks.length)];
        touched = id;
    }

    /// @dev A task in `phase`, starting the search at any.
    function taskIn(uint256 luck, Phase phase) internal returns (TaskId id) {
        uint256 first = pick(luck, 0, tasks.length);
        for (uint256 i = 0; i < tasks.length; ++i) {
            touched = id = tasks[(first + i) % tasks.length];
            if (phaseOf(id) == phase && !isClosed(id)) return id;
        }
        revert Idle();
    }

    /* READINGS */

    function phaseOf(TaskId id) internal view returns (Phase phase) {
        (phase, ) = voting.phase(id);
    }

    function isClosed(TaskId id) internal view returns (bool closed) {
        (, , , , closed, ) = registry.task(id);
    }

    function numberOf(TaskId id) internal view returns (RoundId) {
        return rounds.round(id).number;
    }

    function accountOf(TaskId id, address operator) internal view returns (Account memory) {
        return staking.account(id, operator);
    }

    function poolOf(TaskId id, address host) internal view returns (Pool memory) {
        return staking.pool(id, host);
    }

    /* WHAT MUST HOLD */

    /// @dev Remembers the first thing that broke an invariant.
    function hold(uint256 invariant, bool condition, string memory what) internal {
        if (!condition && bytes(broken[invariant]).length == 0) broken[invariant] = what;
    }
}
