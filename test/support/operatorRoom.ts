import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Address } from "viem";
import { Phase, Role } from "../../protocol/words.ts";
import { type Artifacts, openArtifacts } from "../../workers/artifacts.ts";
import { type Compute, openCompute } from "../../workers/compute/client.ts";
import { configSchema } from "../../workers/config.ts";
import { type HeadMove, type Heads, openHeads } from "../../workers/heads.ts";
import { openResults, type Results } from "../../workers/results.ts";
import type { Look } from "../../workers/scheduler/look.ts";
import { type StoreServer, serveStore } from "../../workers/store/serve.ts";
import { openStore, type Store } from "../../workers/store/store.ts";
import type { Identity } from "../../workers/work.ts";
import type { TinyTask } from "./tinyTask.ts";

/** What one operator keeps: its own store, served to others, its results, its heads and its compute process. */
export type OperatorRoom = {
  dir: string;
  identity: Identity;
  store: Store;
  server: StoreServer;
  results: Results;
  artifacts: Artifacts;
  compute: Compute;
  heads: Heads;
  close(): Promise<void>;
};

export async function openOperatorRoom(
  dir: string,
  { task, operator, moves }: { task: TinyTask; operator: Address; moves: () => HeadMove[] },
): Promise<OperatorRoom> {
  await mkdir(dir, { recursive: true });
  const store = await openStore(join(dir, "store"), { keepFree: 0 });
  const server = await serveStore(store);
  const compute = openCompute({
    settings: { manifest: task.manifestFile, model: task.model, device: "cpu", threads: 1 },
    limits: { silence: 120, limit: 600 },
  });
  const artifacts = openArtifacts({ store, maxBytes: 1 << 20, allowLoopback: true });
  return {
    dir,
    identity: {
      genesis: `0x${"07".repeat(32)}`,
      rounds: `0x${"08".repeat(20)}`,
      task: 1n,
      manifest: task.digest,
      operator,
    },
    store,
    server,
    compute,
    artifacts,
    results: openResults(join(dir, "results")),
    heads: openHeads({
      dir: join(dir, "heads"),
      first: task.digest,
      readMoves: async () => moves(),
      artifacts,
      compute,
    }),
    async close() {
      await compute.close();
      await server.close();
    },
  };
}

/** A look at the chain in which an operator with seats is about to work in round 1. */
export function someLook(room: OperatorRoom, role: Role, changes: Partial<Look> = {}): Look {
  return {
    situation: {
      task: room.identity.task,
      operator: room.identity.operator,
      staked: true,
      role,
      round: 1,
      phase: role === Role.Trainer ? Phase.Propose : Phase.Ballot,
      openable: false,
      isVoid: false,
      seedAge: 3,
      voterAge: 1,
      seedsLatched: 1,
      seats: 1,
      proposal: "none",
      ballot: "none",
      absent: [],
      published: changes.proposals?.length ?? 0,
      headId: room.identity.manifest,
      endpoint: room.server.url,
    },
    now: 1000,
    endsAt: 2000,
    proposals: [],
    endpoints: [],
    endpointOf: () => undefined,
    seed: `0x${"5e".repeat(32)}`,
    ...changes,
  };
}

const { errorFeedback: _, ...short } = configSchema.shape.training.parse({ steps: 4, batch: 8, learningRate: 0.01 });
export const tinyTraining = short;
