import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openArtifacts } from "./artifacts.ts";
import type { Chain } from "./chain/open.ts";
import type { OperatorConfig } from "./config.ts";
import { openHeads } from "./heads.ts";
import type { Materials } from "./materials.ts";
import { openOperatorCompute, openOperatorKey, readMoves } from "./operator.ts";
import type { Processor, RunningJob } from "./queue/types.ts";
import type { Results } from "./results.ts";
import type { Look } from "./scheduler/look.ts";
import { intentFromJson } from "./sender/intents.ts";
import { openSender } from "./sender/sender.ts";
import type { Store } from "./store/store.ts";
import { openRests } from "./trainer/rests.ts";
import { trainForRound } from "./trainer/trainer.ts";
import { readBallot, validateRound } from "./validator/validator.ts";
import { telling, type Watchers } from "./watched.ts";
import type { Identity } from "./work.ts";

export type Workbench = Watchers & {
  config: OperatorConfig;
  chain: Chain;
  identity: Identity;
  materials: Materials;
  store: Store;
  results: Results;
  look: () => Promise<Look>;
};

/** What processes the jobs of one queue; `close` once no job runs any more. */
export type QueueProcessor = { queue: "train" | "validate" | "send"; process: Processor };

/** The processors of training and validation, which share one compute process. */
export async function openComputing(
  bench: Workbench,
  { trains, validates }: { trains: boolean; validates: boolean },
): Promise<{ processors: QueueProcessor[]; close(): Promise<void> }> {
  const { config, chain, identity, materials, store, results, look, log } = bench;
  const { work, data } = config;
  const { errorFeedback, ...training } = config.training;
  const { patience, allowLoopback } = config.store;
  const compute = openOperatorCompute(config, (line) => log.info({ line }, "the compute process says"));
  const artifacts = openArtifacts({ store, maxBytes: materials.artifactBytes, allowLoopback });
  const heads = openHeads({
    dir: join(work, "heads"),
    first: materials.digest,
    readMoves: () => readMoves(chain, config.task),
    artifacts,
    compute,
  });
  const shared = { identity, look, store, heads, results, compute, scratch: join(work, "scratch") };
  const processors: QueueProcessor[] = [];
  if (trains) {
    const rests = errorFeedback ? openRests(join(work, "rests"), config.task) : undefined;
    const trainer = { ...shared, curves: join(work, "curves"), rests, data: data.train, training };
    processors.push({
      queue: "train",
      process: (job, signal) => trainForRound(trainer, roundOf(job), telling(bench, job, signal)),
    });
  }
  if (validates) {
    const { manifest } = materials;
    const own = { publicData: data.public, privateData: data.private, salt: await ownSecret(work), patience };
    const validator = { ...shared, ...own, manifest, artifacts };
    processors.push({
      queue: "validate",
      process: (job, signal) => validateRound(validator, roundOf(job), telling(bench, job, signal)),
    });
  }
  return { processors, close: () => compute.close() };
}

/** The processor of what is signed: the only part of a worker that holds the key. */
export async function openSending({
  config,
  chain,
  results,
  log,
}: Workbench): Promise<{ processor: QueueProcessor; close(): void }> {
  const key = await openOperatorKey(config);
  const sender = openSender({ chain, key, dir: config.work, readBallot: (report) => readBallot(results, report), log });
  const process: Processor = async (job, signal) => {
    const { state, hash, result } = await sender.send(intentFromJson(job.data), { signal });
    return { state, hash: hash ?? null, result };
  };
  return { processor: { queue: "send", process }, close: () => sender.close() };
}

function roundOf({ data }: RunningJob): { round: number } {
  return { round: Number(data.round) };
}

/** A secret of this operator's work folder, made on the first start: it hides private examples in reports. */
async function ownSecret(work: string): Promise<string> {
  const file = join(work, "secret");
  await writeFile(file, randomBytes(32).toString("hex"), { flag: "wx", mode: 0o600 }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  });
  return readFile(file, "utf8");
}
