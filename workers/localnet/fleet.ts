import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Terms } from "../../protocol/terms.ts";
import { startGuarded } from "../processes/guardedChild.ts";
import { openQueueBackend } from "../queue/backend.ts";
import type { QueueKind } from "../queue/types.ts";
import { castOf, type Member } from "./cast.ts";
import { type Sources, writeOwn } from "./data.ts";
import type { Display } from "./display.ts";
import { MODEL, type Network } from "./network.ts";
import { createWallet, fundAndStake, type Operator } from "./operators.ts";
import type { LocalnetOptions } from "./options.ts";
import { workerConfig } from "./workerConfig.ts";

const FLOCKCTL = fileURLToPath(new URL("../cli/flockctl.ts", import.meta.url));

/** Each pool stakes this many times what its expected seats need. */
const POOL_DEPTH = 2n;

type Parameters = {
  options: LocalnetOptions;
  sources: Sources;
  folder: string;
  display: Display;
  stack: AsyncDisposableStack;
  signal: AbortSignal;
};

/** What one member stakes: the pool's depth is shared out equally. */
function stakeOf(member: Member, members: readonly Member[], terms: Terms): bigint {
  const expected = member.role === "trainer" ? terms.expectedTrainers : terms.expectedVoters;
  const peers = members.filter(({ role }) => role === member.role).length;
  return (POOL_DEPTH * BigInt(expected) * terms.seatStake) / BigInt(peers);
}

/** Gives every member its data and its wallet, and stakes for it. */
export async function stakeOperators(
  network: Network,
  { options, sources, folder, display, signal }: Parameters,
): Promise<Operator[]> {
  const members = castOf(options, [...sources.keys()]);
  const operators: Operator[] = [];
  for (const member of members) {
    signal.throwIfAborted();
    const own = join(folder, member.name.replace(" ", "-"));
    writeOwn(sources, member, join(own, "data"), options);
    const wallet = await createWallet(member, own, stakeOf(member, members, network.terms));
    await fundAndStake(network, wallet);
    operators.push(wallet.operator);
    display.progress("operators staked", operators.length, members.length);
  }
  const dishonest = operators.filter(({ honest }) => !honest).map(({ name }) => name);
  const whoLies = dishonest.length === 0 ? "" : `; not honest: ${dishonest.join(", ")}`;
  display.step(`${options.trainers} trainers and ${options.validators} validators staked${whoLies}`);
  return operators;
}

/** Starts one worker process for each operator, and the queue they share. All of them end with the stack. */
export async function startWorkers(
  network: Network,
  operators: readonly Operator[],
  { folder, display, stack, signal }: Parameters,
): Promise<QueueKind> {
  const queue = await openQueueBackend({ dir: join(folder, "queue") });
  stack.defer(() => queue.close());
  display.step(queue.kind === "redis" ? "Queue on Redis" : `Queue on ${queue.kind}, for there is no redis-server here`);

  for (const operator of operators) {
    signal.throwIfAborted();
    const file = join(operator.folder, "worker.json");
    const config = workerConfig({ operator, network, model: MODEL, queue: queue.connection });
    writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
    const worker = await startGuarded({
      command: process.execPath,
      args: ["--disable-warning=ExperimentalWarning", FLOCKCTL, "worker", "--config", file],
      log: join(folder, "logs", `${operator.name.replace(" ", "-")}.log`),
      restart: true, // as an operator's service manager would
    });
    stack.defer(() => worker.stop());
  }
  display.step(`${operators.length} workers started, one process each`);
  return queue.kind;
}
