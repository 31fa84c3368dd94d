import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ExitCode } from "../../../protocol/errors.ts";
import { root } from "../../../tools/files.ts";
import { startArguments } from "../../support/start.ts";

type Ended = { code: number; stdout: string; stderr: string };

/** Runs `npm start` with options that it must refuse. */
function refused(options: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, startArguments(options), { cwd: root }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

const row = (n: number) => JSON.stringify({ prompt: `prompt ${n}`, completion: "answer" });

describe("npm start refuses before it starts anything", () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "flock-bad-"));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const write = async (text: string) => {
    await writeFile(join(dir, "law.jsonl"), text);
    return dir;
  };
  const check = ({ code, stdout, stderr }: Ended, expected: number, sentence: RegExp) => {
    assert.match(stderr, sentence);
    assert.equal(code, expected);
    assert.equal(stdout, "", "nothing was started");
    assert.equal(stderr.trim().split("\n").length, 1, `one sentence, not ${stderr}`);
  };

  test("a data folder that is not there", async () => {
    check(await refused(["--data", join(dir, "absent")]), ExitCode.badInput, /Cannot read the data folder .*absent/);
  });

  test("a malformed line, naming file and line", async () => {
    const lines = Array.from({ length: 60 }, (_, n) => (n === 6 ? "{" : row(n)));
    check(
      await refused(["--data", await write(lines.join("\n"))]),
      ExitCode.badInput,
      /law\.jsonl:7: the line is not JSON/,
    );
  });

  test("too few examples", async () => {
    check(
      await refused(["--data", await write(row(1))]),
      ExitCode.badInput,
      /law\.jsonl holds 1 examples; at least 40/,
    );
  });

  test("too few examples for so many validators", async () => {
    const lines = Array.from({ length: 40 }, (_, n) => row(n)).join("\n");
    const ended = await refused(["--data", await write(lines), "--validators", "20"]);
    check(ended, ExitCode.badInput, /law\.jsonl has too few prompts for 4 trainers and 20 validators/);
  });

  test("a file for the figures that cannot be written", async () => {
    check(await refused(["--json", join(dir, "absent", "x.json")]), ExitCode.usage, /cannot be written .*ENOENT/);
  });

  test("an option out of its bounds", async () => {
    check(await refused(["--rounds", "0"]), ExitCode.usage, /--rounds must be a whole number from 1 to 100/);
  });
});
