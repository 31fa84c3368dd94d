import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readHeader, type SafetensorsTensor, writeSafetensors } from "../../learning/artifact/safetensors.ts";
import { decode, encode } from "../../learning/graph/fourBit.ts";
import { openCheckpoint, type StoredWeight } from "../../learning/model/checkpoint.ts";
import { QUANTISATION } from "../../learning/model/config.ts";
import { linearNames, scalesName } from "../../learning/model/weights.ts";

const FILE = "model.safetensors";

/** Writes a float32 checkpoint of one file once more, its linear layers in 4 bits, as one file. */
export async function writeQuantised(source: string, target: string): Promise<void> {
  const { config } = await openCheckpoint(source);
  const linear = new Set(linearNames(config));
  const bytes = await readFile(join(source, FILE));
  const tensors = readHeader(bytes).tensors.flatMap(({ name, dtype, shape, offset, bytes: length }) => {
    const data = Uint8Array.from(bytes.subarray(offset, offset + length));
    return linear.has(name) ? quantised(name, shape, new Float32Array(data.buffer)) : [{ name, dtype, shape, data }];
  });
  await mkdir(target, { recursive: true });
  const text = JSON.parse(await readFile(join(source, "config.json"), "utf8"));
  await writeFile(join(target, "config.json"), JSON.stringify({ ...text, quantization_config: QUANTISATION }));
  await writeFile(join(target, FILE), writeSafetensors(tensors));
}

function quantised(name: string, shape: readonly number[], numbers: Float32Array): SafetensorsTensor[] {
  const [rows, inputs] = shape as [number, number];
  const codes = new Uint8Array(numbers.length / 2);
  const scales = new Float16Array(numbers.length / 32);
  encode(numbers, codes, scales, (index) => {
    throw new Error(`number ${index} of ${name}`);
  });
  return [
    { name, dtype: "U8", shape: [rows, inputs / 32, 16], data: codes },
    { name: scalesName(name), dtype: "F16", shape: [rows, inputs / 32], data: new Uint8Array(scales.buffer) },
  ];
}

/** Writes a quantised checkpoint once more as an ordinary one in float32, with the numbers that its codes stand for. */
export async function writeDecoded(source: string, target: string): Promise<void> {
  const { weights, folder } = await openCheckpoint(source);
  const read = async ({ file, offset, bytes }: StoredWeight) =>
    Uint8Array.from((await readFile(join(folder, file))).subarray(offset, offset + bytes));
  const tensors: SafetensorsTensor[] = [];
  for (const [name, weight] of weights) {
    const data = await read(weight);
    if (weight.scales === undefined) tensors.push({ name, dtype: weight.dtype, shape: weight.shape, data });
    else {
      const numbers = decode(data, new Float16Array((await read(weight.scales)).buffer));
      const [rows, blocks] = weight.scales.shape as [number, number];
      tensors.push({ name, dtype: "F32", shape: [rows, blocks * 32], data: new Uint8Array(numbers.buffer) });
    }
  }
  await mkdir(target, { recursive: true });
  const { quantization_config: _, ...config } = JSON.parse(await readFile(join(source, "config.json"), "utf8"));
  await writeFile(join(target, "config.json"), JSON.stringify(config));
  await writeFile(join(target, FILE), writeSafetensors(tensors));
}
