import type { OptimizerState, Plan } from "./feeds.ts";
import type { StepShape } from "./step.ts";

/** How a step is computed: as one graph that holds the whole model, or one group of layers at a time. */
export type Form = "fused" | "streamed";

/** The passes from `first` to before `end`, all of one shape. */
export type Passes = { first: number; end: number; shape: StepShape };

/** What passes on from one run to the next; `gradient` is what the passes of an unfinished step have summed up, where steps have several. */
export type Carried = { state: OptimizerState; gradient: Float32Array | undefined };

/** One way to compute training steps: the whole step as one graph, or group of layers by group of layers. */
export type Stepper = {
  /** Takes passes; gives a loss for each. What is given stays as it was. */
  run(passes: Passes, carried: Carried): Promise<Carried & { losses: Float32Array }>;
  /** sha256 of the graphs of these shapes, whether they were run now or before an interruption. */
  digest(shapes: readonly StepShape[]): Promise<string>;
  close(): Promise<void>;
};

export type OpenStepper = (plan: Plan) => Stepper;

export function keyOf({ batch, length }: StepShape): string {
  return `${batch} ${length}`;
}

/** Each shape once, shorter ones first. */
export function distinct(shapes: readonly StepShape[]): StepShape[] {
  const each = [...new Map(shapes.map((shape) => [keyOf(shape), shape])).values()];
  return each.sort((a, b) => a.length - b.length || a.batch - b.batch);
}
