import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CommanderError } from "commander";
import { ExitCode, FlockError, PassingError, PermanentError } from "../../../protocol/errors.ts";
import { confirm } from "../../../workers/cli/confirm.ts";
import { exitOf } from "../../../workers/cli/exit.ts";
import { parseAmount } from "../../../workers/cli/options.ts";
import { type Report, showReport, type Terminal } from "../../../workers/cli/report.ts";
import { duration } from "../../../workers/cli/times.ts";

/** A terminal that keeps what is written and gives the answers it was told. */
function recorder(isTerminal: boolean, answers?: string[]): Terminal & { text: () => string } {
  let text = "";
  return {
    write: (more) => {
      text += more;
    },
    tell: () => {},
    isTerminal,
    ask: answers === undefined ? undefined : async () => answers.shift() ?? "",
    text: () => text,
  };
}

const report: Report = {
  json: { a: 1 },
  fields: [["name", "value"]],
  table: { head: ["x", "y"], rows: [["1", "2"]] },
  lines: ["Done."],
};

describe("a report", () => {
  test("is plain tab-separated lines in a pipe", () => {
    const pipe = recorder(false);
    showReport(pipe, report, {});
    assert.equal(pipe.text(), "name\tvalue\nx\ty\n1\t2\nDone.\n");
  });

  test("is a table on a terminal", () => {
    const terminal = recorder(true);
    showReport(terminal, report, {});
    assert.match(terminal.text(), /┌.*┐/);
  });

  test("is JSON and nothing else if asked for", () => {
    const pipe = recorder(true);
    showReport(pipe, report, { json: true });
    assert.deepEqual(JSON.parse(pipe.text()), { a: 1 });
  });
});

describe("signing", () => {
  test("goes on with --yes, or with a yes", async () => {
    await confirm(recorder(false), { yes: true });
    await confirm(recorder(true, ["y"]), {});
    await confirm(recorder(true, [" YES "]), {});
  });

  test("stops at any other answer", async () => {
    for (const answer of ["", "n", "yesterday"]) {
      await assert.rejects(confirm(recorder(true, [answer]), {}), (error: FlockError) => {
        return error.exitCode === ExitCode.interrupted && /Nothing was signed/.test(error.message);
      });
    }
  });

  test("stops where nobody can be asked", async () => {
    await assert.rejects(confirm(recorder(false), {}), (error: FlockError) => {
      return error.exitCode === ExitCode.usage && /--yes/.test(error.message);
    });
  });
});

describe("exit codes", () => {
  test("come from the errors", () => {
    assert.equal(exitOf(new PermanentError("x")).code, ExitCode.badInput);
    assert.equal(exitOf(new PassingError("x")).code, ExitCode.unreachable);
    assert.equal(exitOf(new FlockError("x", { exitCode: ExitCode.difference })).code, ExitCode.difference);
    assert.equal(exitOf(new CommanderError(0, "commander.help", "")).code, ExitCode.ok);
    assert.equal(exitOf(new CommanderError(1, "commander.unknownOption", "")).code, ExitCode.usage);
    assert.equal(exitOf(new DOMException("stop", "AbortError")).code, ExitCode.interrupted);
  });

  test("tell what was not foreseen with where it happened", () => {
    const { code, message } = exitOf(new TypeError("undefined is no function"));
    assert.equal(code, ExitCode.unexpected);
    assert.match(message, /undefined is no function[\s\S]*report\.test\.ts/);
  });
});

describe("amounts and times", () => {
  test("are read in tokens, exactly", () => {
    assert.equal(parseAmount("0.1", 18), 10n ** 17n);
    assert.equal(parseAmount("200", 6), 200_000_000n);
    for (const wrong of ["", "-1", "1e3", "0", "0.1234567", "0x10", "1,5"]) {
      assert.throws(() => parseAmount(wrong, 6), PermanentError, wrong);
    }
  });

  test("are shown in the unit that fits", () => {
    assert.equal(duration(45), "45 s");
    assert.equal(duration(1800), "30 min");
    assert.equal(duration(6 * 3600), "6 h");
    assert.equal(duration(7 * 86_400), "7 d");
  });
});
