import assert from "node:assert/strict";
import { after, test } from "node:test";
import { compare } from "../../audit/compare.ts";
import { readLogs } from "../../audit/readLogs.ts";
import { replay } from "../../audit/replay.ts";
import { ExitCode } from "../../protocol/errors.ts";
import { replayEvents } from "../../protocol/replay/apply.ts";
import { ReplayError } from "../../protocol/replay/error.ts";
import type { FlockEvent } from "../../protocol/replay/events.ts";
import { startFlockChain } from "../support/flockChain.ts";
import { playTask } from "../support/playedTask.ts";
import { addressOf, wordOf } from "../support/words.ts";

const chain = await startFlockChain();
after(() => chain.close());
const { client, deployment } = chain;
await playTask(chain);
const block = { number: await client.getBlockNumber(), timestamp: await chain.now() };
const events = await readLogs(client, { deployment, toBlock: block.number });

/** Where a history parts from the rules or from the contracts, undefined if nowhere. */
async function firstDifference(history: readonly FlockEvent[]): Promise<string | undefined> {
  const played = replay(deployment, history);
  if (played.state === undefined) return played.difference.where;
  const task = played.state.tasks.get(1n);
  if (task === undefined) return "no task";
  return (await compare(client, played.state, task, block))[0]?.where;
}

/** Every way to change one value within some arguments a little. */
function changes(value: unknown): unknown[] {
  if (typeof value === "bigint") return [value + 1n, value === 0n ? 2n : value - 1n];
  if (typeof value === "number") return [value + 1];
  if (typeof value === "boolean") return [!value];
  if (typeof value === "string" && value.startsWith("0x")) {
    return [value.length === 42 ? addressOf(0x777) : `${value.slice(0, -1)}${value.endsWith("f") ? "0" : "f"}`];
  }
  if (typeof value === "string") return [`${value}x`];
  return Object.entries(value as object).flatMap(([field, inner]) =>
    changes(inner).map((other) => {
      const copy = structuredClone(value) as Record<string, unknown>;
      copy[field] = other;
      return copy;
    }),
  );
}

test("the history as it is has no difference", async () => {
  assert.equal(await firstDifference(events), undefined);
});

test("whatever is changed in whatever event is found, but for what no contract keeps and no rule reads", async () => {
  const unseen = new Set<string>();
  let tried = 0;
  for (const [i, event] of events.entries()) {
    for (const [field, value] of Object.entries(event.args)) {
      for (const other of changes(value)) {
        const forged = { ...event, args: { ...event.args, [field]: other } } as FlockEvent;
        if ((await firstDifference(events.with(i, forged))) === undefined) unseen.add(`${event.name}.${field}`);
        tried += 1;
      }
    }
  }
  assert.ok(tried > 300, `${tried}`);
  // An endpoint binds nobody, a sponsor has no claim. Of a ballot that was never revealed only a commitment is known, which
  // its voter's record keeps; the copy is for the voter alone.
  const unread = ["BallotCommitted.copy", "EndpointAnnounced.endpoint", "EndpointAnnounced.operator", "Funded.from"];
  assert.deepEqual([...unseen].sort(), unread);
});

/** A second notice is another notice, and to say again who signs, or for how much one accepts delegation, is to say it. */
const repeatable = new Set(["CloseAnnounced", "SignerSet", "DelegationAccepted"]);

test("whatever event is left out or told twice is found", async () => {
  for (const [i, event] of events.entries()) {
    if (event.name === "EndpointAnnounced") continue;
    assert.ok((await firstDifference(events.toSpliced(i, 1))) !== undefined, `without ${event.name} at ${i}`);
    const again = { ...event, logIndex: event.logIndex + 1000 } as FlockEvent;
    const after = events
      .slice(i + 1)
      .map((later) =>
        later.blockNumber === event.blockNumber ? { ...later, logIndex: later.logIndex + 2000 } : later,
      );
    if (repeatable.has(event.name)) continue;
    const twice = [...events.slice(0, i + 1), again, ...(after as FlockEvent[])];
    assert.ok((await firstDifference(twice)) !== undefined, `${event.name} at ${i} twice`);
  }
});

test("a wrong event is named with its block, its log, what was expected and what was found", () => {
  const at = events.findIndex(({ name }) => name === "Rewarded");
  const event = events[at] as FlockEvent<"Rewarded">;
  const forged = { ...event, args: { ...event.args, amount: event.args.amount + 1n } };
  assert.throws(
    () => replayEvents(deployment, events.with(at, forged)),
    (error: unknown) => {
      assert.ok(error instanceof ReplayError);
      assert.equal(error.exitCode, ExitCode.difference);
      assert.equal(error.event, "Rewarded");
      assert.equal(error.block, event.blockNumber);
      assert.equal(error.logIndex, event.logIndex);
      assert.equal(error.expected, event.args.amount);
      assert.equal(error.found, event.args.amount + 1n);
      assert.match(error.message, /^Rewarded in block \d+, log \d+: amount: expected \d+, found \d+\.$/);
      return true;
    },
  );
});

test("logs out of order are refused", () => {
  const [first, second, ...rest] = events as [FlockEvent, FlockEvent, ...FlockEvent[]];
  assert.throws(() => replayEvents(deployment, [second, first, ...rest]), ReplayError);
  assert.throws(() => replayEvents(deployment, [first, first]), /logs in order/);
});

test("a settlement that is cut short, or goes on in another transaction, is refused", () => {
  const settled = events.findIndex(({ name }) => name === "RoundSettled");
  assert.throws(
    () => replayEvents(deployment, events.slice(0, settled)),
    /the logs after it: expected \["RoundSettled"\]/,
  );
  const moved = { ...events[settled]!, transactionHash: wordOf(1) } as FlockEvent;
  assert.throws(() => replayEvents(deployment, events.with(settled, moved)), /RoundSettled .*: transaction/);
});

test("terms out of their bounds cannot have been created", () => {
  const created = events[0] as FlockEvent<"TaskCreated">;
  const forged = { ...created, args: { ...created.args, terms: { ...created.args.terms, acceptBps: 5000 } } };
  assert.throws(() => replayEvents(deployment, [forged]), /TaskCreated .*: expected terms within their bounds/);
});

test("an act outside its phase is refused", () => {
  const late = (name: FlockEvent["name"], seconds: number) => {
    const at = events.findIndex((event) => event.name === name);
    const event = { ...events[at]!, blockTimestamp: events[at]!.blockTimestamp + seconds } as FlockEvent;
    return replayEvents(deployment, [...events.slice(0, at), event]);
  };
  assert.throws(() => late("ProposalCommitted", 60), /ProposalCommitted .*: phase: expected Propose, found Settle/);
  assert.throws(() => late("ProposalPublished", 60), /phase: expected Publish, found Settle/);
  assert.throws(() => late("BallotCommitted", -30), /phase: expected Ballot, found Publish/);
  assert.throws(() => late("BallotRevealed", 100), /phase: expected Reveal, found Settle/);
  assert.throws(() => late("Rewarded", -100), /phase: expected Settle, found Ballot/);
});
