import { z } from "zod";

/**
 * How rotary frequencies are slowed down so that a model reads further than it was first trained for: all by one factor (Chen et al. 2023), or the slow ones
 * only, with a smooth passage between (Llama 3.1; Grattafiori et al. 2024).
 */
export type RopeScaling =
  | { type: "linear"; factor: number }
  | {
      type: "llama3";
      factor: number;
      lowFrequencyFactor: number;
      highFrequencyFactor: number;
      /** Positions of the first training. */
      originalPositions: number;
    };

const factor = z.number().min(1).max(1e6);
const theta = z.number().positive().max(1e12);
const kinds = z.enum(["default", "linear", "llama3"], {
  error: ({ input }) =>
    `the scaling ${JSON.stringify(input) ?? "without a rope_type"} is not supported, only default, linear and llama3`,
});
const schema = z
  .object({
    rope_type: kinds.optional(),
    type: kinds.optional(), // the older name
    rope_theta: theta.optional(),
    factor: factor.optional(),
    low_freq_factor: z.number().positive().max(1e6).optional(),
    high_freq_factor: z.number().positive().max(1e6).optional(),
    original_max_position_embeddings: z
      .int()
      .min(1)
      .max(1 << 24)
      .optional(),
    partial_rotary_factor: z.literal(1).optional(),
  })
  .transform((rope, context): { theta: number | undefined; scaling: RopeScaling | undefined } => {
    const fail = (message: string) => {
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    };
    const type = rope.rope_type ?? rope.type;
    const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = rope;
    const given = (scaling: RopeScaling | undefined) => ({ theta: rope.rope_theta, scaling });
    if (type === undefined) return fail("it has no rope_type");
    if (rope.type !== undefined && rope.type !== type) return fail("its type and its rope_type differ");
    if (type === "default") return given(undefined);
    if (factor === undefined) return fail(`the scaling "${type}" needs a factor`);
    if (type === "linear") return given({ type, factor });
    if (low === undefined || high === undefined || original === undefined || low >= high) {
      return fail("llama3 needs low_freq_factor, a larger high_freq_factor and original_max_position_embeddings");
    }
    return given({ type, factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalPositions: original });
  });

/** The fields of a `config.json` about rotary positions, in the older spelling (`rope_theta`, `rope_scaling`) and in the newer (`rope_parameters`). */
export const ropeFields = {
  rope_theta: theta.optional(),
  rope_scaling: schema.nullish(),
  rope_parameters: schema.nullish(),
};

/** Angle a position of each pair of a head's numbers, [headSize / 2]: theta^(-2i / headSize), scaled. */
export function inverseFrequencies({
  headSize,
  ropeTheta,
  ropeScaling,
}: {
  headSize: number;
  ropeTheta: number;
  ropeScaling?: RopeScaling | undefined;
}): number[] {
  return Array.from({ length: headSize / 2 }, (_, pair) =>
    scaled(1 / ropeTheta ** ((2 * pair) / headSize), ropeScaling),
  );
}

function scaled(frequency: number, scaling: RopeScaling | undefined): number {
  if (scaling === undefined) return frequency;
  const slow = frequency / scaling.factor;
  if (scaling.type === "linear") return slow;
  const { lowFrequencyFactor: low, highFrequencyFactor: high, originalPositions } = scaling;
  /** How often the pair turned around within the first training's positions: few turns are slowed down, many stay. */
  const turns = (originalPositions * frequency) / (2 * Math.PI);
  const share = Math.min(1, Math.max(0, (turns - low) / (high - low)));
  return (1 - share) * slow + share * frequency;
}
