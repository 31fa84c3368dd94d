import type { Terms } from "../../protocol/terms.ts";

/** Gas of whole transactions as `npm run bench gas` measures them; a settlement also pays for each proposal and ballot. */
const gasOf = {
  openRound: 68_600,
  commitProposal: 73_000,
  publishProposal: 62_700,
  commitBallot: 86_700,
  revealBallot: 59_200,
  settle: 150_700,
  settleProposal: 35_100,
  settleBallot: 30_600,
};

/** Gas that a round costs everyone together if each expected seat is in hands of its own. */
export function gasOfRound(terms: Pick<Terms, "expectedTrainers" | "expectedVoters">): number {
  const proposal = gasOf.commitProposal + gasOf.publishProposal + gasOf.settleProposal;
  const ballot = gasOf.commitBallot + gasOf.revealBallot + gasOf.settleBallot;
  return gasOf.openRound + gasOf.settle + terms.expectedTrainers * proposal + terms.expectedVoters * ballot;
}
