import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { root } from "../../tools/files.ts";

const readme = readFileSync(join(root, "README.md"), "utf8");
const pages = [
  "README.md",
  "CHANGELOG.md",
  "SECURITY.md",
  ...readdirSync(join(root, "docs"))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
];

test("the README fits on a page and its map is that of the tree", () => {
  assert.ok(readme.trimEnd().split("\n").length <= 80);
  const map = /## The map\n\n```\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const mapped = [...map.matchAll(/^(\w+)\/ /gm)].map(([, folder]) => folder).sort();
  const tracked = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).split("\n");
  const folders = new Set(
    tracked.filter((path) => /^\w+\//.test(path)).map((path) => path.slice(0, path.indexOf("/"))),
  );
  assert.deepEqual(mapped, [...folders].sort());
});

test("every link between the pages leads somewhere", () => {
  for (const page of pages.filter((path) => path.endsWith(".md"))) {
    const text = readFileSync(join(root, page), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\(([^)#]+?)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target)) continue;
      assert.ok(existsSync(join(root, dirname(page), target)), `${page} links to ${target}`);
    }
  }
});

test("every npm script that a page names is there", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  for (const page of pages) {
    for (const [, script = ""] of readFileSync(join(root, page), "utf8").matchAll(
      /npm run (?:-s |--silent )?([a-z][\w:]*)/g,
    )) {
      assert.ok(script in scripts, `${page} names npm run ${script}`);
    }
  }
});
