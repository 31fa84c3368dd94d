import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Deployment, parseDeployment } from "../protocol/deployment.ts";
import { ExitCode, PermanentError } from "../protocol/errors.ts";
import { abis } from "../protocol/generated/abis.ts";
import { reach } from "./chain/failure.ts";
import { readEvents } from "./chain/logs.ts";
import { type Chain, openChain } from "./chain/open.ts";
import { type Compute, openCompute } from "./compute/client.ts";
import { requireProgram } from "./compute/process.ts";
import type { AccountConfig, OperatorConfig } from "./config.ts";
import type { HeadMove } from "./heads.ts";
import { checkModel, type Materials, readMaterials } from "./materials.ts";
import { openResults } from "./results.ts";
import { isOwn, type OperatorKey } from "./sender/key.ts";
import { type OpenKeyOptions, openKey } from "./sender/openKey.ts";
import { readSecret } from "./sender/secret.ts";
import type { Identity } from "./work.ts";

/** Opens the way to the operator's chain. @throws FlockError if the deployment is wrong, or the chain another or silent. */
export async function openOperatorChain({ deployment: file, rpcUrls, chainId }: AccountConfig): Promise<Chain> {
  return openChain({ rpcUrls, chainId, deployment: await readDeploymentFile(file) });
}

async function readDeploymentFile(file: string): Promise<Deployment> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new PermanentError(`The deployment file ${file} cannot be read: ${(cause as Error).message}.`, { cause });
  }
  return parseDeployment(text, file);
}

/** Opens the key that a configuration names: the operator's own, its signer's with the operator's secret, or a delegator's. */
export async function openConfiguredKey(
  { key, operator, secret: file }: AccountConfig,
  options: OpenKeyOptions = {},
): Promise<OperatorKey> {
  const secret = file === undefined ? undefined : await readSecret(file);
  return openKey(key, { ...options, acting: { operator, secret } });
}

/**
 * Opens the key that works for the operator: its own, or its signer's.
 * @throws PermanentError (usage) if it is somebody else's.
 */
export async function openOperatorKey(config: AccountConfig, options: OpenKeyOptions = {}): Promise<OperatorKey> {
  const key = await openConfiguredKey(config, options);
  if (isOwn(key) || config.secret !== undefined) return key;
  throw new PermanentError(
    `The key is ${key.address}'s, but the configuration is of the operator ${config.operator}: ` +
      'to sign for it, name the file of its secret as "secret" (flockctl signer secret).',
    { exitCode: ExitCode.usage },
  );
}

/** The task's recipe, checked against the chain and the files on this machine. */
export async function openTask(
  chain: Chain,
  config: OperatorConfig,
): Promise<{ materials: Materials; identity: Identity }> {
  const materials = await readMaterials(config);
  const { Rounds, TaskRegistry } = chain.deployment.addresses;
  const { task, operator } = config;
  const [, digest] = await reach(`reading task ${task}`, () =>
    chain.client.readContract({ address: TaskRegistry, abi: abis.TaskRegistry, functionName: "task", args: [task] }),
  );
  if (digest !== materials.digest) {
    throw new PermanentError(
      `The manifest ${config.manifest} has the digest ${materials.digest}, but task ${task} was created with ${digest}: get that one.`,
    );
  }
  await checkModel(materials.manifest, config.model, openResults(join(config.work, "results")));
  return {
    materials,
    identity: { genesis: chain.genesis, rounds: Rounds, task, manifest: materials.digest, operator },
  };
}

/** Every move of a task's head so far, in order. */
export async function readMoves(chain: Chain, task: bigint): Promise<HeadMove[]> {
  const toBlock = await reach("reading the newest block", () => chain.client.getBlockNumber());
  const logs = await readEvents(chain, {
    contract: "TaskRegistry",
    event: "HeadMoved",
    args: { task },
    fromBlock: BigInt(chain.deployment.block),
    toBlock,
  });
  return logs.map(({ args }) => ({ ...args, published: Number(args.published) }));
}

/** The compute process as the configuration wants it. @throws PermanentError (usage) if there is no such program. */
export function openOperatorCompute(
  { manifest, model, work, compute }: OperatorConfig,
  onLine?: (line: string) => void,
): Compute {
  const { program, device, gpu, threads, spinning, weights, silence, limit, memory } = compute;
  if (program !== undefined) requireProgram(program);
  return openCompute({
    settings: {
      ...{ manifest, model, device, gpu: [gpu].flat(), threads, spinning, weights },
      ...{ graphs: join(work, "graphs"), memory },
    },
    program,
    limits: { silence, limit, memory },
    onLine,
  });
}
