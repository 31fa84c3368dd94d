import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Address, isAddressEqual } from "viem";
import { audit } from "../../audit/audit.ts";
import { nameOf, Phase, Role } from "../../protocol/words.ts";
import { buildCurrentHead } from "../cli/currentHead.ts";
import { readConfig } from "../config.ts";
import { driveClock } from "./clock.ts";
import { openSources, type Sources } from "./data.ts";
import type { Display } from "./display.ts";
import { type Evaluation, evaluateHead } from "./evaluate.ts";
import { stakeOperators, startWorkers } from "./fleet.ts";
import { addRecipe, MODEL, type Network, openNetwork } from "./network.ts";
import { claimAll, type Operator, operatorOutcomes } from "./operators.ts";
import type { LocalnetOptions } from "./options.ts";
import type { Outcome, RoundOutcome } from "./outcome.ts";
import { readOutcome } from "./rounds.ts";
import { showOutcome, showRound, showSample } from "./tables.ts";

const RUNS = fileURLToPath(new URL("../../.flock", import.meta.url));

/** A folder of its own for this run, and `.flock/latest` to find it by. */
function newRunFolder(): string {
  const folder = join(RUNS, `run-${new Date().toISOString().replace(/[:.]/g, "-")}`);
  mkdirSync(join(folder, "logs"), { recursive: true });
  const latest = join(RUNS, "latest");
  rmSync(latest, { force: true });
  symlinkSync(basename(folder), latest);
  return folder;
}

/** Plays all rounds of the task: the workers act, the clock jumps; shows how far they are and how each round ended. */
async function playRounds(
  network: Network,
  operators: readonly Operator[],
  { display, total, signal }: { display: Display; total: number; signal: AbortSignal },
): Promise<RoundOutcome[]> {
  const named = new Map<string, string>(operators.map((operator) => [operator.address, operator.name]));
  const isHonest = (address: Address) => operators.some((one) => one.honest && isAddressEqual(one.address, address));
  const parties = operators.map(({ address, role }) => ({
    operator: address,
    role: role === "trainer" ? Role.Trainer : Role.Validator,
  }));
  const rounds: RoundOutcome[] = [];
  await driveClock(network, {
    parties,
    onProgress: ({ round, phase, done, expected }) => {
      if (!Number.isFinite(expected)) return;
      display.progress(`round ${round}: ${nameOf(Phase, phase).toLowerCase()}`, done, expected);
    },
    onRoundEnd: async (round) => {
      const outcome = await readOutcome(network, round, isHonest);
      rounds.push(outcome);
      showRound(display, outcome, total, (operator) => named.get(operator) ?? operator);
    },
    signal,
  });
  return rounds;
}

/** Builds the head as an honest validator would, and measures it on test examples. */
async function measureHead(
  network: Network,
  voter: Operator,
  sources: Sources,
  signal: AbortSignal,
): Promise<Evaluation> {
  const head = await buildCurrentHead(await readConfig(join(voter.folder, "worker.json")), signal);
  return evaluateHead({
    manifest: network.files.manifest,
    model: MODEL,
    head: head.file,
    tests: new Map([...sources].map(([domain, { test }]) => [domain, test])),
    threads: availableParallelism(),
  });
}

/** Runs a whole task on this machine and gives all its figures. What it started has ended when it returns or throws. */
export async function runLocalnet(options: LocalnetOptions, display: Display, signal: AbortSignal): Promise<Outcome> {
  const started = performance.now();
  const sources = openSources(options); // bad data is found before anything is started
  const folder = newRunFolder();
  await using stack = new AsyncDisposableStack();
  const parameters = { options, sources, folder, display, stack, signal };

  const network = await openNetwork(parameters);
  const operators = await stakeOperators(network, parameters);
  const queue = await startWorkers(network, operators, parameters);
  const rounds = await playRounds(network, operators, { display, total: options.rounds, signal });

  const earned = await claimAll(network, operators);
  display.step("Pay claimed");
  const voter = operators.find(({ role, honest }) => role === "validator" && honest) as Operator;
  const store = join(voter.folder, "store"); // an honest voter holds every artifact that it scored
  await addRecipe(store, network.manifest);
  const { deployment, task } = network;
  const { events, differences, heads } = await audit({ client: network.chain.client, deployment, task, store });
  display.step("History replayed and compared with the contracts");

  const evaluation = await measureHead(network, voter, sources, signal);
  const poisoned = rounds.flatMap(({ proposals }) => proposals.filter(({ honest }) => !honest));
  const caught = !poisoned.some(({ verdict }) => verdict === "accepted");
  const outcome: Outcome = {
    seed: options.seed,
    attack: options.attackers > 0 ? options.attack : "none",
    seconds: Math.round(performance.now() - started) / 1000,
    queue,
    rounds,
    domains: evaluation.domains,
    operators: await operatorOutcomes(network, operators, earned),
    trigger: options.attackers > 0 && options.attack === "trigger" ? { ...evaluation.trigger, caught } : null,
    audit: { events, differences, headsChecked: heads?.checked ?? 0, headsUnchecked: heads?.unchecked ?? 0 },
    folder,
  };
  showOutcome(display, outcome);
  showSample(display, evaluation.sample);
  return outcome;
}
