import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Address, createWalletClient, http, parseEther } from "viem";
import { hardhat } from "viem/chains";
import { createTask } from "../../ignition/tasks/createTask.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { canonicalManifest, type Manifest, parseManifest } from "../../protocol/manifest.ts";
import { defaultTerms, type Terms } from "../../protocol/terms.ts";
import { openStore } from "../store/store.ts";
import { type LocalChain, startChain } from "./chain.ts";
import { type Sources, writePublic } from "./data.ts";
import { deploySuite } from "./deploy.ts";
import type { Display } from "./display.ts";
import { localManifest } from "./manifest.ts";
import type { LocalnetOptions } from "./options.ts";
import { tokens } from "./tables.ts";

/** The base model that every local network fine-tunes. */
export const MODEL = fileURLToPath(new URL("../../models/tiny", import.meta.url));

/** What a seat puts at risk, and what the creator pays for each round. */
const SEAT_STAKE = parseEther("100");
const POT_A_ROUND = parseEther("1000");

/** A chain with the contracts and one open task, and the files that describe it. */
export type Network = {
  chain: LocalChain;
  deployment: Deployment;
  task: bigint;
  manifest: Manifest;
  terms: Terms;
  files: { deployment: string; manifest: string; public: string };
};

type Parameters = {
  options: LocalnetOptions;
  sources: Sources;
  /** The run's folder. */
  folder: string;
  display: Display;
  stack: AsyncDisposableStack;
};

/** Starts a chain, deploys on it and opens a task. The chain ends with the stack. */
export async function openNetwork({ options, sources, folder, display, stack }: Parameters): Promise<Network> {
  const files = {
    deployment: join(folder, "deployment.json"),
    manifest: join(folder, "manifest.json"),
    public: join(folder, "public"),
  };
  const chain = await startChain({ log: join(folder, "logs", "chain.log") });
  stack.defer(() => chain.process.stop());
  display.step(`Local chain at ${chain.url}`);

  const deployment = await deploySuite({ url: chain.url, folder: join(folder, "ignition") });
  writeFileSync(files.deployment, `${JSON.stringify(deployment, null, 2)}\n`);
  display.step(`Contracts deployed with Ignition, Rounds at ${deployment.addresses.Rounds}`);

  writePublic(sources, files.public);
  const text = options.data !== undefined;
  const manifest = parseManifest(JSON.stringify(localManifest({ model: MODEL, publicDir: files.public, text })));
  writeFileSync(files.manifest, `${JSON.stringify(manifest, null, 2)}\n`);

  const terms = { ...defaultTerms, seatStake: SEAT_STAKE, rounds: options.rounds };
  const deposit = POT_A_ROUND * BigInt(options.rounds);
  const transport = http(chain.url);
  const [account] = await createWalletClient({ chain: hardhat, transport }).getAddresses();
  const wallet = createWalletClient({ account: account as Address, chain: hardhat, transport });
  const connection = { publicClient: chain.client, wallet, deployment };
  const { task } = await createTask(connection, { manifest, terms, deposit });
  display.step(`Task ${task} opened: ${options.rounds} rounds, a pot of ${tokens(deposit)} FLK`);
  return { chain, deployment, task, manifest, terms, files };
}

/** Adds to a store of artifacts what an auditor needs besides them: the manifest and the base model's shape. */
export async function addRecipe(dir: string, manifest: Manifest): Promise<void> {
  const store = await openStore(dir);
  await store.put(Buffer.from(canonicalManifest(manifest)));
  await store.put(readFileSync(join(MODEL, "config.json")));
}
