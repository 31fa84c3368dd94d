import type { Terms } from "../../protocol/terms.ts";

/** Gas of whole transactions, warm slots, production profile, as `npm run bench gas` measures them. */
export const gasOf = {
  openRound: 0,
  commitProposal: 0,
  publishProposal: 0,
  commitBallot: 0,
  revealBallot: 0,
  settle: 0,
  settleProposal: 0,
  settleBallot: 0,
};

/** Gas that a round with every expected seat in hands of its own costs everyone together. */
export function gasOfRound({
  expectedTrainers,
  expectedVoters,
}: Pick<Terms, "expectedTrainers" | "expectedVoters">): number {
  const proposal = gasOf.commitProposal + gasOf.publishProposal + gasOf.settleProposal;
  const ballot = gasOf.commitBallot + gasOf.revealBallot + gasOf.settleBallot;
  return gasOf.openRound + gasOf.settle + expectedTrainers * proposal + expectedVoters * ballot;
}
