/** The acts that the gas bench measures, in the order of its table, and the most that each should cost. */
export const TARGETS = {
  stakeFirst: 105_000,
  stakeAgain: 75_000,
  delegate: 115_000,
  openRound: 75_000,
  commitProposal: 60_000,
  publishProposal: 52_000,
  commitBallotFirst: 100_000,
  commitBallotAgain: 66_000,
  revealBallot: 65_000,
  settle: 600_000,
  settleWorst: 2_200_000,
  claim: 60_000,
  accuseAbsence: 60_000,
} as const;

export type ActName = keyof typeof TARGETS;
export const ACT_NAMES = Object.keys(TARGETS) as readonly ActName[];

/**
 * What the Ethereum virtual machine asks at least for what an act cannot do without: 21,000 for the transaction, the slots
 * it must write (22,100 new, 5,000 used before), a token transfer, a log.
 */
export const FLOORS: Partial<Record<ActName, number>> = {
  stakeFirst: 72_000,
  stakeAgain: 50_000,
  commitProposal: 26_900,
  commitBallotFirst: 43_600,
  commitBallotAgain: 26_900,
  revealBallot: 28_000,
};

/** Published figures of comparable systems for about the same act. */
export const PEERS: readonly (readonly [ActName | "nothing", string, string])[] = [
  ["commitBallotAgain", "42,300 a request, 4 in a batch (169,052 in all)", "UMA voting v1, PR 4034"],
  ["commitBallotAgain", "238,000 in a batch of 28", "UMA, Constants.ts and PR 828"],
  ["revealBallot", "74,000 a request, 4 in a batch", "UMA voting v1, PR 4034"],
  ["revealBallot", "139,000 to 167,000, one alone (2020)", "UMA voting v1, PR 1915"],
  ["settle", "880,000 for the lifecycle of 4 votes, one voter", "UMA voting v2, PR 4046"],
  ["settle", "481,000 to 487,000 to draw 16 to 32 jurors", "Kleros v2, PR 89"],
  ["claim", "26,000 a reward in a batch of 129", "UMA, Constants.ts"],
  ["claim", "linear in unclaimed rounds before LIP-36, O(1) since", "Livepeer, LIP-36"],
  ["claim", "130,000 to 200,000 with two Merkle proofs (our estimate)", "EigenLayer, RewardsCoordinator"],
  ["nothing", "7,876,709 for a voter that missed 100 rounds; here it costs nobody anything", "UMA voting v2, PR 4018"],
];
