import { createHash } from "node:crypto";
import type { InferenceSession } from "onnxruntime-node";
import { builtAnew, type Graphs } from "../graph/graphs.ts";
import { loadedGraphs } from "../graph/loadedGraphs.ts";
import { openSession, type SessionOptions } from "../graph/session.ts";
import { numbersOf, passFeeds, stateFeeds, stateOf } from "./feeds.ts";
import { type StepShape, type Trainable, trainingStep } from "./step.ts";
import { distinct, keyOf, type OpenStepper } from "./stepper.ts";

export type FusedOptions = SessionOptions & {
  /** Knows what is trained. */
  graphs?: Graphs | undefined;
  /** How many graphs stay loaded, each with its own copy of the weights; 4 by default. */
  loaded?: number | undefined;
};

/** Graphs that stay loaded where nobody says how many may. */
export const LOADED = 4;

/** The whole step as one graph, one for each shape, made when it is first needed; several steps a run. */
export function fusedStepper(
  trainable: Trainable,
  { graphs = builtAnew, loaded = LOADED, ...options }: FusedOptions,
): OpenStepper {
  return (plan) => {
    const { accumulate, adam } = plan;
    const sessions = loadedGraphs(loaded);
    const digests = new Map<string, string>();
    const how = { accumulate: accumulate > 1 };
    const build = (shape: StepShape): Uint8Array => trainingStep(trainable, shape, adam, how);
    const note = (shape: StepShape, model: Uint8Array): string => {
      const digest = createHash("sha256").update(model).digest("hex");
      digests.set(keyOf(shape), digest);
      return digest;
    };
    const open = async (shape: StepShape): Promise<InferenceSession> => {
      const model = await graphs({ graph: "training step", shape, adam, how }, () => build(shape));
      note(shape, model);
      return openSession(model, options);
    };
    return {
      async run({ first, end, shape }, { state, gradient }) {
        const session = await sessions.get(keyOf(shape), () => open(shape));
        const results = await session.run({
          ...passFeeds(plan, first, end, shape.length),
          ...stateFeeds(state, gradient),
        });
        return {
          state: stateOf(results),
          gradient: gradient && numbersOf(results, "gradient_end"),
          losses: numbersOf(results, "losses"),
        };
      },
      async digest(shapes) {
        const all = distinct(shapes).map((shape) => digests.get(keyOf(shape)) ?? note(shape, build(shape)));
        return all.length === 1 ? (all[0] as string) : createHash("sha256").update(all.join()).digest("hex");
      },
      close: () => sessions.close(),
    };
  };
}
