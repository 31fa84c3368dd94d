import type { Defence } from "./defence.ts";

/** Seeds, seats, phases, and who may do what. */
export const roundDefences: readonly Defence[] = [
  {
    file: "Rounds.sol",
    text: "self.voterBlock) = (number, openedAt, seedBlock, 0);",
    mutated: "self.voterBlock) = (number, openedAt, seedBlock, seedBlock);",
    test: "attacks/Seeds#test_T3_votersAreUnknownWhileTrainersWork",
  },
  {
    file: "Seats.sol",
    text: "bytes32 seed = _valueOf(self.seedBlock);",
    mutated: "bytes32 seed = _valueOf(uint40(block.number - 1));",
    test: "attacks/Seeds#test_T5_callerOfTheLatchChoosesNothing",
  },
  {
    file: "Seats.sol",
    text: "return self.seedsLatched == 0 ? _valueOf(self.seedBlock) : self.seed;",
    mutated: "return _valueOf(self.seedBlock);",
    test: "attacks/Seeds#test_P20_theFirstAnswerOfTheBeaconStays",
  },
  {
    file: "Rounds.sol",
    text: "require(itsSeats != 0, NoSeats(operator));",
    mutated: "",
    test: "attacks/Seeds#test_P19_stakeWithoutWeightDrawsNothing",
  },
  {
    file: "Seats.sol",
    text: "accumulator = Sortition.mix(accumulator, _valueOf(self.voterBlock));",
    mutated: "_valueOf(self.voterBlock);",
    test: "LatchSeed#test_voterSeed_holderOfAllSaltsCannotChoose",
  },
  {
    file: "Rounds.sol",
    text: "self.accumulator = Sortition.fold(slot == 0 ? bytes32(0) : self.accumulator, salt, operator);",
    mutated: "self.accumulator = 0;",
    test: "LatchSeed#test_voterSeed_builderWithoutAllSaltsCannotChoose",
  },
  {
    file: "libraries/Phases.sol",
    text: "return time < deadline ? deadline : deadline + grace;",
    mutated: "return time < deadline ? deadline : deadline + grace * 0;",
    test: "RevealBallot#test_reveal_runs_to_grace_when_short",
  },
  {
    file: "Rounds.sol",
    text: "require(total >= required, PoolTooSmall(pool, total, required));",
    mutated: "require(total >= required * 0, PoolTooSmall(pool, total, required));",
    test: "OpenRound#test_open_below_minimum_total_reverts",
  },
  {
    file: "libraries/Phases.sol",
    text: "if (time < proposeEnd) return",
    mutated: "if (time < proposeEnd && proposals.committed < 16) return",
    test: "attacks/Pace#test_F18_sealingNeverEndsEarly",
  },
  {
    file: "libraries/Phases.sol",
    text: "if (time < ballotEnd) return",
    mutated: "if (time < ballotEnd && ballots.committed < 9) return",
    test: "attacks/Pace#test_F18_sealingNeverEndsEarly",
  },
  {
    file: "Rounds.sol",
    text: "require(count < MAX_PROPOSALS, ProposalsFull(MAX_PROPOSALS));",
    mutated: "",
    test: "CommitProposal#test_commitProposal_revertsIfSixteenAreSealed",
  },
  {
    file: "libraries/Sortition.sol",
    text: "(u / lot.divisor) % lot.expected",
    mutated: "(u % lot.divisor) % lot.expected",
    test: "libraries/Sortition#test_roleOf_isExactAndIndependentOfSeats_fuzz",
  },
  {
    file: "libraries/Sortition.sol",
    text: "abi.encode(seed, rounds, lot.task, lot.round, lot.pool, lot.operator)",
    mutated: "abi.encode(seed, rounds, lot.round, lot.pool, lot.operator)",
    test: "libraries/Sortition#test_luck_dependsOnEverything",
  },
  {
    file: "Rounds.sol",
    text: "if (seedMissed(task)) now_.phase = Phase.Settle;",
    mutated: "if (!self.open) now_.phase = Phase.None;",
    test: "LatchSeed#test_missedSeed_voidsTheRoundAtOnce",
  },
  {
    file: "Ledger.sol",
    text: "return _pools[task].latch(round, lastDeadline);",
    mutated:
      "for (uint256 i = 0; i < _pools[task].trainers / 100 ether; ++i) registry.requireOpen(task);\n        return _pools[task].latch(round, lastDeadline);",
    test: "attacks/Pace#test_T11_moreOperatorsMakeNoActDearer_gas",
  },
  {
    file: "Bindable.sol",
    text: "require(msg.sender == _deployer, NotDeployer(msg.sender));",
    mutated: "",
    test: "Bind#test_bind_revertsIfNotTheDeployer",
  },
  {
    file: "Bindable.sol",
    text: "require(!_isBound(), AlreadyBound());",
    mutated: "",
    test: "Bind#test_bind_revertsIfAlreadyBound",
  },
  {
    file: "Vault.sol",
    text: "require(msg.sender == distributor, NotDistributor(msg.sender));",
    mutated: "require(msg.sender != address(0), NotDistributor(msg.sender));",
    test: "Bind#test_nobodyButTheSiblingsHasPower",
  },
  {
    file: "RewardDistributor.sol",
    text: "require(current == Phase.Settle, UnexpectedPhase(task, current, Phase.Settle));",
    mutated:
      "require(current == Phase.Settle && msg.sender.code.length != 0, UnexpectedPhase(task, current, Phase.Settle));",
    test: "attacks/Funds#test_T18_aStrangerBringsARoundToItsEnd",
  },
  {
    file: "BlockhashBeacon.sol",
    text: "isServed && hash.length == 32",
    mutated: "isServed && hash.length == 31",
    test: "BlockhashBeacon#test_valueOf_isMissedAfter8191BlocksWithHistory",
  },
  {
    file: "libraries/Phases.sol",
    text: "proposals.committed >= GRACE_PROPOSALS && ",
    mutated: "proposals.committed >= GRACE_PROPOSALS * 99 && ",
    test: "PublishProposal#test_publish_runsToGraceIfShort",
  },
  {
    file: "Rounds.sol",
    text: "require(sealedOne.round != number, AlreadySealed(operator));",
    mutated: "",
    test: "CommitProposal#test_commitProposal_revertsIfAlreadySealed",
  },
];
