import { createHash } from "node:crypto";
import type { InferenceSession } from "onnxruntime-node";
import { openSession, type SessionOptions } from "../graph/session.ts";
import { numbersOf, passFeeds, stateFeeds, stateOf } from "./feeds.ts";
import { type StepShape, type Trainable, trainingStep } from "./step.ts";
import { distinct, keyOf, type OpenStepper } from "./stepper.ts";

/** The whole step as one graph, one for each shape, made when it is first needed and kept; several steps a run. */
export function fusedStepper(trainable: Trainable, options: SessionOptions): OpenStepper {
  return (plan) => {
    const { accumulate, adam } = plan;
    const sessions = new Map<string, Promise<InferenceSession>>();
    const digests = new Map<string, string>();
    const make = (shape: StepShape): Uint8Array => {
      const model = trainingStep(trainable, shape, adam, { accumulate: accumulate > 1 });
      digests.set(keyOf(shape), createHash("sha256").update(model).digest("hex"));
      return model;
    };
    const sessionFor = (shape: StepShape): Promise<InferenceSession> => {
      const session = sessions.get(keyOf(shape)) ?? openSession(make(shape), options);
      sessions.set(keyOf(shape), session);
      return session;
    };
    return {
      async run({ first, end, shape }, { state, gradient }) {
        const session = await sessionFor(shape);
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
      digest(shapes) {
        const all = distinct(shapes).map((shape) => {
          if (!digests.has(keyOf(shape))) make(shape);
          return digests.get(keyOf(shape)) as string;
        });
        return all.length === 1 ? (all[0] as string) : createHash("sha256").update(all.join()).digest("hex");
      },
      async close() {
        for (const session of sessions.values()) await session.then((s) => s.release());
      },
    };
  };
}
