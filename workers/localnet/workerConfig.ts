import { fileURLToPath } from "node:url";
import type { z } from "zod";
import type { configSchema } from "../config.ts";
import type { QueueConnection } from "../queue/types.ts";
import type { Network } from "./network.ts";
import type { Operator } from "./operators.ts";

const RANDOM_VOTER = fileURLToPath(new URL("randomVoter.ts", import.meta.url));

/** Little enough that the third round still has something to learn, enough that a poisoner shows in the first. */
const TRAINING = { steps: 36, batch: 32, learningRate: 1.7e-3 };

type Parameters = {
  operator: Operator;
  network: Network;
  model: string;
  queue: QueueConnection;
};

/** The configuration file of one operator's worker, as an operator would write it for a chain on this machine. */
export function workerConfig({ operator, network, model, queue }: Parameters): z.input<typeof configSchema> {
  const { chain, task, files } = network;
  const own = operator.role === "trainer" ? { train: "data" } : { private: "data" };
  const lies = operator.role === "validator" && !operator.honest;
  return {
    rpcUrls: [chain.url],
    chainId: chain.chainId,
    deployment: files.deployment,
    task: String(task),
    operator: operator.address,
    key: { keystore: "keystore.json", passwordFile: "password" },
    manifest: files.manifest,
    model,
    data: { public: files.public, ...own },
    store: { allowLoopback: true, patience: 100 }, // less than the clock waits for a ballot
    queue: "redis" in queue ? { url: queue.redis } : { url: queue.postgres },
    training: TRAINING,
    compute: lies ? { program: RANDOM_VOTER } : {},
    pollSeconds: 1,
    stagger: 4,
  };
}
