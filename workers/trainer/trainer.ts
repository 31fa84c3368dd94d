import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ExitCode, PassingError, PermanentError } from "../../protocol/errors.ts";
import type { Compute, WorkOptions } from "../compute/client.ts";
import type { RequestOf } from "../compute/protocol.ts";
import type { Heads } from "../heads.ts";
import type { Results } from "../results.ts";
import { isDue } from "../scheduler/duties.ts";
import type { Look } from "../scheduler/look.ts";
import type { Store } from "../store/store.ts";
import { type Identity, inputsOf, type Trained, trainedSchema } from "../work.ts";
import type { Rests } from "./rests.ts";

export type TrainerDependencies = {
  identity: Identity;
  look: () => Promise<Look>;
  store: Store;
  heads: Heads;
  results: Results;
  compute: Compute;
  /** Folder for files that are still being written. */
  scratch: string;
  /** Folder of plots of the losses. */
  curves: string;
  /** What rounding took from earlier updates, if it is to be added to later ones. */
  rests?: Rests | undefined;
  /** Folder of the operator's own examples. */
  data: string | undefined;
  training: RequestOf<"train">["training"];
};

export type TrainOutcome = { skipped: string } | Trained;

/**
 * Trains this operator's update of one round and keeps it in the store. Safe to repeat: looks at the chain first, then for what
 * was trained before.
 */
export async function trainForRound(
  { identity, look, store, heads, results, compute, scratch, curves, rests, data, training }: TrainerDependencies,
  { round }: { round: number },
  { signal, onProgress }: WorkOptions = {},
): Promise<TrainOutcome> {
  const { situation, endpoints, now, endsAt } = await look();
  if (situation.round !== round || !isDue(situation, "train")) return { skipped: "it is not due any more" };
  if (data === undefined) {
    throw new PermanentError("The configuration names no data.train; a trainer needs a folder of its own examples.", {
      exitCode: ExitCode.usage,
    });
  }
  const inputs = inputsOf("train", identity, situation);
  const kept = await results.get(inputs, trainedSchema);
  if (kept !== undefined && (await store.has(kept.artifact))) return kept;

  // Half of what is left of the phase at most: the job is tried again then, and asks others.
  const until = Date.now() + (Math.max(0, endsAt - now) / 2) * 1000;
  const head = await heads.build(situation.headId, { endpoints, until, signal });
  await mkdir(scratch, { recursive: true });
  const out = join(scratch, `update-${identity.task}-${round}.safetensors`);
  const seed = `train ${identity.task} ${round} ${identity.operator.toLowerCase()}`;
  const curve = join(curves, `task-${identity.task}-round-${round}.svg`);
  const rest = rests && { from: await rests.owed(round, await heads.accepted(situation.headId)), to: `${out}.rest` };
  const work = { head: head.file, data, training, seed, rest, curve, out };
  const { sha256, ...told } = await compute.run("train", work, { signal, onProgress });
  const artifact = await store.put(await readFile(out));
  if (artifact !== sha256) throw new PassingError(`The update in ${out} changed on its way to the store.`);
  if (rest !== undefined) await rests?.keep(rest.to, { round, artifact });
  const trained = { artifact, ...told };
  await results.put(inputs, trained);
  await rm(out, { force: true });
  return trained;
}
