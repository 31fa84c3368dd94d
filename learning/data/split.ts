import { PermanentError } from "../../protocol/errors.ts";
import { Stream } from "../random.ts";
import type { Example } from "./examples.ts";

export type Split = { train: Example[]; heldOut: Example[] };

/**
 * Sets aside at least `heldOut` examples by a shuffle that only the seed decides. Examples with one prompt stay
 * together, so that nothing that is held out was trained on.
 * @throws PermanentError if nothing would be left to train on.
 */
export function splitHeldOut(examples: readonly Example[], options: { seed: string; heldOut: number }): Split {
  const groups = shuffledByPrompt(examples, options.seed, "split");
  const held: Example[][] = [];
  for (let rows = 0; rows < options.heldOut && groups.length > 0; ) {
    const group = groups.pop() as Example[];
    held.push(group);
    rows += group.length;
  }
  if (groups.length === 0) {
    const domain = examples[0]?.domain ?? "none";
    throw new PermanentError(
      `${examples.length} examples (domain ${domain}) are too few to hold out ${options.heldOut} and train on the rest: add data.`,
    );
  }
  return { train: groups.flat(), heldOut: held.flat() };
}

/** Deals examples to `hands` parties, about equally and without overlap, by a shuffle that only the seed decides. */
export function deal(examples: readonly Example[], options: { seed: string; hands: number }): Example[][] {
  const dealt: Example[][] = Array.from({ length: options.hands }, () => []);
  shuffledByPrompt(examples, options.seed, "deal").forEach((group, turn) => {
    for (const example of group) dealt[turn % options.hands]?.push(example);
  });
  return dealt;
}

/** Groups of one prompt each. Sorted first, so that the order in which the examples came does not matter. */
function shuffledByPrompt(examples: readonly Example[], seed: string, label: string): Example[][] {
  const groups = Map.groupBy(examples, (example) => `${example.domain}\n${example.prompt}`);
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  const completion = (a: Example, b: Example) =>
    a.completion < b.completion ? -1 : Number(a.completion > b.completion);
  return new Stream(seed, label).shuffle(sorted.map(([, group]) => group.toSorted(completion)));
}
