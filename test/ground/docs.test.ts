import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { Command } from "commander";
import hre from "hardhat";
import { z } from "zod";
import { reportToJson } from "../../audit/report.ts";
import { options as committeeOptions } from "../../bench/committee.ts";
import { options as gasOptions } from "../../bench/gas.ts";
import { ExitCode } from "../../protocol/errors.ts";
import { coverageOptions } from "../../tools/coverage/options.ts";
import { root } from "../../tools/files.ts";
import { mutationOptions } from "../../tools/mutation/options.ts";
import { flockctl } from "../../workers/cli/program.ts";
import { configSchema } from "../../workers/config.ts";
import { codeOf, pathsIn, rowsOf, usesOf } from "../support/pages.ts";

const read = (path: string) => readFileSync(join(root, path), "utf8");
const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const pages = ["README.md", "SECURITY.md", ...docs.map((name) => `docs/${name}`)];

/** Folders of the tree that only a deployment makes. */
const MADE_LATER = ["ignition/deployments"];
const ROOMS = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
  .map(({ name }) => name)
  .filter((name) => !["node_modules", "artifacts", "cache", "coverage"].includes(name));

const nobody = { write: () => {}, tell: () => {}, ask: undefined, isTerminal: false };
const operators = flockctl(nobody);

/** The command that words begin with, as deep as they name one. */
function verbOf(words: readonly string[]): Command {
  let found = operators;
  for (const word of words) {
    const next = found.commands.find((command) => command.name() === word);
    if (next === undefined) break;
    found = next;
  }
  return found;
}

/** Every command that does something itself, in full: "keys new". */
function leaves(command: Command, before: string[] = []): string[] {
  if (command.commands.length === 0) return [before.join(" ")];
  return command.commands.flatMap((each) => leaves(each, [...before, each.name()]));
}

const optionsOf = (command: Command): string[] => ["--help", ...command.options.map(({ long }) => long ?? "")];

/** The Hardhat task that words begin with; undefined if they name none that does something. */
function taskOf(words: readonly string[]) {
  let found = hre.tasks.rootTasks.get(words[0] ?? "");
  for (const word of words.slice(1)) found = found?.subtasks.get(word) ?? found;
  return found?.isEmpty ? undefined : found;
}
type HardhatTask = NonNullable<ReturnType<typeof taskOf>>;

const asOption = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
const taskOptions = (task: HardhatTask): string[] =>
  [...task.options.keys(), ...Object.keys(hre.globalOptions), "help"].map(asOption);

const startOptions = [...read("workers/localnet/options.ts").matchAll(/\.option\("(--[a-z]+)/g)].map(
  ([, name]) => name,
);
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

const known = new Set([
  ...startOptions,
  ...Object.keys(gasOptions).map((option) => `--${option}`),
  ...Object.keys(committeeOptions).map((option) => `--${option}`),
  ...leaves(operators).flatMap((verb) => optionsOf(verbOf(verb.split(" ")))),
  ...["addresses", "verify-deployment", "create-task", "fund", "audit"].flatMap((name) =>
    taskOptions(taskOf(["flock", name]) as HardhatTask),
  ),
  ...taskOptions(taskOf(["ignition", "deploy"]) as HardhatTask),
  ...[coverageOptions, mutationOptions].flatMap((options) => Object.keys(options).map(asOption)),
]);

test("what a page names is found in fences, in spans and in tables", () => {
  const text = [
    "Say `flockctl keys",
    "new --out=F` or (`npm start`).",
    "```sh",
    "npx flockctl stake --role trainer \\",
    "  --amount 2 # --not this",
    "cp audit/audit.ts docs/<name>.md x/y.ts",
    "```",
    "| code | meaning |",
    "| --- | --- |",
    "| `0` | done |",
  ].join("\n");
  const code = codeOf(text);
  assert.deepEqual(
    usesOf(code, /\bflockctl (.*)/).map(({ words, options }) => [words.join(" "), options]),
    [
      ["stake", ["--role", "--amount"]],
      ["keys new", ["--out"]],
    ],
  );
  assert.deepEqual(
    usesOf(["localnet/ (npm start)"], /\bnpm (.*)/).map(({ words }) => words),
    [["start"]],
  );
  assert.deepEqual(
    code.flatMap((line) => pathsIn(line, ["audit", "docs"])),
    ["audit/audit.ts"],
  );
  assert.deepEqual(rowsOf(text, "code"), [["0", "done"]]);
});

for (const page of pages) {
  const code = codeOf(read(page));
  describe(`${page} names nothing that is not there:`, () => {
    test("scripts of npm", () => {
      for (const { words, options, line } of usesOf(code, /\bnpm (?=run |start\b|test\b)(.*)/)) {
        const [script, name] = words[0] === "run" ? words.slice(1) : words;
        assert.ok(script !== undefined && script in scripts, `"${line}": there is no such script`);
        const own = script === "start" ? options : [];
        for (const option of own) assert.ok(startOptions.includes(option), `"${line}": there is no ${option}`);
        if (script !== "bench" || name === undefined || name === "NAME") continue;
        assert.ok(existsSync(join(root, "bench", `${name}.ts`)), `"${line}": there is no such bench`);
      }
    });

    test("verbs of flockctl", () => {
      for (const { words, options, line } of usesOf(code, /\bflockctl(?:\.mjs)? (.*)/)) {
        const verb = verbOf(words);
        assert.ok(words.length === 0 || verb !== operators, `"${line}": there is no such verb`);
        for (const option of options) assert.ok(optionsOf(verb).includes(option), `"${line}": there is no ${option}`);
      }
    });

    test("tasks of Hardhat", () => {
      for (const { words, options, line } of usesOf(code, /\bhardhat (.*)/)) {
        const task = taskOf(words);
        assert.ok(task !== undefined, `"${line}": there is no such task`);
        for (const option of options) assert.ok(taskOptions(task).includes(option), `"${line}": there is no ${option}`);
      }
    });

    test("options", () => {
      for (const line of code) {
        const option = /^--[a-z][a-z0-9-]*/.exec(line)?.[0];
        assert.ok(option === undefined || known.has(option), `there is no ${option}`);
      }
    });

    test("files and folders", () => {
      for (const path of code.flatMap((line) => pathsIn(line, ROOMS))) {
        const here = existsSync(join(root, path)) || MADE_LATER.some((folder) => path.startsWith(folder));
        assert.ok(here, `there is no ${path}`);
      }
    });

    test("pages to turn to", () => {
      for (const [, target = ""] of read(page).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
        assert.ok(existsSync(join(root, dirname(page), target)), `there is no ${target}`);
      }
    });
  });
}

type Schema = { properties?: Record<string, Schema>; required?: string[]; anyOf?: Schema[]; default?: unknown };

/** Every field of a JSON schema by its path, with its default as the page writes it. */
function fieldsOf(
  { properties = {}, required = [], anyOf = [] }: Schema,
  before = "",
): [path: string, fallback: string][] {
  const own = Object.entries(properties).flatMap(([name, inner]): [string, string][] => {
    const deeper = fieldsOf(inner, `${before}${name}.`);
    if (deeper.length > 0) return deeper;
    const fallback = inner.default === undefined ? undefined : String(inner.default);
    return [[`${before}${name}`, fallback ?? (required.includes(name) ? "required" : "none")]];
  });
  return [...own, ...anyOf.flatMap((each) => fieldsOf(each, before))];
}

describe("docs/operating.md", () => {
  const page = read("docs/operating.md");

  test("has every field of a worker's configuration with its default", () => {
    const schema = z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }) as Schema;
    const rows = rowsOf(page, "field").map(([field = "", fallback = ""]) => [field, fallback]);
    assert.deepEqual(rows.toSorted(), fieldsOf(schema).toSorted());
  });

  test("has every exit code", () => {
    const codes = rowsOf(page, "code").map(([code]) => Number(code));
    assert.deepEqual(codes, Object.values(ExitCode));
  });

  test("has an example of every verb of flockctl", () => {
    const shown = new Set(usesOf(codeOf(page), /\bnpx flockctl (.*)/).map(({ words }) => words.join(" ")));
    for (const verb of leaves(operators)) assert.ok(shown.has(verb), `there is no example of flockctl ${verb}`);
  });
});

describe("docs/auditing.md", () => {
  test("explains every field of the report", () => {
    const round = {
      ...{ number: 1, isVoid: false, pot: 0n, paid: 0n, slashed: 0n, burned: 0n, bounty: 0n, headId: "0x" },
      ...{ reference: undefined, seedBlock: 0, seed: undefined, voterBlock: 0, voterValue: undefined },
      ...{ proposals: [], ballots: [], absences: [], accounts: [], slots: [] },
    };
    const report = {
      ...{ chainId: 1, task: 1n, fromBlock: 0n, toBlock: 0n, events: 0, differences: 0, firstDifference: undefined },
      ...{ heads: undefined, rounds: [round] },
    };
    const json = reportToJson(report as unknown as Parameters<typeof reportToJson>[0]);
    const explained = rowsOf(read("docs/auditing.md"), "field").flatMap(([field = ""]) => field.split(", "));
    const fields = [...Object.keys(json), ...Object.keys((json.rounds as object[])[0] as object)];
    assert.deepEqual(explained.toSorted(), fields.toSorted());
  });
});

describe("docs/assurance.md", () => {
  test("has every property that the model checker is asked, and the ones that it proved", () => {
    const files = readdirSync(join(root, "test/smt")).filter((name) => name.endsWith(".sol"));
    const names = files.flatMap((name) =>
      [...read(`test/smt/${name}`).matchAll(/^contract (\w+)/gm)].map(([, n]) => n),
    );
    const proved = JSON.parse(read("tools/smt/proved.json")) as string[];
    const rows = rowsOf(read("docs/assurance.md"), "property").map(([name = "", , result]) => [name, result]);
    const expected = names.map((name = "") => [name, proved.includes(name) ? "proved" : "not proved"]);
    assert.deepEqual(rows.toSorted(), expected.toSorted());
  });
});

describe("docs/training.md", () => {
  test("tells of the tiny base what its recipe tells", () => {
    const { heldOut, weights } = JSON.parse(read("models/tiny/recipe.json")) as {
      heldOut: Record<string, { loss: number; exactMatch: number }>;
      weights: number;
    };
    const page = read("docs/training.md").replace(/\s+/g, " ");
    assert.ok(page.includes(weights.toLocaleString("en-US")));
    for (const [kind, { loss, exactMatch }] of Object.entries(heldOut)) {
      const share = (100 * exactMatch).toFixed(1).replace(/\.0$/, exactMatch === 1 ? "" : ".0");
      assert.ok(page.includes(`${loss.toFixed(3)}, ${share} %`), `${kind}: ${loss.toFixed(3)}, ${share} %`);
    }
  });
});
