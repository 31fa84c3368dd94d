import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { PermanentError } from "../../protocol/errors.ts";
import { canonicalManifest, MAX_MANIFEST_BYTES, manifestDigest, parseManifest } from "../../protocol/manifest.ts";
import { someManifest } from "../support/manifest.ts";

function refused(text: string, message: RegExp): void {
  assert.throws(
    () => parseManifest(text),
    (error: unknown) => error instanceof PermanentError && message.test(error.message),
    `wanted ${message}`,
  );
}

/** The valid manifest with one field replaced; the path is dotted. */
function manifestWith(path: string, value: unknown): string {
  const manifest = structuredClone(someManifest()) as unknown as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop()!;
  let place = manifest;
  for (const key of keys) place = place[key] as Record<string, unknown>;
  place[last] = value;
  return JSON.stringify(manifest);
}

test("a manifest is read", () => {
  assert.deepEqual(parseManifest(JSON.stringify(someManifest(), null, 2)), someManifest());
});

test("the canonical manifest has sorted keys and no spaces, whatever order it came in", () => {
  const reversed = Object.fromEntries(Object.entries(someManifest()).reverse());
  const canonical = canonicalManifest(someManifest());
  assert.equal(canonicalManifest(parseManifest(JSON.stringify(reversed))), canonical);
  assert.match(canonical, /^\{"adapter":\{"alpha":16,"exponent":20,"maxNorm":4\.5,"rank":8,"seed":"0x2/);
});

test("the digest is the sha256 of the canonical bytes", () => {
  const expected = createHash("sha256").update(canonicalManifest(someManifest())).digest("hex");
  assert.equal(manifestDigest(someManifest()), `0x${expected}`);
  assert.equal(manifestDigest(someManifest()), "0xca5ad61ea70d34e9f9bb09fff195cbd56b0c5f28db863a90bc79934af7013550");
});

test("a manifest over 64 KiB is refused before it is parsed", () => {
  refused(`${JSON.stringify(someManifest())}${" ".repeat(MAX_MANIFEST_BYTES)}`, /bytes, but at most 65536/);
});

test("what is not JSON is refused", () => refused("{", /^The manifest is not JSON/));

test("a key that stands twice in one object is refused, however it is spelled", () => {
  refused('{"name":"a","base":{"name":"b"},"name":"c"}', /the key "name" twice/);
  refused('{"name":"a","n\\u0061me":"c"}', /the key "name" twice/);
});

test("the same key in two objects, and text that looks like keys, are fine", () => {
  parseManifest(manifestWith("name", "a"));
  refused(manifestWith("name", '"a":{"a":1,"a":2'), /^Manifest field "name" is .*must be 1 to 100/);
});

test("an unknown key is named with its place", () => {
  refused(manifestWith("pilot", 1), /^The manifest has the unknown key "pilot"\.$/);
  refused(manifestWith("adapter.dropout", 0), /^Manifest field "adapter" has the unknown key "dropout"\.$/);
  refused(JSON.stringify(someManifest()).replace("{", '{"__proto__":{},'), /unknown key "__proto__"/);
});

test("every wrong field has its own line", () => {
  const manifest = JSON.parse(manifestWith("adapter.rank", 0)) as { maxTokens?: number };
  delete manifest.maxTokens;
  refused(
    JSON.stringify(manifest),
    /^Manifest field "adapter.rank" is 0: .*\nManifest field "maxTokens" is absent: .*$/,
  );
});

for (const path of [
  "../secret",
  "/etc/passwd",
  "a/../b",
  "a\\b",
  "C:x",
  ".hidden",
  "a//b",
  "a/",
  "",
  "a\u0000b",
  "x".repeat(201),
]) {
  test(`the file name ${JSON.stringify(path.slice(0, 20))} is refused`, () => {
    refused(manifestWith("base.files.0.path", path), /^Manifest field "base.files.0.path"/);
  });
}

test("two files may not share a name, not even in another case", () => {
  const file = { path: "a.json", sha256: `0x${"1".repeat(64)}`, bytes: 1 };
  refused(manifestWith("base.files", [file, { ...file, path: "A.json" }]), /"base.files": must not name a path twice/);
});

test("each domain has exactly one public file", () => {
  const [sums] = someManifest().public;
  refused(manifestWith("public", [sums]), /"public": must name exactly one file for each of the domains/);
  refused(manifestWith("public", [sums, sums]), /"public": must name exactly one file/);
});

test("the examples suffice for every domain", () => {
  refused(manifestWith("scoring.perDomain", 257), /"scoring.perDomain": must be at most examples \/ domains = 256/);
});

test("numbers beyond their bounds are refused", () => {
  refused(manifestWith("adapter.maxNorm", 0), /"adapter.maxNorm"/);
  refused(manifestWith("adapter.maxNorm", null), /"adapter.maxNorm"/);
  refused(manifestWith("aggregation.rate", { num: 1, den: 0 }), /"aggregation.rate.den"/);
  refused(manifestWith("adapter.targets", ["q_proj", "q_proj"]), /"adapter.targets": must not name a layer twice/);
  refused(manifestWith("base.files.0.sha256", `0x${"A".repeat(64)}`), /lower-case hex/);
});
