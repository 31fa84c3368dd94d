import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Address, Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { abis } from "../../protocol/generated/abis.ts";
import type { Role } from "../../protocol/words.ts";
import type { LocalChain, TestAccount } from "./localChain.ts";
import { FLK, someTerms } from "./terms.ts";
import type { TinyTask } from "./tinyTask.ts";

const flockctlFile = fileURLToPath(new URL("../../workers/cli/flockctl.ts", import.meta.url));

/** A funded task for one trainer and one voter, both with the certainty of a seat; its number. */
export async function openWorkerTask({ client, deployment, accounts }: LocalChain, digest: Hex): Promise<bigint> {
  const terms = someTerms({ expectedTrainers: 1, expectedVoters: 1, rounds: 2 });
  const { TaskRegistry, RewardDistributor, FlockToken, Staking } = deployment.addresses;
  const send = async (parameters: Parameters<typeof client.writeContract>[0]) => {
    await client.waitForTransactionReceipt({ hash: await client.writeContract(parameters) });
  };
  const task = 1n;
  const registry = { address: TaskRegistry, abi: abis.TaskRegistry } as const;
  await send({ ...registry, functionName: "createTask", args: [terms, digest] });
  const token = { address: FlockToken, abi: abis.FlockToken } as const;
  await send({ ...token, functionName: "approve", args: [Staking, 2000n * FLK] });
  await send({
    address: RewardDistributor,
    abi: abis.RewardDistributor,
    functionName: "fund",
    args: [task, 2000n * FLK],
  });
  for (const { address } of accounts.slice(1)) {
    await send({ ...token, functionName: "transfer", args: [address, 1000n * FLK] });
  }
  return task;
}

/** Stakes in an operator's own name, without any tool of ours. */
export async function stakeFor(
  { client, deployment }: LocalChain,
  { privateKey }: TestAccount,
  { task, role, amount }: { task: bigint; role: Role; amount: bigint },
): Promise<void> {
  const account = privateKeyToAccount(privateKey);
  const { FlockToken, Staking } = deployment.addresses;
  const token = { address: FlockToken, abi: abis.FlockToken } as const;
  const staking = { address: Staking, abi: abis.Staking } as const;
  const mined = (hash: Hex) => client.waitForTransactionReceipt({ hash });
  await mined(await client.writeContract({ ...token, account, functionName: "approve", args: [Staking, amount] }));
  await mined(await client.writeContract({ ...staking, account, functionName: "stake", args: [task, role, amount] }));
}

/** Writes an operator's configuration and its key's file name; gives the configuration's file. */
export async function writeOperatorConfig(
  folder: string,
  { chain, task, tiny, operator }: { chain: LocalChain; task: bigint; tiny: TinyTask; operator: Address },
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "deployment.json"), JSON.stringify(chain.deployment));
  const config = {
    rpcUrls: [chain.url],
    chainId: chain.chainId,
    deployment: "deployment.json",
    task: String(task),
    operator,
    key: { env: "OPERATOR_KEY" },
    manifest: tiny.manifestFile,
    model: tiny.model,
    data: { public: tiny.publicData, train: tiny.trainData, private: tiny.privateData },
    store: { allowLoopback: true, patience: 5 },
    training: { steps: 4, batch: 8, learningRate: 0.01 },
    pollSeconds: 0.3,
    stagger: 1,
  };
  const file = join(folder, "operator.json");
  await writeFile(file, JSON.stringify(config));
  return file;
}

/** The same for an account that only signs: nothing of model and data. */
export async function writeAccountConfig(
  folder: string,
  { chain, task, operator }: { chain: LocalChain; task: bigint; operator: Address },
  more: object = {},
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "deployment.json"), JSON.stringify(chain.deployment));
  const { url, chainId } = chain;
  const place = { rpcUrls: [url], chainId, deployment: "deployment.json", task: String(task), operator };
  const file = join(folder, "account.json");
  await writeFile(file, JSON.stringify({ ...place, key: { env: "OPERATOR_KEY" }, ...more }));
  return file;
}

export type Ran = { code: number | null; stdout: string; stderr: string };
export type RunningCommand = {
  pid: number;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ran>;
  soFar(): string /** Reads no more of its answer. */;
  hangUp(): void;
};

/** Starts flockctl with an operator's key in its environment. Its standard input is closed: nobody can be asked. */
export function startFlockctl(args: string[], env: Record<string, string> = {}): RunningCommand {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", flockctlFile, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  return {
    pid: child.pid as number,
    kill: (signal) => child.kill(signal),
    ended: once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr })),
    soFar: () => stdout + stderr,
    hangUp: () => child.stdout.destroy(),
  };
}

export function flockctl(args: string[], env: Record<string, string> = {}): Promise<Ran> {
  return startFlockctl(args, env).ended;
}

/** What a worker says of itself; undefined before its first word. */
export async function readStatus(folder: string): Promise<Record<string, unknown> | undefined> {
  return readFile(join(folder, "work", "status.json"), "utf8").then(JSON.parse, () => undefined);
}
