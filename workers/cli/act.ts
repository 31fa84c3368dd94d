import { randomBytes } from "node:crypto";
import type { Address } from "viem";
import type { Chain } from "../chain/open.ts";
import type { AccountConfig } from "../config.ts";
import { openConfiguredKey, openOperatorChain } from "../operator.ts";
import type { Intent } from "../sender/intents.ts";
import type { OperatorKey } from "../sender/key.ts";
import { addressOfKey } from "../sender/openKey.ts";
import { openSender } from "../sender/sender.ts";
import { confirm } from "./confirm.ts";
import { estimateCost, showCost } from "./cost.ts";
import { interruption } from "./interruption.ts";
import { accountConfigOf, parseAddress, type SigningOptions } from "./options.ts";
import { type JsonValue, type Report, showReport, type Terminal } from "./report.ts";
import { readToken, type Token } from "./token.ts";

export type Surroundings = {
  config: AccountConfig;
  chain: Chain;
  token: Token;
  /** Whose stake and pay the verb is about: the operator itself, also for its signer, else a delegator. */
  owner: Address;
};

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
  options: SigningOptions & { operator?: string; owner?: string },
  makePlan: (surroundings: Surroundings) => Promise<Plan>,
): Promise<void> {
  const config = await accountConfigOf(options);
  const owner = options.owner === undefined ? await ownerOf(config) : parseAddress("--owner", options.owner);
  const chain = await openOperatorChain(config);
  const { intent, fields, done } = await makePlan({ config, chain, token: await readToken(chain), owner });
  const key = await openKeyOf(terminal, config);
  const cost = await estimateCost(chain, key, intent);
  const plan: Report = { json: null, fields: [...fields, ["signed by", key.address], ["cost", showCost(cost)]] };
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

/** The account that a configuration speaks for: the operator, also by its signer's key; else a delegator, by its own. */
export async function ownerOf({ key, operator, secret }: AccountConfig): Promise<Address> {
  return secret === undefined ? addressOfKey(key) : operator;
}

async function openKeyOf(terminal: Terminal, config: AccountConfig): Promise<OperatorKey> {
  const { ask } = terminal;
  return openConfiguredKey(config, ask === undefined ? {} : { ask: (question) => ask(question, { hidden: true }) });
}

/** A name for an act that the chain cannot tell from another of its kind: a new one each time the command is given. */
export function freshId(): string {
  return `${new Date()
    .toISOString()
    .slice(0, 19)
    .replace(/[^0-9]/g, "")}-${randomBytes(4).toString("hex")}`;
}
