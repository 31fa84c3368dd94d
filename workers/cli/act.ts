import { randomBytes } from "node:crypto";
import type { Chain } from "../chain/open.ts";
import type { OperatorConfig } from "../config.ts";
import { openOperatorChain, openOperatorKey } from "../operator.ts";
import type { Intent } from "../sender/intents.ts";
import type { OperatorKey } from "../sender/key.ts";
import { openSender } from "../sender/sender.ts";
import { confirm } from "./confirm.ts";
import { estimateCost, showCost } from "./cost.ts";
import { interruption } from "./interruption.ts";
import { configOf, type SigningOptions } from "./options.ts";
import { type JsonValue, type Report, showReport, type Terminal } from "./report.ts";
import { readToken, type Token } from "./token.ts";

export type Surroundings = { config: OperatorConfig; chain: Chain; token: Token };

/** What a verb wants, and what the user should know before it is signed. */
export type Plan = {
  intent: Intent;
  fields: [name: string, value: string][];
  /** What is said, with the result, once it is done. */
  done(result: Record<string, JsonValue>): string;
};

/**
 * The way of every verb that signs: makes a plan, says what it will do and cost, asks, sends, and tells what came of it. A worker of
 * the same operator that runs meanwhile waits for its turn with the key.
 */
export async function planAndSend(
  terminal: Terminal,
  options: SigningOptions,
  makePlan: (surroundings: Surroundings) => Promise<Plan>,
): Promise<void> {
  const config = await configOf(options);
  const chain = await openOperatorChain(config);
  const surroundings = { config, chain, token: await readToken(chain) };
  const { intent, fields, done } = await makePlan(surroundings);
  const key = await openKeyOf(terminal, config);
  const cost = await estimateCost(chain, key, intent);
  const plan: Report = { json: null, fields: [...fields, ["operator", key.address], ["cost", showCost(cost)]] };
  showReport({ ...terminal, write: terminal.tell }, plan, {});
  await confirm(terminal, options);

  using stop = interruption();
  const sender = openSender({ chain, key, dir: config.work });
  try {
    const { state, hash, block, result } = await sender.send(intent, { signal: stop.signal });
    const json = { state, transaction: hash ?? null, block: block === undefined ? null : Number(block), ...result };
    showReport(terminal, { json, lines: [done(result), ...(hash ? [`Transaction ${hash}.`] : [])] }, options);
  } finally {
    sender.close();
  }
}

async function openKeyOf(terminal: Terminal, config: OperatorConfig): Promise<OperatorKey> {
  const { ask } = terminal;
  return openOperatorKey(config, ask === undefined ? {} : { ask: (question) => ask(question, { hidden: true }) });
}

/** A name for an act that the chain cannot tell from another of its kind: a new one each time the command is given. */
export function freshId(): string {
  return `${new Date()
    .toISOString()
    .slice(0, 19)
    .replace(/[^0-9]/g, "")}-${randomBytes(4).toString("hex")}`;
}
