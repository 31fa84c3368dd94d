import type { PublicClient } from "viem";
import { type State, type Task, vaultOf } from "../protocol/replay/state.ts";
import { roundPot } from "../protocol/rules/purse.ts";
import { asFailure } from "./chain.ts";
import { type ComparedBlock, compareOperator, compareRound } from "./compareRound.ts";
import { type Difference, differences } from "./difference.ts";
import { type Getters, gettersAt } from "./getters.ts";

/** Operators whose getters are read at once. */
const BATCH = 16;

/**
 * Every difference between the replayed state of a task and what the contracts' getters say at the end of a block, and
 * between all that is owed and what the vault holds.
 */
export async function compare(
  client: PublicClient,
  state: State,
  task: Task,
  block: ComparedBlock,
): Promise<Difference[]> {
  const getters = gettersAt(client, state.deployment, block.number);
  try {
    return [
      ...(await compareTask(getters, task)),
      ...(await compareRound(getters, task, block)),
      ...(await compareOperators(getters, task)),
      ...(await compareSeeds(client, task)),
      ...(await compareVault(getters, state)),
    ];
  } catch (error) {
    throw asFailure(error, `comparing task ${task.id} with the contracts at block ${block.number}`);
  }
}

async function compareTask(getters: Getters, task: Task): Promise<Difference[]> {
  const { creator, manifest, headId, heads, closed } = task;
  const { trainerTotal, voterTotal } = task;
  return [
    ...differences(
      `task ${task.id}`,
      { creator, manifest, headId, heads: heads.length, closed },
      await getters.task(task.id),
    ),
    ...differences(`terms of task ${task.id}`, task.terms, await getters.terms(task.id)),
    ...differences(`stake of task ${task.id}`, { trainerTotal, voterTotal }, await getters.totals(task.id)),
    ...differences(`purse of task ${task.id}`, task.purse, await getters.purse(task.id)),
    ...differences(
      `task ${task.id}`,
      { potOfRound: roundPot(task.purse, task.terms, task.paidRounds) },
      { potOfRound: await getters.potOfRound(task.id) },
    ),
  ];
}

async function compareOperators(getters: Getters, task: Task): Promise<Difference[]> {
  const operators = [...task.accounts.keys()];
  const found: Difference[] = [];
  for (let at = 0; at < operators.length; at += BATCH) {
    const batch = operators.slice(at, at + BATCH);
    const each = await Promise.all(batch.map((operator) => compareOperator(getters, task, operator)));
    found.push(...each.flat());
  }
  return found;
}

/** Each latched seed must be the hash of the block that was named before it existed. */
async function compareSeeds(client: PublicClient, task: Task): Promise<Difference[]> {
  const rounds = [...task.history, ...(task.round?.open ? [task.round] : [])];
  const found: Difference[] = [];
  for (const { number, seedBlock, seed } of rounds) {
    if (seed === undefined) continue;
    const { hash } = await client.getBlock({ blockNumber: seedBlock });
    found.push(...differences(`round ${number} of task ${task.id}`, { seed: hash }, { seed }));
  }
  return found;
}

/** The vault may hold more than it owes, for anyone may send it tokens; never less. */
async function compareVault(getters: Getters, state: State): Promise<Difference[]> {
  const owed = vaultOf(state);
  const held = await getters.vault();
  return [
    ...differences("Staking", { toBurn: state.toBurn }, { toBurn: await getters.toBurn() }),
    ...(held >= owed ? [] : [{ where: "the vault's balance", expected: `at least ${owed}`, found: String(held) }]),
  ];
}
