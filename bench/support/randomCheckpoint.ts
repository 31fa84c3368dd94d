import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { safetensorsHeader } from "../../learning/artifact/safetensors.ts";
import { sizeOf } from "../../learning/graph/shapes.ts";
import { parseConfig } from "../../learning/model/config.ts";
import { weightShapes } from "../../learning/model/weights.ts";

export type ModelSize = {
  hidden: number;
  layers: number;
  heads: number;
  feedForward: number;
  vocabulary: number;
  positions: number;
};

/** Numbers written at once. */
const CHUNK = 1 << 18;

/** Writes a Llama of a size with random weights in float32: the arithmetic of a trained one. */
export async function writeRandomCheckpoint(folder: string, size: ModelSize): Promise<void> {
  const text = JSON.stringify({
    model_type: "llama",
    vocab_size: size.vocabulary,
    hidden_size: size.hidden,
    num_hidden_layers: size.layers,
    num_attention_heads: size.heads,
    intermediate_size: size.feedForward,
    max_position_embeddings: size.positions,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  });
  await writeFile(join(folder, "config.json"), text);
  const shapes = weightShapes(parseConfig(text));
  const file = await open(join(folder, "model.safetensors"), "w");
  try {
    await file.appendFile(safetensorsHeader(shapes.map(({ name, shape }) => ({ name, shape, dtype: "F32" }))));
    let state = 1;
    for (const { shape } of shapes) {
      const [width, isNorm] = [shape.at(-1) as number, shape.length === 1];
      const scale = Math.sqrt(3 / width) / 2 ** 31;
      for (let left = sizeOf(shape); left > 0; left -= CHUNK) {
        const numbers = new Float32Array(Math.min(left, CHUNK));
        for (let i = 0; i < numbers.length; i++) {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0; // Numerical Recipes' generator: quick, and good enough here
          numbers[i] = isNorm ? 1 : scale * state;
        }
        await file.appendFile(new Uint8Array(numbers.buffer));
      }
    }
  } finally {
    await file.close();
  }
}
