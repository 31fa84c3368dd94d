import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import committee, { options } from "../../bench/committee.ts";
import { aggregateVote, sampledErrorRates } from "../../bench/support/committees.ts";
import { drawnErrorRates } from "../../protocol/committee.ts";
import { ExitCode } from "../../protocol/errors.ts";
import { runProgram } from "../support/project.ts";
import { someTerms } from "../support/terms.ts";

const root = join(import.meta.dirname, "../..");

function near(value: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(value - expected) <= tolerance, `${value} is not within ${tolerance} of ${expected}`);
}

async function folder(t: { after(work: () => Promise<void>): void }): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "flock-bench-"));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

test("drawn rounds agree with the exact rates within their standard error, whatever the terms and operators", () => {
  for (const [malicious, operators, terms] of [
    [0.3, 300, someTerms()],
    [0.4, 20, someTerms()], // several seats each
    [1 / 3, 60, someTerms({ expectedVoters: 9, acceptBps: 5001 })],
  ] as const) {
    const exact = drawnErrorRates(terms, { malicious, operators });
    const sampling = { malicious, operators, neutral: 0, wrong: 0, draws: 4000, seed: "test" };
    const sampled = sampledErrorRates(terms, sampling);
    for (const rate of ["poisonAccepted", "honestBlocked"] as const) {
      near(sampled[rate], exact[rate], 4 * sampled.standardErrors[rate]);
    }
  }
});

test("neutral and wrong honest votes cost safety and pay in drawn rounds as well", () => {
  const pool = { malicious: 0.3, operators: 300, draws: 4000, seed: "test" };
  const { poisonAccepted, honestBlocked } = sampledErrorRates(someTerms(), { ...pool, neutral: 0.1, wrong: 0.02 });
  const perfect = sampledErrorRates(someTerms(), { ...pool, neutral: 0, wrong: 0 });
  near(honestBlocked, 0.2, 0.03);
  assert.ok(honestBlocked > perfect.honestBlocked + 0.08);
  assert.ok(poisonAccepted > 0 && poisonAccepted < 0.005);
});

test("the same seed draws the same rounds, and another one others", () => {
  const sampling = { malicious: 0.4, operators: 50, neutral: 0, wrong: 0, draws: 1000 };
  const once = sampledErrorRates(someTerms(), { ...sampling, seed: "a" });
  assert.deepEqual(sampledErrorRates(someTerms(), { ...sampling, seed: "a" }), once);
  assert.notDeepEqual(sampledErrorRates(someTerms(), { ...sampling, seed: "b" }), once);
});

test("one vote of ten on the aggregate accepts poison in 0.2 %, 3 %, 15 % and 37 % of rounds", () => {
  for (const [malicious, poison] of [
    [0.1, 0.0016],
    [0.2, 0.0328],
    [0.3, 0.1503],
    [0.4, 0.3669],
  ] as const) {
    near(aggregateVote(malicious).poisonAccepted, poison, 1e-4);
  }
  near(aggregateVote(0.3).honestBlocked, 0.0473, 1e-4);
});

test("the bench prints both rates of every share and writes them under keys of its own, with a plot", async (t) => {
  const dir = await folder(t);
  const args = [
    "tools/bench.ts",
    "committee",
    "--shares",
    "0.3,1/3",
    "--draws",
    "50",
    "--json",
    "c.json",
    "--svg",
    "c.svg",
  ];
  const { code, stdout, stderr } = await runProgram(process.execPath, args, { cwd: root, env: { INIT_CWD: dir } });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /36 seats of voters expected, quorum 19, decided by 60 %/);
  assert.match(stdout, /30 % +poison accepted +0\.0104 % /);
  assert.match(stdout, /33\.3 % +poison accepted +0\.0498 % /);
  const written = JSON.parse(await readFile(join(dir, "c.json"), "utf8"));
  assert.equal(written.shares.length, 2);
  near(written.shares[0].exact.honestBlocked, 0.081, 0.001);
  near(written.shares[1].exact.honestBlocked, 0.175, 0.001);
  assert.match(await readFile(join(dir, "c.svg"), "utf8"), /^<svg .*<polyline .*<\/svg>\n$/s);
});

test("terms come from a file, and options stand above it", async (t) => {
  const terms = join(await folder(t), "terms.json");
  await writeFile(terms, JSON.stringify({ expectedVoters: 9, acceptBps: 7000 }));
  const { json } = (await committee({ terms, "accept-bps": "8000", shares: "0.2", draws: "1" })) as { json: unknown };
  const { expectedVoters, acceptBps, quorum } = json as Record<string, number>;
  assert.deepEqual({ expectedVoters, acceptBps, quorum }, { expectedVoters: 9, acceptBps: 8000, quorum: 5 });
});

const refusals: readonly (readonly [string, Record<string, string>, RegExp, number?])[] = [
  ["operators", { operators: "1" }, /^--operators is 1, but must be a whole number from 2 to 100000\.$/],
  ["draws", { draws: "many" }, /^--draws is "many", but must be a number\.$/],
  ["a share", { shares: "0.1,2" }, /^--shares holds "2", but must be shares from 0 to 1/],
  ["no share", { shares: "0.1,," }, /^--shares holds "", but/],
  ["neutral votes", { neutral: "1.5" }, /^--neutral is 1\.5, but must be a share from 0 to 1\.$/],
  ["more than all votes", { neutral: "0.9", wrong: "0.2" }, /^--neutral and --wrong are 1\.1 together/],
  ["terms out of bounds", { "expected-voters": "41" }, /^Term "expectedVoters" is 41, but/, ExitCode.badInput],
  ["a missing file", { terms: "/nowhere.json" }, /^The terms \/nowhere\.json cannot be read/, ExitCode.badInput],
];

for (const [what, given, message, exitCode = ExitCode.usage] of refusals) {
  test(`the bench refuses wrong ${what} in one sentence`, async () => {
    await assert.rejects(committee(given), { message, exitCode });
  });
}

test("an option that a bench does not have is refused with those it has", async () => {
  const run = (args: string[]) => runProgram(process.execPath, ["tools/bench.ts", ...args], { cwd: root });
  const { code, stderr } = await run(["committee", "--speed", "9"]);
  assert.equal(code, ExitCode.usage);
  assert.match(stderr, /^Unknown option '--speed'; the options of bench committee are .*--json\.\n$/);
  for (const option of Object.keys(options)) assert.ok(stderr.includes(`--${option}`), option);
  assert.match((await run(["committee", "now"])).stderr, /^"now" belongs to no option; /);
  assert.match((await run(["speed"])).stderr, /^There is no bench "speed"\. .* one of: committee, gas, /);
});
