import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { readNewTask } from "../../ignition/tasks/createTaskInput.ts";
import { gasOfRound } from "../../ignition/tasks/gas.ts";
import { taskPlan } from "../../ignition/tasks/taskPlan.ts";
import { defaultTerms } from "../../protocol/terms.ts";
import { Payout, Roles } from "../../protocol/words.ts";
import { someManifest } from "../support/manifest.ts";

async function files(t: TestContext, contents: Record<string, unknown>): Promise<(name: string) => string> {
  const dir = await mkdtemp(join(tmpdir(), "flock-task-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(contents)) {
    await writeFile(join(dir, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return (name) => join(dir, name);
}

test("a manifest, a stake and a deposit make a task with the default terms", async (t) => {
  const at = await files(t, { "manifest.json": someManifest() });
  const task = await readNewTask({ manifest: at("manifest.json"), seatStake: "100", deposit: "0.5" });
  assert.deepEqual(task, {
    manifest: someManifest(),
    terms: { ...defaultTerms, seatStake: 100n * 10n ** 18n },
    deposit: 5n * 10n ** 17n,
  });
});

test("a file of terms replaces the defaults that it names", async (t) => {
  const at = await files(t, { "manifest.json": someManifest(), "terms.json": { seatStake: "7", rounds: 3 } });
  const { terms } = await readNewTask({ manifest: at("manifest.json"), terms: at("terms.json"), deposit: "0" });
  assert.deepEqual(terms, { ...defaultTerms, seatStake: 7n, rounds: 3 });
});

const refused: { what: string; options: Record<string, string | undefined>; message: RegExp; exitCode: number }[] = [
  {
    what: "no manifest",
    options: { manifest: undefined },
    message: /^Name the task's recipe with --manifest FILE\.$/,
    exitCode: 2,
  },
  { what: "no deposit", options: { deposit: undefined }, message: /^Say with --deposit how many FLK/, exitCode: 2 },
  {
    what: "no stake of a seat",
    options: { seatStake: undefined },
    message: /^Say with --seat-stake how many FLK/,
    exitCode: 2,
  },
  {
    what: "an amount in words",
    options: { deposit: "many" },
    message: /^--deposit is "many", but must be an amount of FLK/,
    exitCode: 2,
  },
  {
    what: "a negative amount",
    options: { seatStake: "-1" },
    message: /^--seat-stake is "-1", but must be/,
    exitCode: 2,
  },
  {
    what: "an amount finer than a wei",
    options: { deposit: "0.0000000000000000001" },
    message: /^--deposit is/,
    exitCode: 2,
  },
  {
    what: "no stake at all",
    options: { seatStake: "0" },
    message: /^Term "seatStake" is "0", but must be/,
    exitCode: 3,
  },
  {
    what: "a stake given twice",
    options: { terms: "stake.json" },
    message: /given twice: by --seat-stake and as seatStake/,
    exitCode: 2,
  },
  {
    what: "a manifest that is not there",
    options: { manifest: "none.json" },
    message: /^The manifest .*none\.json cannot be read: there is no such file\.$/,
    exitCode: 3,
  },
  {
    what: "a manifest that is not JSON",
    options: { manifest: "broken.json" },
    message: /^The manifest .* is not JSON: see line/,
    exitCode: 3,
  },
  {
    what: "a manifest with one wrong field",
    options: { manifest: "rank.json" },
    message: /^Manifest field "adapter\.rank" is 0: .*\.$/,
    exitCode: 3,
  },
  {
    what: "terms that are not JSON",
    options: { terms: "broken.json" },
    message: /^The terms .*broken\.json is not JSON: see line/,
    exitCode: 3,
  },
  {
    what: "terms with a key twice",
    options: { terms: "twice.json" },
    message: /have the key "rounds" twice/,
    exitCode: 3,
  },
  {
    what: "terms that are a list",
    options: { terms: "list.json" },
    message: /^The terms must be an object/,
    exitCode: 3,
  },
  { what: "an unknown term", options: { terms: "unknown.json" }, message: /^There is no term "leverage"/, exitCode: 3 },
  {
    what: "a term out of bounds",
    options: { terms: "bounds.json" },
    message: /^Term "acceptBps" is 5000, but must be an integer from 5001 to 9000\.$/,
    exitCode: 3,
  },
];

for (const { what, options, message, exitCode } of refused) {
  test(`${what} is refused in one sentence`, async (t) => {
    const manifest = someManifest();
    const at = await files(t, {
      "manifest.json": manifest,
      "rank.json": { ...manifest, adapter: { ...manifest.adapter, rank: 0 } },
      "broken.json": "{",
      "stake.json": { seatStake: "1" },
      "twice.json": '{"rounds": 1, "rounds": 2}',
      "list.json": [],
      "unknown.json": { leverage: 9 },
      "bounds.json": { acceptBps: 5000 },
    });
    const given: typeof options = { manifest: "manifest.json", seatStake: "100", deposit: "1", ...options };
    const path = (name: string | undefined) => (name === undefined ? undefined : at(name));
    const wrong = readNewTask({ ...given, manifest: path(given.manifest), terms: path(given.terms) });
    await assert.rejects(wrong, (error: Error & { exitCode: number }) => {
      assert.match(error.message, message);
      assert.equal(error.message.split("\n").length, 1, error.message);
      assert.equal(error.exitCode, exitCode);
      return true;
    });
  });
}

test("each wrong term has a sentence of its own", async (t) => {
  const at = await files(t, { "manifest.json": someManifest(), "terms.json": { rounds: 0, band: 0, maxVoids: 256 } });
  const wrong = readNewTask({ manifest: at("manifest.json"), terms: at("terms.json"), seatStake: "1", deposit: "1" });
  await assert.rejects(wrong, (error: Error) => {
    assert.deepEqual(error.message.match(/^Term "\w+"/gm), ['Term "rounds"', 'Term "maxVoids"', 'Term "band"']);
    return true;
  });
});

test("the plan tells both error rates, risk and pay of a seat, and the gas of a round", () => {
  const terms = { ...defaultTerms, seatStake: 100n * 10n ** 18n };
  const task = { manifest: someManifest(), terms, deposit: 5_000n * 10n ** 18n };
  const at = { creator: "0xabc", network: "chain 1", registry: "0xdef", gasPrice: 10n ** 9n };
  const plan = taskPlan(task, at);
  const fields = Object.fromEntries(plan.fields ?? []);
  assert.equal(fields.deposit, "5,000 FLK for 10 rounds: 500 FLK a round");
  assert.equal(fields["a trainer's seat"], "earns 58.275 FLK and risks 30 FLK a round (risk to pay 0.51 to 1)");
  assert.equal(fields["a voter's seat"], "earns 4.1625 FLK and risks 15 FLK a round (risk to pay 3.60 to 1)");
  assert.match(fields["gas a round"] ?? "", /^6,752,900 of everyone together, 0\.00675 ETH at 1 gwei$/);
  assert.equal(fields["settling earns"], "0.5 FLK of the round's pot");
  assert.equal(fields["opens with"], "100 FLK of trainers and 1,900 FLK of voters staked");
  assert.equal(fields["trainers' pay"], "in proportion to seats and gain");
  const other = taskPlan({ ...task, terms: { ...terms, roles: Roles.Drawn, payout: Payout.Ranked } }, at);
  const drawn = Object.fromEntries(other.fields ?? []);
  assert.equal(drawn.roles, "drawn anew each round among one pool");
  assert.equal(drawn["opens with"], "2,500 FLK staked");
  assert.equal(drawn["trainers' pay"], "by rank, each 85 % of the one before");
  const third = plan.table?.rows.find(([share]) => share === "30.0 %");
  assert.deepEqual(third, ["30.0 %", "0.01 %", "9.17 %", "0.11 % and 21.39 %"]);
  assert.ok(gasOfRound(terms) > gasOfRound({ expectedTrainers: 1, expectedVoters: 1 }));
});
