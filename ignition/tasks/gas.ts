import type { Terms } from "../../protocol/terms.ts";

/** Gas of whole transactions as `npm run bench gas` measures them; a settlement also pays for each proposal and ballot. */
const gasOf = {
  openRound: 74_500,
  commitProposal: 61_300,
  publishProposal: 59_500,
  commitBallot: 77_700,
  revealBallot: 56_200,
  settle: 159_400,
  settleProposal: 36_200,
  settleBallot: 26_500,
};

/** Gas that a round costs everyone together if each expected seat is in hands of its own. */
export function gasOfRound(terms: Pick<Terms, "expectedTrainers" | "expectedVoters">): number {
  const proposal = gasOf.commitProposal + gasOf.publishProposal + gasOf.settleProposal;
  const ballot = gasOf.commitBallot + gasOf.revealBallot + gasOf.settleBallot;
  return gasOf.openRound + gasOf.settle + terms.expectedTrainers * proposal + terms.expectedVoters * ballot;
}
