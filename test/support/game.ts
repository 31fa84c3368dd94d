import assert from "node:assert/strict";
import { type Address, type Hex, parseEventLogs } from "viem";
import type { ContractName } from "../../protocol/deployment.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { applyEvent } from "../../protocol/replay/apply.ts";
import { ReplayError } from "../../protocol/replay/error.ts";
import type { FlockEvent, LogPlace, Told } from "../../protocol/replay/events.ts";
import { accountOf, clockOf, emptyState, type State } from "../../protocol/replay/state.ts";
import { publishDeadline, revealDeadline } from "../../protocol/rules/phases.ts";
import type { FlockChain } from "./flockChain.ts";

/** An act and everything that the rules say it must make the contracts say. */
export type Move = {
  from: Address;
  contract: ContractName;
  name: string;
  args: readonly unknown[];
  told: (state: State, place: LogPlace) => Told[];
};

const noHash: Hex = `0x${"0".repeat(64)}`;
const everyEvent = Object.values(abis)
  .flat()
  .filter((item) => item.type === "event");

/**
 * One game on two boards: the contracts, and the rules in TypeScript, which are told only what the players do. Whatever is
 * done, either both refuse it or both accept it and say the same.
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
    if (predicted instanceof ReplayError) {
      assert.ok(receipt instanceof Error, `the contracts accept ${move}, but the rules say: ${predicted.message}`);
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
    for (const event of predicted.events) this.witness(event, predicted.state);
    this.state = predicted.state;
    this.saw(name);
    return true;
  }

  /** Counts what is rare and matters; `this.state` is as it was before the event. */
  private witness(event: FlockEvent, after: State): void {
    const before = "task" in event.args ? this.state.tasks.get(event.args.task) : undefined;
    if (before === undefined) return;
    const { round, terms } = before;
    const { name, args, blockTimestamp } = event;
    const saw = (what: string, holds: boolean) => holds && this.saw(what);
    if (name === "Staked") saw("stake while a round is open", round?.open === true);
    if (name === "ExitRequested") {
      saw("exit exposed to the open round", args.exposedTo > 0);
      saw(
        "exit of stake that was joining",
        accountOf(before, args.operator).joining > accountOf(after.tasks.get(args.task)!, args.operator).joining,
      );
    }
    if (name === "Withdrawn")
      saw("withdrawal although nobody settles", accountOf(before, args.operator).leaving > 0n && round?.open === true);
    if (name === "Slashed") saw("slash of leaving stake", args.fromLeaving > 0n);
    if (name === "Funded") saw("funds while a round is open", round?.open === true);
    if (round === undefined) return;
    if (name === "ProposalPublished")
      saw("publication in grace", blockTimestamp >= publishDeadline(terms, round.openedAt));
    const clock = clockOf(round, false);
    if (name === "BallotRevealed")
      saw("reveal in grace", blockTimestamp >= revealDeadline(terms, clock, blockTimestamp));
    if (name === "TaskClosed") {
      saw("close after all rounds", before.paidRounds >= terms.rounds);
      saw("close after void rounds", before.voids >= terms.maxVoids);
      saw("close by the creator", before.purse.closableAt > 0);
    }
  }

  private predict(told: Move["told"], place: LogPlace): { state: State; events: FlockEvent[] } | ReplayError {
    const state = structuredClone(this.state);
    try {
      const says = told(structuredClone(this.state), place);
      const events = says.map((each, logIndex) => ({ ...each, ...place, logIndex }) as FlockEvent);
      for (const event of events) applyEvent(state, event);
      return { state, events };
    } catch (error) {
      if (error instanceof ReplayError) return error;
      throw error;
    }
  }
}

const tokenEvents = new Set<string>(["Transfer", "Approval", "EIP712DomainChanged"]);
