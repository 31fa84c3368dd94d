import { readdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  openQuantiser,
  planQuantised,
  type QuantisedShard,
  quantisedConfig,
  quantisedIndex,
} from "../../learning/export/quantisedBase.ts";
import { sourceDigest } from "../../learning/export/sourceDigest.ts";
import type { Loss } from "../../learning/graph/fourBit.ts";
import { TEMPLATE_FILE } from "../../learning/model/chatTemplate.ts";
import { type Checkpoint, openCheckpoint } from "../../learning/model/checkpoint.ts";
import { INDEX_FILE } from "../../learning/model/shardIndex.ts";
import { TOKENIZER_FILES } from "../../learning/model/tokenizer.ts";
import { PassingError, PermanentError } from "../../protocol/errors.ts";
import { leaseFolder } from "../compute/lease.ts";
import { openFolder, requireSpace, writeFileAtomic } from "../files.ts";
import { usage } from "./options.ts";

/** Says what a folder is made from, and what the codes of each finished file lose. Stays there, so that the command may be given again. */
const STATE_FILE = "quantize.json";
const stateSchema = z.strictObject({
  source: z.string().regex(/^[0-9a-f]{64}$/),
  shards: z.record(z.string(), z.strictObject({ error: z.number().min(0), energy: z.number().min(0) })),
});
type State = z.infer<typeof stateSchema>;

const ENDING = ".part";

/** What an error of the system says of the folder, and what helps. */
const SHORTAGES: Record<string, (out: string) => string> = {
  ENOSPC: (out) => `The disk of ${out} became full: make room`,
  EDQUOT: (out) => `Your share of the disk of ${out} is used up: make room`,
  EFBIG: (out) => `A file in ${out} grew beyond what this process may write: raise the limit (\`ulimit -f\`)`,
};

export type QuantiseOptions = {
  /** The model's folder, and the folder that is made. */
  model: string;
  out: string;
  signal: AbortSignal;
  onProgress: (done: number, total: number) => void;
};

/** A finished folder, what it was made from, and what is lost in the linear layers. */
export type Quantised = { source: Checkpoint; made: Checkpoint; loss: Loss };

/**
 * Makes a quantised base. Its files appear one by one, each whole; index and `config.json` come last, so that a folder that can be opened is finished. Who
 * was interrupted goes on behind the last whole file, to the same bytes.
 *
 * @throws PermanentError if the model cannot be quantised, or the folder is another's; PassingError without room on the disk, or while another process writes
 * into the folder.
 */
export async function quantiseFolder(options: QuantiseOptions): Promise<Quantised> {
  return openAndWrite(options).catch((cause: NodeJS.ErrnoException) => {
    const shortage = SHORTAGES[cause.code ?? ""];
    if (shortage === undefined) throw cause;
    throw new PassingError(`${shortage(options.out)} and give the command again, to go on.`, { cause });
  });
}

async function openAndWrite(options: QuantiseOptions): Promise<Quantised> {
  const { model, out } = options;
  const source = await openCheckpoint(model);
  const shards = planQuantised(source, model);
  const place = await realpath(out).catch(() => undefined);
  if (place === (await realpath(model))) throw usage("--out must be another folder than the model's.");
  if (place !== undefined && !(await stat(place)).isDirectory()) {
    throw new PermanentError(`${out} is no folder: name another --out.`);
  }
  await openFolder(out, { what: "folder", setting: "--out" });
  // Before anything in it is read or removed: what a run left behind cannot be told from what one is writing.
  const lease = await leaseFolder(out);
  if (lease === undefined) {
    throw new PassingError(
      `Another \`flockctl quantize\` writes into ${out}: wait until it ends, or name another --out.`,
    );
  }
  try {
    return await writeFolder(source, shards, options);
  } finally {
    await lease.giveBack();
  }
}

async function writeFolder(
  source: Checkpoint,
  shards: readonly QuantisedShard[],
  { model, out, signal, onProgress }: QuantiseOptions,
): Promise<Quantised> {
  const state = await openState(model, out, await sourceDigest(model, source));
  const finished = await Promise.all(shards.map((shard) => isFinished(state, shard, out)));
  const pending = shards.filter((_, i) => !finished[i]);
  await requireSpace(out, sum(pending.map(({ bytes }) => bytes)));
  await writeState(out, state);

  const sizeOf = ({ parts }: QuantisedShard) => sum(parts.map(({ weight }) => weight.bytes));
  const total = sum(shards.map(sizeOf));
  let done = total - sum(pending.map(sizeOf));
  onProgress(done, total);
  const onRead = (bytes: number) => {
    done += bytes;
    onProgress(done, total);
  };
  const quantise = openQuantiser(source, { signal, onRead });
  for (const shard of pending) {
    const path = join(out, shard.name);
    const { error, energy } = await quantise(shard, `${path}${ENDING}`);
    await rename(`${path}${ENDING}`, path);
    state.shards[shard.name] = { error, energy };
    await writeState(out, state);
  }

  for (const name of [...TOKENIZER_FILES, TEMPLATE_FILE]) await copyIfThere(join(model, name), join(out, name));
  await writeFileAtomic(join(out, INDEX_FILE), quantisedIndex(shards));
  await writeFileAtomic(join(out, "config.json"), quantisedConfig(await readFile(join(model, "config.json"), "utf8")));
  const losses = shards.map(({ name }) => state.shards[name] as Loss);
  const loss = { error: sum(losses.map(({ error }) => error)), energy: sum(losses.map(({ energy }) => energy)) };
  return { source, made: await openCheckpoint(out), loss };
}

/** What is finished of a folder: nothing of one that is empty. Removes what a run that was killed left half-written. */
async function openState(model: string, out: string, source: string): Promise<State> {
  const names = await readdir(out);
  if (names.length === 0) return { source, shards: {} };
  if (!names.includes(STATE_FILE)) {
    throw new PermanentError(`${out} is not empty, and was not begun by this command: name another --out.`);
  }
  const state = readState(await readFile(join(out, STATE_FILE), "utf8"), join(out, STATE_FILE));
  if (state.source !== source) {
    throw new PermanentError(
      `${out} was begun for another model than ${model}, or its files have changed since: name another --out, or remove it.`,
    );
  }
  for (const name of names) if (name.endsWith(ENDING)) await rm(join(out, name));
  return state;
}

function readState(text: string, where: string): State {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new PermanentError(`${where} is damaged: remove the folder, and begin anew.`, { cause });
  }
}

const writeState = (out: string, state: State) =>
  writeFileAtomic(join(out, STATE_FILE), `${JSON.stringify(state, null, 2)}\n`);

async function isFinished(state: State, { name, bytes }: QuantisedShard, out: string): Promise<boolean> {
  if (state.shards[name] === undefined) return false;
  return stat(join(out, name)).then(
    ({ size }) => size === bytes,
    () => false,
  );
}

async function copyIfThere(from: string, to: string): Promise<void> {
  const bytes = await readFile(from).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  if (bytes !== undefined) await writeFileAtomic(to, bytes);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
