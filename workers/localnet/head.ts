import { join } from "node:path";
import type { Hex } from "viem";
import type { Deployment } from "../../protocol/deployment.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { openArtifacts } from "../artifacts.ts";
import { openCompute } from "../compute/client.ts";
import { type HeadMove, openHeads } from "../heads.ts";
import { openStore } from "../store/store.ts";
import type { LocalChain } from "./chain.ts";

type Parameters = {
  deployment: Deployment;
  task: bigint;
  folder: string;
  first: Hex;
  store: string;
  manifest: string;
  model: string;
};

/** Builds the task's present head from its lineage and a store's artifacts; gives its file. */
export async function buildHead({ client }: LocalChain, parameters: Parameters): Promise<string> {
  const { deployment, task, folder, first, store, manifest, model } = parameters;
  const registry = { address: deployment.addresses.TaskRegistry, abi: abis.TaskRegistry } as const;
  const readMoves = async (): Promise<HeadMove[]> => {
    const logs = await client.getContractEvents({
      ...registry,
      eventName: "HeadMoved",
      args: { task },
      fromBlock: BigInt(deployment.block),
      strict: true,
    });
    return logs.map(({ args }) => ({ ...args, published: Number(args.published) }));
  };
  const [, , headId] = await client.readContract({ ...registry, functionName: "task", args: [task] });
  const compute = openCompute({
    settings: { manifest, model, device: "cpu", threads: 1 },
    limits: { silence: 60, limit: 600 },
  });
  try {
    const artifacts = openArtifacts({ store: await openStore(store), maxBytes: 2 ** 30, allowLoopback: true });
    const heads = openHeads({ dir: join(folder, "heads"), first, readMoves, artifacts, compute });
    return (await heads.build(headId, { endpoints: [] })).file;
  } finally {
    await compute.close();
  }
}
