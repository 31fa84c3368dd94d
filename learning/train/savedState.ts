import { createHash } from "node:crypto";
import { readHeader, type SafetensorsTensor, writeSafetensors } from "../artifact/safetensors.ts";
import type { Watched } from "./earlyStop.ts";
import type { TrainingState } from "./engine.ts";

/** A training that was interrupted, as bytes of a safetensors file. */
export type Saved = { state: TrainingState; watched: Watched | undefined };

/** sha256 of whatever decides the bits of a training: vectors by their bytes, the rest as JSON. */
export function jobDigest(facts: unknown, vectors: readonly ArrayBufferView[]): Buffer {
  const hash = createHash("sha256").update(JSON.stringify(facts));
  for (const vector of vectors) hash.update(`\n${vector.byteLength}\n`).update(bytesOf(vector));
  return hash.digest();
}

/** Tensors: `job` U8 [32], `parameters`, `mean`, `square` F32 [size], `losses` F64 [steps], and of held-out data `best` F32 [size], `held_out` F64 [looks]. */
export function writeState(job: Buffer, { state, watched }: Saved): Buffer {
  const { parameters, mean, square, losses } = state;
  const tensors = [
    tensor("job", "U8", job),
    ...Object.entries({ parameters, mean, square }).map(([name, data]) => tensor(name, "F32", data)),
    tensor("losses", "F64", Float64Array.from(losses)),
  ];
  if (watched !== undefined) {
    tensors.push(tensor("best", "F32", watched.best), tensor("held_out", "F64", Float64Array.from(watched.losses)));
  }
  return writeSafetensors(tensors);
}

/**
 * Reads what `writeState` wrote for the same job. Nothing for another job's, or an older release's.
 * @throws PermanentError if the bytes are no safetensors file.
 */
export function readState(bytes: Uint8Array, job: Buffer, where: string): Saved | undefined {
  const { tensors } = readHeader(bytes, { where, canonical: true });
  const found = new Map(
    tensors.map(({ name, offset, bytes: size }) => [name, new Uint8Array(bytes.subarray(offset, offset + size))]),
  );
  const [own, parameters, mean, square] = ["job", "parameters", "mean", "square"].map((name) => found.get(name));
  const losses = found.get("losses");
  if (own === undefined || !job.equals(own)) return undefined;
  if (parameters === undefined || mean === undefined || square === undefined || losses === undefined) return undefined;
  const [best, heldOut] = [found.get("best"), found.get("held_out")];
  return {
    state: {
      ...{ parameters: floats(parameters), mean: floats(mean), square: floats(square) },
      losses: [...doubles(losses)],
    },
    watched:
      best === undefined || heldOut === undefined ? undefined : { best: floats(best), losses: [...doubles(heldOut)] },
  };
}

function tensor(
  name: string,
  dtype: SafetensorsTensor["dtype"],
  data: Float32Array | Float64Array | Buffer,
): SafetensorsTensor {
  return { name, dtype, shape: [data.length], data: bytesOf(data) };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

// The tensors were copied to buffers of their own, so they are aligned.
function floats({ buffer, byteLength }: Uint8Array): Float32Array {
  return new Float32Array(buffer, 0, byteLength / 4);
}

function doubles({ buffer, byteLength }: Uint8Array): Float64Array {
  return new Float64Array(buffer, 0, byteLength / 8);
}
