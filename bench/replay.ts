import { keccak256, toHex } from "viem";
import { contractNames, type Deployment } from "../protocol/deployment.ts";
import { applyEvent, replayEvents } from "../protocol/replay/apply.ts";
import type { FlockEvent } from "../protocol/replay/events.ts";
import { emptyState, type State } from "../protocol/replay/state.ts";
import { defaultTerms, type Terms } from "../protocol/terms.ts";
import { Role } from "../protocol/words.ts";
import type { Move } from "../test/support/game.ts";
import * as moves from "../test/support/moves.ts";
import * as rounds from "../test/support/roundMoves.ts";
import { addressOf, headOf, wordOf } from "../test/support/words.ts";
import type { Measurement } from "../tools/bench.ts";

const EVENTS = 100_000;
const TRAINERS = 6;
const VOTERS = 12;
const SEAT_STAKE = 10n ** 18n;
const TASK = 1n;
const TERMS: Terms = { ...defaultTerms, seatStake: SEAT_STAKE, rounds: 65_535 };

/** Plays by the rules alone and keeps every event. */
class Ledger {
  readonly events: FlockEvent[] = [];
  readonly state: State;
  now = 1_700_000_000;
  #block = 1n;

  constructor(deployment: Deployment) {
    this.state = emptyState(deployment);
  }

  /** One transaction in a block of its own, a second after the last one. */
  play({ told }: Move): void {
    this.#block += 1n;
    this.now += 1;
    const hash = keccak256(toHex(this.#block));
    const place = { blockNumber: this.#block, blockTimestamp: this.now, logIndex: 0, transactionHash: hash };
    for (const [logIndex, said] of told(this.#present(), place).entries()) {
      const event = { ...said, ...place, logIndex } as FlockEvent;
      applyEvent(this.state, event);
      this.events.push(event);
    }
  }

  /** A copy of the state, for a settlement predicts itself by being done; without the past, which would be long. */
  #present(): State {
    const tasks = new Map([...this.state.tasks].map(([id, task]) => [id, { ...task, history: [], heads: [] }]));
    return structuredClone({ ...this.state, tasks });
  }
}

/** One round in which everybody with seats takes part, and the last trainer's update is bad. */
function playRound(ledger: Ledger, number: number): void {
  const trainers = Array.from({ length: TRAINERS }, (_, i) => addressOf(100 + i));
  const voters = Array.from({ length: VOTERS }, (_, i) => addressOf(200 + i));
  const { state } = ledger;
  const opened = () => state.tasks.get(TASK)?.round?.openedAt ?? 0;
  ledger.play(rounds.openRound(voters[0] as never, TASK, state));
  ledger.now += 12;
  const seed = keccak256(toHex(number));
  const secrets = trainers.map((_, i) => ({ artifact: wordOf(number * 100 + i + 1), salt: wordOf(i + 1) }));
  const sealed: number[] = [];
  trainers.forEach((trainer, i) => {
    try {
      ledger.play(rounds.commitProposal(state, trainer, TASK, secrets[i] as never, seed));
      sealed.push(i);
    } catch {
      // No seats this time.
    }
  });
  ledger.now = opened() + TERMS.propose;
  for (const i of sealed)
    ledger.play(rounds.publishProposal(trainers[i] as never, trainers[i] as never, TASK, secrets[i] as never));
  const scores = sealed.map((i, slot) => (i === TRAINERS - 1 ? -4000 : 1000 + 100 * slot));
  const ballots = voters.map((_, v) => ({ scores, report: wordOf(v + 1), head: headOf(7), salt: wordOf(v + 50) }));
  const voting: number[] = [];
  voters.forEach((voter, v) => {
    try {
      ledger.play(rounds.commitBallot(state, voter, TASK, ballots[v] as never, { value: keccak256(seed) }));
      voting.push(v);
    } catch {
      // No seats this time.
    }
  });
  ledger.now = opened() + TERMS.propose + TERMS.publish + TERMS.ballot;
  for (const v of voting)
    ledger.play(rounds.revealBallot(voters[v] as never, voters[v] as never, TASK, ballots[v] as never));
  ledger.now = opened() + TERMS.propose + TERMS.publish + TERMS.ballot + TERMS.reveal;
  ledger.play(rounds.settle(voters[0] as never, state, TASK));
  // The bad trainer makes up for what it lost, so that it goes on.
  ledger.play(moves.stake(trainers[TRAINERS - 1] as never, TASK, Role.Trainer, SEAT_STAKE));
}

/** Time to rebuild a task's whole state from a history of 100,000 events, on one core. */
export default async function replay(): Promise<Measurement[]> {
  const addresses = Object.fromEntries(
    contractNames.map((name, i) => [name, addressOf(i + 1)]),
  ) as Deployment["addresses"];
  const deployment: Deployment = { chainId: 31337, block: 0, addresses };
  const ledger = new Ledger(deployment);
  const creator = addressOf(50);
  ledger.play(moves.createTask(creator, TERMS, wordOf(1)));
  ledger.play(moves.fund(creator, TASK, 10n ** 24n));
  for (let i = 0; i < TRAINERS; i++) ledger.play(moves.stake(addressOf(100 + i), TASK, Role.Trainer, 2n * SEAT_STAKE));
  for (let i = 0; i < VOTERS; i++) ledger.play(moves.stake(addressOf(200 + i), TASK, Role.Validator, 6n * SEAT_STAKE));
  let rounds = 0;
  while (ledger.events.length < EVENTS) playRound(ledger, ++rounds);

  const started = performance.now();
  const state = replayEvents(deployment, ledger.events);
  const seconds = (performance.now() - started) / 1000;
  return [
    { name: "events", value: state.events, unit: "events" },
    { name: "rounds", value: rounds, unit: "rounds" },
    { name: "replay", value: seconds, unit: "s", target: "under 10 s" },
    { name: "rate", value: state.events / seconds, unit: "events/s" },
  ];
}
