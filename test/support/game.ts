import assert from "node:assert/strict";
import { type Address, type Hex, parseEventLogs } from "viem";
import { compare, operatorsOf } from "../../audit/compare.ts";
import type { ComparedBlock } from "../../audit/compareRound.ts";
import type { ContractName } from "../../protocol/deployment.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { applyEvent } from "../../protocol/replay/apply.ts";
import { ReplayError } from "../../protocol/replay/error.ts";
import type { FlockEvent, LogPlace, Told } from "../../protocol/replay/events.ts";
import { emptyState, type State } from "../../protocol/replay/state.ts";
import type { FlockChain } from "./flockChain.ts";
import { witnessed } from "./witness.ts";

/** An act and everything that the rules say it must make the contracts say. */
export type Move = {
  from: Address;
  contract: ContractName;
  name: string;
  args: readonly unknown[];
  told: (state: State, place: LogPlace) => Told[];
};

/** The rules refuse an act for a reason that no event tells: who did it, and where. */
export class Refused extends Error {}

/** Every so many events everything is compared, not only what an act names. */
const WHOLE_EVERY = 20;

const noHash: Hex = `0x${"0".repeat(64)}`;
const everyEvent = Object.values(abis)
  .flat()
  .filter((item) => item.type === "event");

/**
 * One game on two boards: the contracts, and the rules in TypeScript, which are told only what the players do. Whatever is
 * done, either both refuse it or both accept it, say the same, and are in the same state.
 */
export class Game {
  readonly chain: FlockChain;
  state: State;
  now: number;
  /** What happened how often, so that a test can tell that it is not vacuous. */
  readonly seen = new Map<string, number>();

  constructor(chain: FlockChain, now: number) {
    this.chain = chain;
    this.state = emptyState(chain.deployment);
    this.now = now;
  }

  saw(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  /** Plays a move in a block with time stamp `at`. Returns whether it was accepted, by both. */
  async play({ from, contract, name, args, told }: Move, at: number): Promise<boolean> {
    const blockNumber = (await this.chain.client.getBlockNumber({ cacheTime: 0 })) + 1n;
    const place: LogPlace = { blockNumber, blockTimestamp: at, logIndex: 0, transactionHash: noHash };
    const predicted = this.predict(told, place);
    const receipt = await this.chain.act(from, contract, name, args, at).catch((error: unknown) => error as Error);
    this.now = await this.chain.now();
    const move = `${contract}.${name} by ${from} at ${at}`;
    if (predicted instanceof Error) {
      assert.ok(receipt instanceof Error, `the contracts accept ${move}, but the rules say: ${predicted.message}`);
      assert.match(receipt.message, /reverted with custom error/, `why ${move} is refused`);
      this.saw(`refused ${name}`);
      return false;
    }
    assert.ok(
      !(receipt instanceof Error),
      `the rules accept ${move}, but the contracts say: ${(receipt as Error).message}`,
    );
    assert.equal(receipt.blockNumber, blockNumber);
    const found = parseEventLogs({ abi: everyEvent, logs: receipt.logs }).filter(
      ({ eventName }) => !tokenEvents.has(eventName),
    );
    assert.deepEqual(
      found.map(({ eventName, args }) => ({ name: eventName, args })),
      predicted.events.map(({ name, args }) => ({ name, args })),
      move,
    );
    for (const event of predicted.events) this.witness(event);
    this.saw(name);
    await this.agree(predicted.events, { number: blockNumber, timestamp: at }, move);
    return true;
  }

  /**
   * Compares the rules' state after some events with the contracts: everything that these could have changed, and now and
   * then everything there is.
   */
  private async agree(events: readonly FlockEvent[], block: ComparedBlock, move: string): Promise<void> {
    const { client } = this.chain;
    const everything = this.state.events % WHOLE_EVERY === 0;
    const told = new Set<string>();
    const tasks = new Set<bigint>();
    for (const { args } of events) {
      for (const value of Object.values(args)) if (typeof value === "string") told.add(value);
      if ("task" in args) tasks.add(args.task);
    }
    for (const id of tasks) {
      const task = this.state.tasks.get(id);
      if (task === undefined) continue;
      const named = operatorsOf(task).filter((operator) => told.has(operator));
      const only = everything ? undefined : named;
      assert.deepEqual(await compare(client, this.state, task, block, only), [], `state after ${move}`);
    }
  }

  /** Lets the rules see an event, and counts what is rare and matters. */
  private witness(event: FlockEvent): void {
    const before = witnessed(this.state, event);
    applyEvent(this.state, event);
    for (const what of before(this.state)) this.saw(what);
  }

  /** What the rules say of a move: nothing here is changed by asking. */
  private predict(told: Move["told"], place: LogPlace): { events: FlockEvent[] } | Error {
    const state = structuredClone(this.state);
    try {
      const says = told(structuredClone(this.state), place);
      const events = says.map((each, logIndex) => ({ ...each, ...place, logIndex }) as FlockEvent);
      for (const event of events) applyEvent(state, event);
      return { events };
    } catch (error) {
      if (error instanceof ReplayError || error instanceof Refused) return error;
      throw error;
    }
  }
}

const tokenEvents = new Set<string>(["Transfer", "Approval", "EIP712DomainChanged"]);
