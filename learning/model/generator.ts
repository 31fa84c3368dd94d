import { type InferenceSession, Tensor } from "onnxruntime-node";
import { PermanentError } from "../../protocol/errors.ts";
import { type Computing, openSession } from "../graph/session.ts";
import { type AdapterSpec, adapterLayout, adapterSize } from "./adapter.ts";
import { type CacheShape, cachedForward } from "./cachedLlama.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { rotaryNumbers } from "./rotary.ts";
import { likeliest, type Sampling, sample } from "./sampling.ts";

export type GenerateOptions = {
  /** Longest continuation, in tokens. */
  maxNew: number;
  /** Greedy without it. */
  sampling?: Sampling | undefined;
  signal?: AbortSignal | undefined;
};

/** Continues texts with a base under any adapter. `flat` holds the factors B in the order of `adapterLayout`. */
export type Generator = {
  /**
   * The continuation of a prompt, up to an end token, which is left out.
   * @throws PermanentError if the prompt is empty, or it and the continuation are longer than the model's positions.
   */
  generate(flat: Float32Array, prompt: readonly number[], options: GenerateOptions): Promise<number[]>;
  close(): Promise<void>;
};

/** Tokens of a prompt that are read at once. */
const CHUNK = 64;
/** Turns the softmax of a position to exactly 0. */
const CLOSED = -1e9;

/** Opens a base for generating. Graphs are made when a size is first met, and kept. */
export function openGenerator(checkpoint: Checkpoint, spec: AdapterSpec, options: Computing): Generator {
  const { config, folder } = checkpoint;
  const size = adapterSize(adapterLayout(config, spec));
  const sessions = new Map<string, Promise<InferenceSession>>();
  const sessionFor = (shape: CacheShape): Promise<InferenceSession> => {
    const key = `${shape.length} ${shape.room}`;
    const session = sessions.get(key) ?? openSession(cachedForward(checkpoint, spec, shape), { ...options, folder });
    sessions.set(key, session);
    return session;
  };

  /** Reads tokens behind those in the cache, which it fills, and gives the logits of what follows the last one. */
  async function read(flat: Float32Array, cache: Cache, tokens: readonly number[]): Promise<Float32Array> {
    const length = tokens.length === 1 ? 1 : CHUNK;
    const { room, filled } = cache;
    const session = await sessionFor({ length, room });
    const rotary = rotaryNumbers(config, filled, length);
    const table = (numbers: number[]) =>
      new Tensor("float32", Float32Array.from(numbers), [length, config.headSize / 2]);
    const mask = maskOf(length, room, filled);
    const results = await session.run({
      tokens: new Tensor(
        "int32",
        Int32Array.from({ length }, (_, i) => tokens[i] ?? 0),
        [length],
      ),
      last: new Tensor("int32", Int32Array.of(tokens.length - 1), [1]),
      cos: table(rotary.cos),
      sin: table(rotary.sin),
      mask: new Tensor("float32", mask, [1, 1, length, room + length]),
      adapter: new Tensor("float32", flat, [size]),
      ...cache.feeds(),
    });
    const [logits, ...fresh] = session.outputNames.map((name) => (results[name] as Tensor).data as Float32Array);
    cache.append(fresh, length, tokens.length);
    return logits as Float32Array;
  }

  return {
    async generate(flat, prompt, { maxNew, sampling, signal }) {
      const positions = prompt.length + maxNew;
      if (prompt.length === 0) throw new PermanentError("There is nothing to continue: the prompt is empty.");
      if (flat.length !== size) {
        throw new PermanentError(`An adapter of ${flat.length} numbers was given where ${size} are expected.`);
      }
      if (positions > config.maxPositions) {
        throw new PermanentError(
          `A prompt of ${prompt.length} tokens and ${maxNew} more are too long: the model has ${config.maxPositions} positions.`,
        );
      }
      const cache = emptyCache(config, 2 ** Math.ceil(Math.log2(positions)));
      let logits = new Float32Array();
      for (let start = 0; start < prompt.length; start += CHUNK) {
        signal?.throwIfAborted();
        logits = new Float32Array(await read(flat, cache, prompt.slice(start, start + CHUNK)));
      }
      const said: number[] = [];
      while (said.length < maxNew) {
        signal?.throwIfAborted();
        const next = sampling === undefined ? likeliest(logits) : sample(logits, sampling);
        if (config.endTokens.includes(next)) break;
        said.push(next);
        if (said.length < maxNew) logits = new Float32Array(await read(flat, cache, [next]));
      }
      return said;
    },

    async close() {
      for (const session of sessions.values()) await (await session).release();
      sessions.clear();
    },
  };
}

/** [length, room + length]: a token sees what fills the cache, itself and the tokens before it. */
function maskOf(length: number, room: number, filled: number): Float32Array {
  const mask = new Float32Array(length * (room + length));
  for (let row = 0; row < length; row++) {
    const start = row * (room + length);
    mask.fill(CLOSED, start + filled, start + room);
    mask.fill(CLOSED, start + room + row + 1, start + room + length);
  }
  return mask;
}

/** Keys and values of the positions read so far, of each layer in turn: [kvHeads, room, headSize]. */
type Cache = {
  room: number;
  filled: number;
  feeds(): Record<string, Tensor>;
  /** Adds the first `count` of `length` positions. */
  append(fresh: readonly Float32Array[], length: number, count: number): void;
};

function emptyCache({ layers, kvHeads, headSize }: Checkpoint["config"], room: number): Cache {
  const kept = Array.from({ length: 2 * layers }, () => new Float32Array(kvHeads * room * headSize));
  return {
    room,
    filled: 0,
    feeds() {
      const named = kept.map((data, i) => {
        const name = `${i % 2 === 0 ? "keys" : "values"}_${Math.floor(i / 2)}`;
        return [name, new Tensor("float32", data, [1, kvHeads, room, headSize])] as const;
      });
      return Object.fromEntries(named);
    },
    append(fresh, length, count) {
      for (const [i, data] of kept.entries()) {
        const part = fresh[i] as Float32Array;
        for (let head = 0; head < kvHeads; head++) {
          const from = head * length * headSize;
          data.set(part.subarray(from, from + count * headSize), (head * room + this.filled) * headSize);
        }
      }
      this.filled += count;
    },
  };
}
