import type { Terms } from "../../protocol/terms.ts";

/** Gas of whole transactions as `npm run bench gas` measures them; a settlement also pays for each proposal and ballot. */
const gasOf = {
  openRound: 72_600,
  commitProposal: 60_200,
  publishProposal: 58_700,
  commitBallot: 72_700,
  revealBallot: 54_500,
  settle: 145_400,
  settleProposal: 36_100,
  settleBallot: 25_200,
};

/** Gas that a round costs everyone together if each expected seat is in hands of its own. */
export function gasOfRound(terms: Pick<Terms, "expectedTrainers" | "expectedVoters">): number {
  const proposal = gasOf.commitProposal + gasOf.publishProposal + gasOf.settleProposal;
  const ballot = gasOf.commitBallot + gasOf.revealBallot + gasOf.settleBallot;
  return gasOf.openRound + gasOf.settle + terms.expectedTrainers * proposal + terms.expectedVoters * ballot;
}
