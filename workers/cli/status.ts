import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { Address } from "viem";
import type { Engine } from "../../learning/validate/report.ts";
import { nameOf, Phase, Role } from "../../protocol/words.ts";
import { type PoolView, type PositionView, readPool, readPosition, readSigner } from "../chain/accounts.ts";
import { reach } from "../chain/failure.ts";
import type { Chain } from "../chain/open.ts";
import { readRound } from "../chain/round.ts";
import type { RoundView } from "../chain/roundView.ts";
import type { AccountConfig } from "../config.ts";
import { openOperatorChain } from "../operator.ts";
import { statusFileOf, type WorkerStatus } from "../status.ts";
import { ownerOf } from "./act.ts";
import { accountConfigOf, type OperatorOptions, operatorVerb, parseAddress } from "./options.ts";
import { type JsonValue, percent, type Report, showReport, type Terminal } from "./report.ts";
import { duration, moment } from "./times.ts";
import { readToken, type Token } from "./token.ts";

/** `flockctl status`: where the task, the operator's account and its worker stand. Signs nothing, needs no key. */
export function statusCommand(terminal: Terminal): Command {
  return operatorVerb(
    "status",
    "show where the task, your account and your worker stand; needs no key",
    "flockctl status --config operator.json",
  )
    .option("--operator <address>", "of another operator than the configuration's")
    .option("--owner <address>", "show what this account delegated to the operator; the configuration's by default")
    .action(async (options: OperatorOptions & { operator?: string; owner?: string }) => {
      const config = await accountConfigOf(options);
      const owner = options.owner === undefined ? await readOwner(config) : parseAddress("--owner", options.owner);
      const chain = await openOperatorChain(config);
      const { task, operator } = config;
      const [view, others, token, worker] = await Promise.all([
        readRound(chain, task, operator),
        reach(`reading the delegations of task ${task}`, () => readOthers(chain, task, operator, owner)),
        readToken(chain),
        readWorker(config),
      ]);
      showReport(terminal, statusReport(view, others, token, worker), options);
    });
}

type Others = Awaited<ReturnType<typeof readOthers>>;

/** Who else has to do with the operator: its signer, its delegators, and the owner if that is one of them. */
async function readOthers(chain: Chain, task: bigint, operator: Address, owner: Address) {
  const [signer, delegated, position] = await Promise.all([
    readSigner(chain, task, operator),
    readPool(chain, task, operator),
    owner === operator ? undefined : readPosition(chain, task, operator, owner),
  ]);
  return { signer, delegated, owner, position };
}

/** Whoever the configuration speaks for; the operator where the key is not at hand, for status must need none. */
async function readOwner(config: AccountConfig): Promise<Address> {
  return ownerOf(config).catch(() => config.operator);
}

type Worker = { running: boolean; status: WorkerStatus } | undefined;

function statusReport(view: RoundView, others: Others, token: Token, worker: Worker): Report {
  const { account, purse } = view;
  const now = view.block.timestamp;
  const ends = view.phaseEndsAt > 0 ? `, ends in ${duration(Math.max(0, view.phaseEndsAt - now))}` : "";
  const phase = `${nameOf(Phase, view.phase)}${ends}`;
  const fields: [string, string][] = [
    [
      "task",
      `${view.task}${view.closed ? ", closed" : ""}, ${view.roundsLeft} of ${view.terms.rounds} rounds left${view.closable ? ", may be closed" : ""}`,
    ],
    ["pot", `${token.show(purse.pot)} and ${token.show(purse.incoming)} to come`],
    ["head", `${view.headId} (after ${view.heads} moves)`],
    ["round", view.open ? `${view.round}: ${phase}` : `none open after ${view.round}`],
    ["sealed", `${view.sealedProposals} proposals, ${view.sealedBallots} ballots (${view.revealedBallots} revealed)`],
    ["operator", `${view.operator}, ${partOf(view)}`],
    ["signer", others.signer ?? "none: its own key alone acts"],
    ["stake", `${token.show(account.active)} active, ${token.show(account.joining)} joining`],
    ["leaving", leaving(account, token)],
    ["earned", `${token.show(account.claimable)} to claim`],
    ["delegated", delegations(others.delegated, token)],
  ];
  const { owner, position } = others;
  if (position !== undefined) {
    const { active, joining, claimable } = position;
    fields.push(
      ["delegator", `${owner}: ${token.show(active)} active, ${token.show(joining)} joining`],
      ["its leaving", leaving(position, token)],
      ["its earned", `${token.show(claimable)} to claim`],
    );
  }
  if (view.open) {
    fields.push([
      "seats",
      `${view.seats ?? "not known yet"}; proposal ${view.proposal.state}, ballot ${view.ballot.state}`,
    ]);
  }
  fields.push(["worker", workerLine(worker)]);
  const engine = worker?.status.engine;
  if (engine) fields.push(["computes on", engineLine(engine)]);
  const error = worker?.status.lastError;
  if (error) fields.push(["last error", `${error.at}: ${error.message}`]);
  const due = worker?.running ? worker.status.duties : [];
  return {
    json: {
      ...(plain(view) as Record<string, JsonValue>),
      ...(plain(others) as Record<string, JsonValue>),
      worker: worker === undefined ? null : plain(worker),
    },
    fields,
    ...(due.length > 0 && { table: { head: ["duty", "job"], rows: due.map(({ id, status }) => [id, status]) } }),
  };
}

function leaving(
  { leaving: exposed, left, unlockAt }: Pick<PositionView, "leaving" | "left" | "unlockAt">,
  token: Token,
) {
  const amount = exposed + left;
  return amount === 0n ? token.show(0n) : `${token.show(amount)}, free at ${moment(unlockAt)}`;
}

function delegations({ accepts, active, joining, commissionBps }: PoolView, token: Token): string {
  if (!accepts) return "not accepted";
  return `${token.show(active)} active, ${token.show(joining)} joining, for ${percent(commissionBps)} of the rewards`;
}

/** What the operator staked in and, where roles are drawn, what it is in the open round. */
function partOf({ pool, role, open }: RoundView): string {
  if (pool === undefined) return "no stake";
  if (pool !== Role.Drawn) return nameOf(Role, pool);
  return open ? `drawn: ${role === undefined ? "not known yet" : nameOf(Role, role)}` : "in the one pool";
}

function workerLine(worker: Worker): string {
  if (worker === undefined) return "never started in this work folder";
  const { pid, queue, store, work, seen } = worker.status;
  if (!worker.running) return `not running; last seen ${seen?.at ?? "never"}`;
  const busy = work === null ? "idle" : `${work.id} ${work.done}/${work.total}`;
  return `process ${pid}, ${busy}, queue on ${queue}, store at ${store ?? "nowhere"}`;
}

function engineLine({ provider, gpu, name, runtime }: Engine): string {
  return `${name}${gpu === undefined ? "" : ` (GPU ${gpu})`}, ${provider} of ONNX Runtime ${runtime}`;
}

async function readWorker({ work }: AccountConfig): Promise<Worker> {
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
