import { smallest } from "../extremes.ts";

/** The best parameters so far, by the loss on examples that are not trained on, and that loss at each look. */
export type Watched = { best: Float32Array; losses: readonly number[] };

export type EarlyStop = {
  /** Looks at the parameters. "stop" when the last `patience` looks found nothing better than an earlier one. */
  look(parameters: Float32Array): Promise<"go on" | "stop">;
  /** What was seen, if anything. */
  watched(): Watched | undefined;
};

/** Stops a training that gets worse on held-out examples (Prechelt 1998, criterion UP), and keeps its best parameters. */
export function watchHeldOut(
  lossOf: (parameters: Float32Array) => Promise<number>,
  { patience, from }: { patience: number; from?: Watched | undefined },
): EarlyStop {
  let watched = from;
  return {
    async look(parameters) {
      const loss = await lossOf(parameters);
      const before = watched?.losses ?? [];
      const better = before.every((earlier) => loss < earlier);
      const losses = [...before, loss];
      // A copy: the runtime writes into its own memory again.
      watched = { best: better || watched === undefined ? parameters.slice() : watched.best, losses };
      const lowest = losses.indexOf(smallest(losses));
      return losses.length - 1 - lowest >= patience ? "stop" : "go on";
    },
    watched: () => watched,
  };
}
