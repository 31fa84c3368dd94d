import { join } from "node:path";
import type { Hex } from "viem";
import { abis } from "../../protocol/generated/abis.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { openArtifacts } from "../artifacts.ts";
import { openEndpoints } from "../chain/endpoints.ts";
import { reach } from "../chain/failure.ts";
import type { OperatorConfig } from "../config.ts";
import { type BuiltHead, type HeadMove, openHeads } from "../heads.ts";
import { openOperatorChain, openOperatorCompute, openTask, readMoves } from "../operator.ts";
import { openStore } from "../store/store.ts";

export type CurrentHead = BuiltHead & { headId: Hex; moves: HeadMove[]; manifest: Manifest; manifestDigest: Hex };

/**
 * Builds the head that a task has reached, from the lineage on the chain and the artifacts of whoever serves them.
 * @throws FlockError if the chain or an artifact cannot be reached, or files are not the task's.
 */
export async function buildCurrentHead(config: OperatorConfig, signal: AbortSignal): Promise<CurrentHead> {
  const chain = await openOperatorChain(config);
  const { materials } = await openTask(chain, config);
  const { manifest, digest, artifactBytes } = materials;
  const [[, , headId], block] = await reach(`reading task ${config.task}`, () =>
    Promise.all([
      chain.client.readContract({
        address: chain.deployment.addresses.TaskRegistry,
        abi: abis.TaskRegistry,
        functionName: "task",
        args: [config.task],
      }),
      chain.client.getBlockNumber(),
    ]),
  );
  const moves = await readMoves(chain, config.task);
  const endpoints = [...(await openEndpoints(chain, config.task).at(block)).values()].filter(
    (endpoint) => endpoint !== "",
  );
  const compute = openOperatorCompute(config);
  try {
    const artifacts = openArtifacts({
      store: await openStore(config.store.dir),
      maxBytes: artifactBytes,
      allowLoopback: config.store.allowLoopback,
    });
    const dir = join(config.work, "heads");
    const heads = openHeads({ dir, first: digest, readMoves: async () => moves, artifacts, compute });
    const built = await heads.build(headId, { endpoints, signal });
    return { ...built, headId, moves, manifest, manifestDigest: digest };
  } finally {
    await compute.close();
  }
}
