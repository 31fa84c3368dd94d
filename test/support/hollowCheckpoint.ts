import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { safetensorsHeader } from "../../learning/artifact/safetensors.ts";
import { sizeOf } from "../../learning/graph/shapes.ts";
import { parseConfig } from "../../learning/model/config.ts";
import { weightShapes } from "../../learning/model/weights.ts";

/** Writes a large Llama of bfloat16 zeros that take no place on the disk: for what reads headers only. */
export async function writeHollowCheckpoint(folder: string, size: object): Promise<void> {
  const text = JSON.stringify({
    ...{ model_type: "llama", rms_norm_eps: 1e-5, tie_word_embeddings: true, max_position_embeddings: 1024 },
    ...size,
  });
  const tensors = weightShapes(parseConfig(text)).map((tensor) => ({ ...tensor, dtype: "BF16" as const }));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), text);
  const file = await open(join(folder, "model.safetensors"), "w");
  try {
    const header = safetensorsHeader(tensors);
    await file.appendFile(header);
    await file.truncate(tensors.reduce((end, { shape }) => end + 2 * sizeOf(shape), header.length));
  } finally {
    await file.close();
  }
}

/** The shape of a Llama of so many layers of 218 million weights. */
export const eightBillion = (layers: number) => ({
  ...{ hidden_size: 4096, num_hidden_layers: layers, num_attention_heads: 32, num_key_value_heads: 8 },
  ...{ intermediate_size: 14_336, vocab_size: 32_000 },
});
