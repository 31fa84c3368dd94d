import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { nameOf, Phase, Role } from "../../protocol/words.ts";
import { readRound } from "../chain/round.ts";
import type { RoundView } from "../chain/roundView.ts";
import type { OperatorConfig } from "../config.ts";
import { openOperatorChain } from "../operator.ts";
import { statusFileOf, type WorkerStatus } from "../status.ts";
import { configOf, type OperatorOptions, operatorVerb } from "./options.ts";
import { type JsonValue, type Report, showReport, type Terminal } from "./report.ts";
import { duration, moment } from "./times.ts";
import { readToken, type Token } from "./token.ts";

/** `flockctl status`: where the task, the operator's account and its worker stand. Signs nothing, needs no key. */
export function statusCommand(terminal: Terminal): Command {
  return operatorVerb(
    "status",
    "show where the task, your account and your worker stand; needs no key",
    "flockctl status --config operator.json",
  ).action(async (options: OperatorOptions) => {
    const config = await configOf(options);
    const chain = await openOperatorChain(config);
    const [view, token, worker] = await Promise.all([
      readRound(chain, config.task, config.operator),
      readToken(chain),
      readWorker(config),
    ]);
    showReport(terminal, statusReport(view, token, worker), options);
  });
}

type Worker = { running: boolean; status: WorkerStatus } | undefined;

function statusReport(view: RoundView, token: Token, worker: Worker): Report {
  const { account, purse } = view;
  const now = view.block.timestamp;
  const ends = view.phaseEndsAt > 0 ? `, ends in ${duration(Math.max(0, view.phaseEndsAt - now))}` : "";
  const phase = `${nameOf(Phase, view.phase)}${ends}`;
  const role = view.role === undefined ? "no stake" : nameOf(Role, view.role);
  const fields: [string, string][] = [
    ["task", `${view.task}${view.closed ? ", closed" : ""}, ${view.roundsLeft} of ${view.terms.rounds} rounds left`],
    ["pot", `${token.show(purse.pot)} and ${token.show(purse.incoming)} to come`],
    ["head", `${view.headId} (after ${view.heads} moves)`],
    ["round", view.open ? `${view.round}: ${phase}` : `none open after ${view.round}`],
    ["sealed", `${view.sealedProposals} proposals, ${view.sealedBallots} ballots (${view.revealedBallots} revealed)`],
    ["operator", `${view.operator}, ${role}`],
    ["stake", `${token.show(account.active)} active, ${token.show(account.joining)} joining`],
    ["leaving", leaving(view, token)],
    ["earned", `${token.show(account.claimable)} to claim`],
  ];
  if (view.open) {
    fields.push(["seats", `${view.seats}; proposal ${view.proposal.state}, ballot ${view.ballot.state}`]);
  }
  fields.push(["worker", workerLine(worker)]);
  const error = worker?.status.lastError;
  if (error) fields.push(["last error", `${error.at}: ${error.message}`]);
  const due = worker?.running ? worker.status.duties : [];
  return {
    json: { ...(plain(view) as Record<string, JsonValue>), worker: worker === undefined ? null : plain(worker) },
    fields,
    ...(due.length > 0 && { table: { head: ["duty", "job"], rows: due.map(({ id, status }) => [id, status]) } }),
  };
}

function leaving({ account }: RoundView, token: Token): string {
  const amount = account.leaving + account.left;
  return amount === 0n ? token.show(0n) : `${token.show(amount)}, free at ${moment(account.unlockAt)}`;
}

function workerLine(worker: Worker): string {
  if (worker === undefined) return "never started in this work folder";
  const { pid, queue, store, work, seen } = worker.status;
  if (!worker.running) return `not running; last seen ${seen?.at ?? "never"}`;
  const busy = work === null ? "idle" : `${work.id} ${work.done}/${work.total}`;
  return `process ${pid}, ${busy}, queue on ${queue}, store at ${store ?? "nowhere"}`;
}

async function readWorker({ work }: OperatorConfig): Promise<Worker> {
  try {
    const status = JSON.parse(await readFile(statusFileOf(work, ["scheduler"]), "utf8")) as WorkerStatus;
    return { running: isRunning(status.pid), status };
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A value as JSON: bigints as decimal strings, what is undefined as null. */
function plain(value: unknown): JsonValue {
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      each === undefined ? null : typeof each === "bigint" ? String(each) : each,
    ),
  ) as JsonValue;
}
