import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Hex } from "viem";
import { readRound } from "../../../workers/chain/round.ts";
import { type LocalChain, startLocalChain, type TestAccount } from "../../support/localChain.ts";
import { type OperatorsRoom, openOperatorsRoom, type TestOperator } from "../../support/operators.ts";
import { flockctl, writeAccountConfig } from "../../support/workerTask.ts";

const artifact: Hex = `0x${"a1".repeat(32)}`;
const report: Hex = `0x${"b1".repeat(32)}`;

describe("an operator whose machine burned down", () => {
  let folder: string;
  let chain: LocalChain;
  let room: OperatorsRoom;
  let task: bigint;
  let voter: TestOperator;
  const hot = () => chain.accounts[8] as TestAccount;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-elsewhere-"));
    chain = await startLocalChain();
    room = await openOperatorsRoom(chain);
    const staffed = await room.staffedTask();
    task = staffed.task;
    voter = staffed.validators[0] as TestOperator;
    const [trainer] = staffed.trainers as [TestOperator];
    await trainer.sender.send({ kind: "openRound", task, round: 1 });
    await chain.client.mine({ blocks: 2 });
    await trainer.sender.send({ kind: "commitProposal", task, round: 1, artifact });
    await chain.pass(100);
    await trainer.sender.send({ kind: "publishProposal", task, round: 1, artifact });
    await chain.client.mine({ blocks: 1 });
    for (const { sender, ballots } of staffed.validators.slice(0, 2)) {
      ballots.set(report, { scores: [77], head: `0x${"cc".repeat(20)}` });
      await sender.send({ kind: "commitBallot", task, round: 1, report });
    }
    await chain.pass(200);
  });
  after(async () => {
    await room.close();
    await chain.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const configure = (name: string, more: object = {}) =>
    writeAccountConfig(join(folder, name), { chain, task, operator: voter.address }, more);
  const own = async (...args: string[]) =>
    flockctl([...args, "--config", await configure("own")], { OPERATOR_KEY: voter.account.privateKey });

  test("keeps its secret for a signer's machine, in a file that is never written over", async () => {
    const out = join(folder, "signer", "secret");
    const { code, stdout, stderr } = await own("signer", "secret", "--out", out, "--json");
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { operator: voter.address, secret: out });
    assert.match((await own("signer", "secret", "--out", out)).stderr, /exists already and a secret is never/);
  });

  test("cannot reveal with a stranger's secret, and says so", async () => {
    const other = await flockctl(["reveal", "--config", await configure("stranger"), "--yes"], {
      OPERATOR_KEY: hot().privateKey,
    });
    assert.equal(other.code, 4);
    assert.match(other.stderr, /cannot be opened here: it was sealed under another secret/);
  });

  test("reveals its sealed ballot there, by a signer's key and the secret alone", async () => {
    const file = await configure("signer", { secret: "secret" });
    const signer = (...args: string[]) => flockctl([...args, "--config", file], { OPERATOR_KEY: hot().privateKey });
    const asked = await signer("reveal");
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /reveal\tthe ballot of 0x\w+ in round 1 of task 1, now sealed/);
    const { code, stdout, stderr } = await signer("reveal", "--task", String(task), "--round", "1", "--yes");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Revealed with 1 seats\./);
    const { ballot } = await readRound(room.chain, task, voter.address);
    assert.equal(ballot.state, "revealed");
    assert.ok(ballot.state === "revealed" && ballot.scores === 77n);
    const exit = await signer("exit", "--all", "--yes");
    assert.equal(exit.code, 2);
    assert.match(exit.stderr, /A signer cannot move stake/);
    const other = await signer("signer", "set", "--address", hot().address, "--yes");
    assert.match(other.stderr, /To name a signer takes the operator's own key/);
  });

  test("names and revokes its signer, which status shows", async () => {
    const status = async () => JSON.parse((await own("status", "--json")).stdout);
    assert.equal((await status()).signer, null);
    const named = await own("signer", "set", "--address", hot().address, "--yes");
    assert.equal(named.code, 0, named.stderr);
    assert.match(named.stdout, /it counts from round 2/);
    const revoked = await own("signer", "revoke", "--yes");
    assert.match(revoked.stderr, new RegExp(`revoke\t${hot().address} in task 1, at once`));
    assert.match(revoked.stdout, /^No other key acts for you now\./);
    assert.equal((await status()).signer, null);
  });
});
