import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Address, createWalletClient, http, isAddressEqual, parseEther } from "viem";
import { hardhat } from "viem/chains";
import { audit } from "../../audit/audit.ts";
import { createTask } from "../../ignition/tasks/createTask.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { canonicalManifest, type Manifest, manifestDigest, parseManifest } from "../../protocol/manifest.ts";
import { defaultTerms, type Terms } from "../../protocol/terms.ts";
import { nameOf, Phase, Role } from "../../protocol/words.ts";
import { startGuarded } from "../processes/guardedChild.ts";
import { openQueueBackend } from "../queue/backend.ts";
import { openStore } from "../store/store.ts";
import { castOf, type Member } from "./cast.ts";
import { type LocalChain, startChain } from "./chain.ts";
import { driveClock } from "./clock.ts";
import { openSources, type Sources, writeOwn, writePublic } from "./data.ts";
import { deploySuite } from "./deploy.ts";
import type { Display } from "./display.ts";
import { evaluateHead } from "./evaluate.ts";
import { buildHead } from "./head.ts";
import { localManifest } from "./manifest.ts";
import { claimAll, createWallet, fundAndStake, type Operator } from "./operators.ts";
import type { LocalnetOptions } from "./options.ts";
import type { OperatorOutcome, Outcome, RoundOutcome } from "./outcome.ts";
import { readOutcome } from "./rounds.ts";
import { showOutcome, showRound, tokens } from "./tables.ts";
import { workerConfig } from "./workerConfig.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MODEL = join(ROOT, "models", "tiny");
const FLOCKCTL = join(ROOT, "workers", "cli", "flockctl.ts");

/** What a seat puts at risk, and what the creator pays for each round. */
const SEAT_STAKE = parseEther("100");
const POT_A_ROUND = parseEther("1000");
/** Each pool stakes this many times what its expected seats need. */
const POOL_DEPTH = 2n;

/** A folder of its own for this run, and `.flock/latest` to find it by. */
function newRunFolder(): string {
  const name = `run-${new Date().toISOString().replace(/[:.]/g, "-")}`;
  const folder = join(ROOT, ".flock", name);
  mkdirSync(join(folder, "logs"), { recursive: true });
  const latest = join(ROOT, ".flock", "latest");
  rmSync(latest, { force: true });
  symlinkSync(basename(folder), latest);
  return folder;
}

function termsOf({ rounds }: LocalnetOptions): Terms {
  return { ...defaultTerms, seatStake: SEAT_STAKE, rounds };
}

/** What one member stakes, so that its pool holds twice what its expected seats need. */
function stakeOf(member: Member, members: readonly Member[], terms: Terms): bigint {
  const expected = member.role === "trainer" ? terms.expectedTrainers : terms.expectedVoters;
  const peers = members.filter(({ role }) => role === member.role).length;
  return (POOL_DEPTH * BigInt(expected) * terms.seatStake) / BigInt(peers);
}

type Task = { task: bigint; manifest: Manifest; terms: Terms; files: { manifest: string; public: string } };

async function openTask(
  chain: LocalChain,
  deployment: Deployment,
  { folder, sources, options }: { folder: string; sources: Sources; options: LocalnetOptions },
): Promise<Task> {
  const files = { manifest: join(folder, "manifest.json"), public: join(folder, "public") };
  writePublic(sources, files.public);
  const recipe = localManifest({ model: MODEL, publicDir: files.public, text: options.data !== undefined });
  writeFileSync(files.manifest, `${JSON.stringify(recipe, null, 2)}\n`);
  const manifest = parseManifest(JSON.stringify(recipe));
  const terms = termsOf(options);
  const creator = createWalletClient({ chain: hardhat, transport: http(chain.url) });
  const [account] = await creator.getAddresses();
  const { task } = await createTask(
    {
      publicClient: chain.client,
      wallet: createWalletClient({ account: account as Address, chain: hardhat, transport: http(chain.url) }),
      deployment,
    },
    { manifest, terms, deposit: POT_A_ROUND * BigInt(options.rounds) },
  );
  return { task, manifest, terms, files };
}

/** Runs a whole task on this machine and gives all its figures. Whatever it started has ended when it returns or throws. */
export async function runLocalnet(options: LocalnetOptions, display: Display, signal: AbortSignal): Promise<Outcome> {
  const started = performance.now();
  const sources = openSources(options); // bad data is found before anything is started
  const folder = newRunFolder();
  const log = (name: string) => join(folder, "logs", `${name}.log`);
  await using stack = new AsyncDisposableStack();
  const attack = options.attackers > 0 ? options.attack : "none";

  const chain = await startChain({ log: log("chain") });
  stack.defer(() => chain.process.stop());
  display.step(`Local chain at ${chain.url}`);
  const deployment = await deploySuite({ url: chain.url, folder: join(folder, "ignition") });
  const deploymentFile = join(folder, "deployment.json");
  writeFileSync(deploymentFile, `${JSON.stringify(deployment, null, 2)}\n`);
  display.step(`Contracts deployed with Ignition, Rounds at ${deployment.addresses.Rounds}`);
  signal.throwIfAborted();

  const { task, manifest, terms, files } = await openTask(chain, deployment, { folder, sources, options });
  display.step(
    `Task ${task} opened: ${options.rounds} rounds, a pot of ${tokens(POT_A_ROUND * BigInt(options.rounds))} FLK`,
  );

  const members = castOf(options, [...sources.keys()]);
  const operators: Operator[] = [];
  for (const member of members) {
    const own = join(folder, member.name.replace(" ", "-"));
    writeOwn(sources, member, join(own, "data"), options);
    const wallet = await createWallet(member, own, stakeOf(member, members, terms));
    await fundAndStake(chain, deployment, task, wallet);
    operators.push(wallet.operator);
    display.progress("operators staked", operators.length, members.length);
    signal.throwIfAborted();
  }
  const dishonest = operators.filter(({ honest }) => !honest).map(({ name }) => name);
  const suffix = dishonest.length === 0 ? "" : `; not honest: ${dishonest.join(", ")}`;
  display.step(`${options.trainers} trainers and ${options.validators} validators staked${suffix}`);

  const queue = await openQueueBackend({ dir: join(folder, "queue") });
  stack.defer(() => queue.close());
  display.step(queue.kind === "redis" ? "Queue on Redis" : `Queue on ${queue.kind}, as there is no redis-server here`);

  for (const operator of operators) {
    const config = workerConfig({
      operator,
      chain,
      deploymentFile,
      task,
      files,
      model: MODEL,
      queue: queue.connection,
    });
    const file = join(operator.folder, "worker.json");
    writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
    const worker = await startGuarded({
      command: process.execPath,
      args: ["--disable-warning=ExperimentalWarning", FLOCKCTL, "worker", "--config", file],
      log: log(operator.name.replace(" ", "-")),
      restart: true, // as an operator's service manager would
    });
    stack.defer(() => worker.stop());
  }
  display.step(`${operators.length} workers started, one process each`);

  const isHonest = (address: Address) =>
    operators.find((operator) => isAddressEqual(operator.address, address))?.honest === true;
  const nameOfOperator = (address: string) =>
    operators.find((operator) => operator.address === address)?.name ?? address;
  const rounds: RoundOutcome[] = [];
  await driveClock(
    { ...chain, deployment, task },
    {
      parties: operators.map(({ address, role }) => ({
        operator: address,
        role: role === "trainer" ? Role.Trainer : Role.Validator,
      })),
      onProgress: ({ round, phase, done, expected }) => {
        if (!Number.isFinite(expected)) return;
        display.progress(`round ${round}: ${nameOf(Phase, phase).toLowerCase()}`, done, expected);
      },
      onRoundEnd: async (round) => {
        const outcome = await readOutcome({ client: chain.client, deployment, task }, round, isHonest);
        rounds.push(outcome);
        showRound(display, outcome, options.rounds, nameOfOperator);
      },
      signal,
    },
  );

  const earned = await claimAll(chain, deployment, task, operators);
  display.step("Pay claimed");
  const voter = operators.find(({ role, honest }) => role === "validator" && honest) as Operator;
  const store = join(voter.folder, "store"); // an honest voter holds every artifact that it scored
  await addRecipe(store, manifest);
  const report = await audit({ client: chain.client, deployment, task, store });
  display.step("History replayed and compared with the contracts");

  const head = await buildHead(chain, {
    ...{ deployment, task, folder, first: manifestDigest(manifest), store },
    ...{ manifest: files.manifest, model: MODEL },
  });
  const tests = new Map([...sources].map(([domain, split]) => [domain, split.test]));
  const evaluation = await evaluateHead({
    ...{ manifest: files.manifest, model: MODEL, head, tests },
    threads: availableParallelism(),
  });

  const attackerAccepted = rounds.some(({ proposals }) =>
    proposals.some(({ honest, verdict }) => !honest && verdict === "accepted"),
  );
  const outcome: Outcome = {
    seed: options.seed,
    attack,
    seconds: Math.round(performance.now() - started) / 1000,
    queue: queue.kind,
    rounds,
    domains: evaluation.domains,
    operators: await operatorOutcomes(chain, deployment, task, operators, earned),
    trigger: attack === "trigger" ? { ...evaluation.trigger, caught: !attackerAccepted } : null,
    audit: {
      events: report.events,
      differences: report.differences,
      headsChecked: report.heads?.checked ?? 0,
      headsUnchecked: report.heads?.unchecked ?? 0,
    },
    folder,
  };
  showOutcome(display, outcome);
  const { sample } = evaluation;
  display.line(
    `\nPrompt ${sample.prompt}\n  right answer  ${sample.right}\n  base          ${sample.base}\n  head          ${sample.head}`,
  );
  return outcome;
}

/** What an auditor needs besides artifacts to build heads: the manifest and the base model's shape. */
async function addRecipe(dir: string, manifest: Manifest): Promise<void> {
  const store = await openStore(dir);
  await store.put(Buffer.from(canonicalManifest(manifest)));
  await store.put(readFileSync(join(MODEL, "config.json")));
}

async function operatorOutcomes(
  { client }: LocalChain,
  deployment: Deployment,
  task: bigint,
  operators: readonly Operator[],
  earned: ReadonlyMap<Address, bigint>,
): Promise<OperatorOutcome[]> {
  return Promise.all(
    operators.map(async ({ name, address, role, honest, stake }) => {
      const { active, joining, leaving, left } = await client.readContract({
        address: deployment.addresses.Staking,
        abi: abis.Staking,
        functionName: "account",
        args: [task, address],
      });
      const stakeAfter = active + joining + leaving + left;
      return {
        name,
        operator: address,
        role,
        honest,
        stakeBefore: stake,
        stakeAfter,
        earned: earned.get(address) ?? 0n,
      };
    }),
  );
}
