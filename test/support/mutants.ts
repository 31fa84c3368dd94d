/** One line of a contract, broken so that one invariant fails. */
export type Mutant = {
  /** The number of the invariant that must fail. */
  invariant: number;
  file: string;
  /** Occurs once in the file. */
  text: string;
  mutated: string;
};

/** One mutant for each of I1 to I18: an invariant that none of them breaks would test nothing. */
export const mutants: readonly Mutant[] = [
  // What waited to be burned is swept again and again.
  { invariant: 1, file: "Vault.sol", text: "        toBurn = 0;\n", mutated: "" },
  // The operator gets its delegators' part as well.
  {
    invariant: 2,
    file: "Ledger.sol",
    text: "dues.claimable += uint96(pay - toDelegators);",
    mutated: "dues.claimable += uint96(pay);",
  },
  // What is delegated makes no shares in the pool.
  {
    invariant: 3,
    file: "libraries/Shares.sol",
    text: "(pool.active, pool.shares) = (pool.active + amount, pool.shares + uint128(shares));",
    mutated: "pool.active += amount;",
  },
  // A rejected proposal costs twice what the terms say.
  {
    invariant: 4,
    file: "libraries/Payouts.sol",
    text: "faultOf(its, terms.rejectBps, 1, 1, terms)",
    mutated: "faultOf(its, 2 * uint256(terms.rejectBps), 1, 1, terms)",
  },
  // Trainers share more than the pot.
  {
    invariant: 5,
    file: "libraries/Payouts.sol",
    text: "uint256 part = (pot * (BPS - terms.voterShareBps)) / BPS;",
    mutated: "uint256 part = 3 * pot;",
  },
  // A claim can be claimed again.
  {
    invariant: 6,
    file: "Staking.sol",
    text: "(amount, _dues[task][owner].claimable) = (_dues[task][owner].claimable, 0);",
    mutated: "amount = _dues[task][owner].claimable;",
  },
  // Stake leaves before the unbonding period is over.
  { invariant: 7, file: "Staking.sol", text: "_requireUnlocked(_dues[task][operator].unlockAt);", mutated: "" },
  // Windows are closed at their end, not half open.
  {
    invariant: 8,
    file: "libraries/Phases.sol",
    text: "if (time < proposeEnd) return",
    mutated: "if (time <= proposeEnd) return",
  },
  // A ballot can be sealed again, over the first.
  {
    invariant: 9,
    file: "ValidatorVoting.sol",
    text: "require(sealedOne.round != clock.round, AlreadySealed(operator));",
    mutated: "",
  },
  // Who has no seat proposes all the same.
  { invariant: 10, file: "Rounds.sol", text: "require(itsSeats != 0, NoSeats(operator));", mutated: "" },
  // The seed is known when the round opens.
  {
    invariant: 11,
    file: "Rounds.sol",
    text: "uint40 seedBlock = beacon.nextSeedBlock();",
    mutated: "uint40 seedBlock = beacon.nextSeedBlock() - 2;",
  },
  // Half of the luck gives no seat more: small stakes have less than their part.
  {
    invariant: 12,
    file: "libraries/Sortition.sol",
    text: "(u % lot.divisor)) / lot.divisor",
    mutated: "(u % lot.divisor) / 2) / lot.divisor",
  },
  // One seat is enough to call a proposal missing.
  {
    invariant: 13,
    file: "libraries/Tally.sol",
    text: "if (missing * BPS >= terms.acceptBps * seats) {",
    mutated: "if (missing != 0) {",
  },
  // The median is the lowest score.
  {
    invariant: 14,
    file: "libraries/Tally.sol",
    text: "uint256 need = half + counts.special;",
    mutated: "uint256 need = half - half + Lanes.fill(1) + counts.special;",
  },
  // Hiding a ballot costs what silence does, less than dissent.
  {
    invariant: 15,
    file: "libraries/Payouts.sol",
    text: "return faultOf(seats, terms.unrevealedBps, 1, 1, terms);",
    mutated: "return faultOf(seats, terms.absentBps, 1, 1, terms);",
  },
  // Whoever settles a void round is paid for it.
  { invariant: 16, file: "RewardDistributor.sol", text: "if (!s.isVoid) s.bounty =", mutated: "s.bounty =" },
  // Where nothing is accepted, nothing is divided by nothing, and the round cannot end.
  {
    invariant: 17,
    file: "libraries/Payouts.sol",
    text: "} else if (shares.get(i) != 0) {",
    mutated: "} else {",
  },
  // A notice shortens the unbonding period that it announces.
  {
    invariant: 18,
    file: "TaskRegistry.sol",
    text: "uint40(block.timestamp + _terms[id].unbonding)",
    mutated: "uint40(block.timestamp + (_terms[id].unbonding /= 2))",
  },
];

/** The campaign that holds an invariant: the beginning of its function's name. */
export function campaignOf(invariant: number): string {
  if (invariant <= 7) return "invariant_I1_to_I7";
  return invariant <= 12 || invariant === 18 ? "invariant_I8_to_I12_and_I18" : "invariant_I13_to_I17";
}

/** The source with its one line broken. Throws if the line is not there, or not alone. */
export function mutate(source: string, { file, text, mutated }: Mutant): string {
  const parts = source.split(text);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times "${text}"; a mutant needs it once.`);
  return parts.join(mutated);
}
