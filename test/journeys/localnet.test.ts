import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Ajv } from "ajv";
import { defaultTerms } from "../../protocol/terms.ts";
import { root } from "../../tools/files.ts";
import { descendants } from "../support/processTree.ts";

/** The figures as `npm start -- --json FILE` writes them: wei are strings. */
type Figures = {
  queue: string;
  rounds: {
    status: string;
    proposals: { operator: string; honest: boolean; verdict: string; median: number; slashed: string }[];
  }[];
  domains: { name: string; lossBefore: number; lossAfter: number; exactMatchBefore: number; exactMatchAfter: number }[];
  operators: {
    name: string;
    role: string;
    honest: boolean;
    stakeBefore: string;
    stakeAfter: string;
    earned: string;
  }[];
  audit: { events: number; differences: number; headsChecked: number; headsUnchecked: number };
  folder: string;
};

const START = join(root, "workers", "localnet", "start.ts");

function startArgs(options: string[]): string[] {
  return ["--disable-warning=ExperimentalWarning", START, ...options];
}

describe("npm start", () => {
  let dir: string;
  let figures: Figures;
  let printed: string;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "flock-start-"));
    const json = join(dir, "figures.json");
    const { stdout } = await promisify(execFile)(process.execPath, startArgs(["--seed", "1", "--json", json]), {
      cwd: root,
    });
    printed = stdout;
    figures = JSON.parse(await readFile(json, "utf8")) as Figures;
  });
  after(() => rm(dir, { recursive: true, force: true }));

  test("writes figures that keep to the schema", async () => {
    const schema = JSON.parse(await readFile(join(root, "docs", "npm-start.schema.json"), "utf8")) as object;
    const validate = new Ajv({ allErrors: true }).compile(schema);
    assert.ok(validate(figures), JSON.stringify(validate.errors));
  });

  test("settles every round and moves the head in each", () => {
    assert.deepEqual(
      figures.rounds.map(({ status }) => status),
      ["settled", "settled", "settled"],
    );
    assert.equal(figures.audit.headsChecked, 3);
  });

  test("lowers the held-out loss on every domain", () => {
    assert.equal(figures.domains.length, 4);
    for (const { name, lossBefore, lossAfter } of figures.domains) {
      assert.ok(lossAfter < lossBefore, `${name}: ${lossBefore} -> ${lossAfter}`);
    }
  });

  test("rejects the poisoner wherever it proposes, by far, and accepts everybody else", () => {
    const proposals = figures.rounds.flatMap((round) => round.proposals);
    for (const { honest, verdict, median } of proposals) {
      assert.equal(verdict, honest ? "accepted" : "rejected");
      if (!honest) assert.ok(median <= -4 * defaultTerms.band, `the poisoner's median is ${median}`);
    }
  });

  test("shrinks the poisoner's stake if it proposed, and nobody honest's", () => {
    for (const { name, role, honest, stakeBefore, stakeAfter } of figures.operators) {
      if (honest) assert.equal(stakeAfter, stakeBefore, name);
      if (!honest && role === "trainer") {
        const proposed = figures.rounds.some((round) => round.proposals.some((proposal) => !proposal.honest));
        assert.equal(BigInt(stakeAfter) < BigInt(stakeBefore), proposed, name);
      }
    }
  });

  test("audits itself without a difference", () => {
    assert.ok(figures.audit.events > 50);
    assert.equal(figures.audit.differences, 0);
    assert.equal(figures.audit.headsUnchecked, 0);
  });

  test("prints plain tables into a pipe", () => {
    assert.match(printed, /Round 3 of 3: settled/);
    assert.match(printed, /Held-out data, before and after/);
    assert.doesNotMatch(printed, /\u001b/);
  });
});

test("Ctrl-C ends everything that npm start started", async () => {
  const child = spawn(process.execPath, startArgs(["--rounds", "1"]), { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  child.stdout.on("data", (bytes: Buffer) => {
    printed += bytes.toString();
  });
  while (!printed.includes("workers started")) {
    assert.equal(child.exitCode, null, printed);
    await sleep(100);
  }
  const started = await descendants(child.pid as number);
  assert.ok(started.length > 9, `${started.length} processes`);
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  assert.equal(code, 130);
  // Guards look at their channel; give the last of them a moment.
  for (let left = started; left.length > 0; ) {
    await sleep(100);
    left = left.filter((pid) => isAlive(pid));
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
