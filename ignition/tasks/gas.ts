import type { Terms } from "../../protocol/terms.ts";

/** Gas of whole transactions as `npm run bench gas` measures them; a settlement also pays for each proposal and ballot. */
const gasOf = {
  openRound: 74_600,
  commitProposal: 60_800,
  publishProposal: 60_700,
  commitBallot: 79_800,
  revealBallot: 56_700,
  settle: 170_700,
  settleProposal: 23_500,
  settleBallot: 20_100,
};

/** Gas that a round costs everyone together if each expected seat is in hands of its own. */
export function gasOfRound(terms: Pick<Terms, "expectedTrainers" | "expectedVoters">): number {
  const proposal = gasOf.commitProposal + gasOf.publishProposal + gasOf.settleProposal;
  const ballot = gasOf.commitBallot + gasOf.revealBallot + gasOf.settleBallot;
  return gasOf.openRound + gasOf.settle + terms.expectedTrainers * proposal + terms.expectedVoters * ballot;
}
