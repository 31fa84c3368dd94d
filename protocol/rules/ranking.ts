import { type Address, encodeAbiParameters, type Hex, keccak256 } from "viem";
import type { Terms } from "../terms.ts";
import { BPS, Verdict } from "../words.ts";
import type { Slot } from "./tally.ts";

/** Weight of the first place. */
const FIRST = 2n ** 64n;

/** What decides between equal medians: the less wins. */
function tieOf(seed: Hex, proposer: Address): bigint {
  return BigInt(keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "address" }], [seed, proposer])));
}

/**
 * Weights of the published proposals in the trainers' pay: ordered by their medians, a proposal with k seats takes the next
 * k places, and each place weighs `rankRatioBps` of the one before. 0 where not accepted. `seed` is the round's.
 */
export function rankWeights(
  terms: Terms,
  slots: readonly Slot[],
  proposals: readonly { operator: Address; seats: number }[],
  seed: Hex,
): bigint[] {
  const weights = slots.map(() => 0n);
  const accepted = slots.flatMap(({ verdict, median }, slot) =>
    verdict === Verdict.Accepted ? [{ slot, median, tie: tieOf(seed, proposals[slot]!.operator) }] : [],
  );
  let place = FIRST;
  for (const { slot } of accepted.sort((a, b) => b.median - a.median || (a.tie < b.tie ? -1 : 1))) {
    for (let k = 0; k < proposals[slot]!.seats; k++) {
      weights[slot]! += place;
      place = (place * BigInt(terms.rankRatioBps)) / BigInt(BPS);
    }
  }
  return weights;
}
