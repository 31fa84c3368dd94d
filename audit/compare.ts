import type { Address, PublicClient } from "viem";
import { type State, type Task, vaultOf } from "../protocol/replay/state.ts";
import { roundPot } from "../protocol/rules/purse.ts";
import { asFailure } from "./chain.ts";
import { compareOperator } from "./compareOperator.ts";
import { type ComparedBlock, compareRound } from "./compareRound.ts";
import { type Difference, differences } from "./difference.ts";
import { type Getters, gettersAt } from "./getters.ts";

/** Operators whose getters are read at once. */
const BATCH = 16;

/** Everybody who has anything in a task. */
export function operatorsOf({ accounts, delegations, signers }: Task): Address[] {
  return [...new Set([...accounts.keys(), ...delegations.keys(), ...signers.keys()])];
}

/**
 * Every difference between the replayed state of a task and what the contracts' getters say at the end of a block, and
 * between all that is owed and what the vault holds. With `only`, these operators alone are compared, and no seeds.
 */
export async function compare(
  client: PublicClient,
  state: State,
  task: Task,
  block: ComparedBlock,
  only?: readonly Address[],
): Promise<Difference[]> {
  const getters = gettersAt(client, state.deployment, block.number);
  try {
    const found = await Promise.all([
      compareTask(getters, task),
      compareRound(getters, task, block),
      compareOperators(getters, task, only ?? operatorsOf(task)),
      only === undefined ? compareSeeds(client, task) : [],
      compareVault(getters, state),
    ]);
    return found.flat();
  } catch (error) {
    throw asFailure(error, `comparing task ${task.id} with the contracts at block ${block.number}`);
  }
}

async function compareTask(getters: Getters, task: Task): Promise<Difference[]> {
  const { id, creator, manifest, headId, heads, closed, closableAt, terms, purse, trainerTotal, voterTotal } = task;
  const record = { creator, manifest, headId, heads: heads.length, closed, closableAt };
  const potOfRound = roundPot(purse, terms, task.paidRounds);
  const [found, foundTerms, totals, foundPurse, foundPot] = await Promise.all([
    getters.task(id),
    getters.terms(id),
    getters.totals(id),
    getters.purse(id),
    getters.potOfRound(id),
  ]);
  return [
    ...differences(`task ${id}`, { ...record, potOfRound }, { ...found, potOfRound: foundPot }),
    ...differences(`terms of task ${id}`, terms, foundTerms),
    ...differences(`stake of task ${id}`, { trainerTotal, voterTotal }, totals),
    ...differences(`purse of task ${id}`, purse, foundPurse),
  ];
}

async function compareOperators(getters: Getters, task: Task, operators: readonly Address[]): Promise<Difference[]> {
  const found: Difference[] = [];
  for (let at = 0; at < operators.length; at += BATCH) {
    const batch = operators.slice(at, at + BATCH);
    const each = await Promise.all(batch.map((operator) => compareOperator(getters, task, operator)));
    for (const difference of each.flat()) found.push(difference);
  }
  return found;
}

/** Each latched value must be the hash of the block that was named before it existed. */
async function compareSeeds(client: PublicClient, task: Task): Promise<Difference[]> {
  const rounds = [...task.history, ...(task.round?.open ? [task.round] : [])];
  const found: Difference[] = [];
  for (const { number, seedBlock, seed, voterBlock, voterValue } of rounds) {
    const where = `round ${number} of task ${task.id}`;
    const hashOf = async (block: number) => (await client.getBlock({ blockNumber: BigInt(block) })).hash;
    if (seed !== undefined) found.push(...differences(where, { seed: await hashOf(seedBlock) }, { seed }));
    if (voterValue === undefined) continue;
    found.push(...differences(where, { voterValue: await hashOf(voterBlock) }, { voterValue }));
  }
  return found;
}

/** The vault may hold more than it owes, for anyone may send it tokens; never less. */
async function compareVault(getters: Getters, state: State): Promise<Difference[]> {
  const owed = vaultOf(state);
  const [held, toBurn] = await Promise.all([getters.vault(), getters.toBurn()]);
  return [
    ...differences("Staking", { toBurn: state.toBurn }, { toBurn }),
    ...(held >= owed ? [] : [{ where: "the vault's balance", expected: `at least ${owed}`, found: String(held) }]),
  ];
}
