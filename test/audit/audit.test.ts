import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createPublicClient, custom, http, RpcRequestError } from "viem";
import { audit } from "../../audit/audit.ts";
import { compare } from "../../audit/compare.ts";
import { readLogs } from "../../audit/readLogs.ts";
import { reportLines, reportToJson } from "../../audit/report.ts";
import { ExitCode, PassingError, PermanentError } from "../../protocol/errors.ts";
import type { State, Task } from "../../protocol/replay/state.ts";
import { startFlockChain } from "../support/flockChain.ts";
import { playTask } from "../support/playedTask.ts";
import { addressOf, wordOf } from "../support/words.ts";

const chain = await startFlockChain();
after(() => chain.close());
const { client, deployment } = chain;
const { state } = await playTask(chain);
const toBlock = await client.getBlockNumber();
const block = { number: toBlock, timestamp: await chain.now() };

/** The chain behind a server that answers some requests in its own way; `answer` is the chain's. */
function clientWhere(serve: (method: string, parameters: unknown, answer: () => Promise<unknown>) => unknown) {
  const request = async ({ method, params }: { method: string; params?: unknown }) =>
    serve(method, params, () => chain.request(method, params as unknown[]));
  return createPublicClient({ transport: custom({ request }, { retryCount: 0 }), cacheTime: 0 });
}

test("an honest history has no difference", async () => {
  const report = await audit({ client, deployment, task: 1n });
  assert.equal(report.differences, 0);
  assert.equal(report.firstDifference, undefined);
  assert.equal(report.events, state.events);
  assert.equal(report.heads, undefined);
  assert.match(reportLines(report).at(-1)!, /^No difference/);
});

test("a report for programs names every verdict, payment and fault", async () => {
  const json = JSON.parse(JSON.stringify(reportToJson(await audit({ client, deployment, task: 1n }))));
  assert.equal(json.differences, 0);
  assert.equal(json.events, state.events);
  const [round] = json.rounds;
  assert.equal(round.status, "settled");
  assert.deepEqual(
    round.proposals.map(({ verdict, median }: { verdict: string; median: number }) => [verdict, median]),
    [
      ["accepted", 390],
      ["rejected", -900],
      [null, null],
    ],
  );
  const slashed = round.accounts.reduce(
    (sum: bigint, account: { slashed: string }) => sum + BigInt(account.slashed),
    0n,
  );
  assert.equal(String(slashed), round.slashed);
  assert.equal(round.ballots.length, 5);
});

test("a single wei or word that a getter says otherwise is found and named", async () => {
  const tamper = async (change: (task: Task, state: State) => void) => {
    const other = structuredClone(state);
    change(other.tasks.get(1n)!, other);
    return (await compare(client, other, other.tasks.get(1n)!, block)).map(({ where }) => where);
  };
  const trainer = addressOf(0x101);
  const changes: [(task: Task, state: State) => unknown, RegExp][] = [
    [({ accounts }) => (accounts.get(trainer)!.active += 1n), /account of 0x0{37}101 in task 1, active/],
    [({ accounts }) => (accounts.get(trainer)!.since += 1), /account of .* since/],
    [(task) => (task.trainerTotal += 1n), /stake of task 1, trainerTotal/],
    [({ purse }) => (purse.paid += 1n), /purse of task 1, paid/],
    [(task) => (task.headId = wordOf(1)), /task 1, headId/],
    [({ terms }) => (terms.band += 1), /terms of task 1, band/],
    [({ round }) => (round!.onTime += 1), /round 1 of task 1, onTime/],
    [({ round }) => (round!.revealedSeats += 1), /poll of round 1 of task 1, revealedSeats/],
    [({ round }) => (round!.proposals.get(trainer)!.seats += 1), /proposal of .* seats/],
    [({ round }) => (round!.ballots.get(addressOf(0x201))!.scores = 5n), /ballot of .* word/],
    [({ delegations }) => (delegations.get(trainer)!.active += 1n), /pool of 0x0{37}101 in task 1, active/],
    [({ delegations }) => (delegations.get(trainer)!.mark.index += 1n), /pool of .* mark/],
    [({ positions }) => (positions.get(trainer)!.get(addressOf(0x301))!.shares += 1n), /position of .* shares/],
    [({ signers }) => (signers.get(addressOf(0x102))!.signer = addressOf(5)), /signer of .* signer/],
    [({ round }) => (round!.absences.get(addressOf(0x206))!.accuser = addressOf(5)), /ballot of .* head/],
    [(task) => (task.closableAt += 1), /task 1, closableAt/],
    [({ round }) => (round!.voterSeed = undefined), /round 1 of task 1, (accumulator|seedsLatched)/],
    [({ history }) => (history[0]!.voterValue = wordOf(1)), /round 1 of task 1, voterValue/],
    [({ history }) => (history[0]!.seed = wordOf(1)), /round 1 of task 1, seed/],
    [(_, state) => (state.toBurn += 1n), /Staking, toBurn/],
  ];
  for (const [change, where] of changes) {
    const found = await tamper((task, state) => void change(task, state));
    assert.ok(
      found.some((place) => where.test(place)),
      `${where} is not in ${found.join("; ")}`,
    );
  }
});

test("a vault that holds less than is owed is a difference, one that holds more is none", async () => {
  const other = structuredClone(state);
  other.tasks.get(1n)!.purse.pot += 1n;
  const found = await compare(client, other, other.tasks.get(1n)!, block);
  assert.ok(found.some(({ where }) => where === "the vault's balance"));
  assert.deepEqual(await compare(client, state, state.tasks.get(1n)!, block), []);
});

test("logs come in the order of the chain, whatever range a server allows at once", async () => {
  const whole = await readLogs(client, { deployment, toBlock });
  assert.deepEqual(await readLogs(client, { deployment, toBlock, span: 7n }), whole);
  let refused = 0;
  const stingy = clientWhere((method, params, answer) => {
    if (method !== "eth_getLogs") return answer();
    const [range] = params as [{ fromBlock: string; toBlock: string }];
    if (Number(range.toBlock) - Number(range.fromBlock) < 5) return answer();
    refused += 1;
    throw new RpcRequestError({
      body: {},
      url: "",
      error: { code: -32005, message: "query returned too many results" },
    });
  });
  assert.deepEqual(await readLogs(stingy, { deployment, toBlock }), whole);
  assert.ok(refused > 0);
});

test("time stamps are read from the blocks where a server leaves them out of its logs", async () => {
  const bare = clientWhere(async (method, _, answer) => {
    if (method !== "eth_getLogs") return answer();
    return ((await answer()) as object[]).map((log) => ({ ...log, blockTimestamp: undefined }));
  });
  assert.deepEqual(await readLogs(bare, { deployment, toBlock }), await readLogs(client, { deployment, toBlock }));
});

test("a server that keeps failing is a passing error that says what was read", async () => {
  const broken = clientWhere((method, _, answer) => {
    if (method === "eth_getLogs")
      throw new RpcRequestError({ body: {}, url: "", error: { code: -32000, message: "no" } });
    return answer();
  });
  await assert.rejects(readLogs(broken, { deployment, toBlock }), (error) => {
    assert.ok(error instanceof PassingError);
    return /server failed while reading logs of blocks \d+ to \d+/.test(error.message);
  });
});

test("a log that is no event of ours is refused", async () => {
  const strange = clientWhere(async (method, _, answer) => {
    if (method !== "eth_getLogs") return answer();
    const [first, ...rest] = (await answer()) as { topics: string[] }[];
    return [{ ...first, topics: [wordOf(5)] }, ...rest];
  });
  await assert.rejects(readLogs(strange, { deployment, toBlock }), /is no event of TaskRegistry: is 0x/);
});

test("another chain is a permanent error, with its own exit code", async () => {
  const elsewhere = { ...deployment, chainId: 1 };
  await assert.rejects(audit({ client, deployment: elsewhere, task: 1n }), (error) => {
    assert.ok(error instanceof PermanentError);
    assert.equal(error.exitCode, ExitCode.chain);
    return /on chain 1, but the server is of chain 31337/.test(error.message);
  });
});

test("a chain that does not answer is a passing error, with its own exit code", async () => {
  const nobody = createPublicClient({ transport: http("http://127.0.0.1:9", { retryCount: 0 }) });
  await assert.rejects(audit({ client: nobody, deployment, task: 1n }), (error) => {
    assert.ok(error instanceof PassingError);
    assert.equal(error.exitCode, ExitCode.unreachable);
    return /does not answer while asking for its id/.test(error.message);
  });
});

test("a task that does not exist is named", async () => {
  await assert.rejects(audit({ client, deployment, task: 2n }), /There is no task 2 on chain 31337/);
});

test("a chain that is replaced during an audit makes it fail rather than mix two histories", async () => {
  let asked = 0;
  const fickle = clientWhere(async (method, params, answer) => {
    const block = (await answer()) as { hash: string };
    const [number] = (params ?? []) as [string];
    const isAudited = method === "eth_getBlockByNumber" && (number === "latest" || BigInt(number) === toBlock);
    return isAudited && ++asked > 1 ? { ...block, hash: wordOf(asked) } : block;
  });
  await assert.rejects(audit({ client: fickle, deployment, task: 1n }), /replaced block \d+ during the audit/);
});
