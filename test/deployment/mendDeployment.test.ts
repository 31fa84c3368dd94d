import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { mendDeployment } from "../../ignition/tasks/mendDeployment.ts";

const first = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const second = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";
const entries = [
  { type: "DEPLOYMENT_INITIALIZE", chainId: 31337 },
  { type: "DEPLOYMENT_EXECUTION_STATE_COMPLETE", futureId: "A#A", result: { type: "SUCCESS", address: first } },
  { type: "CONTRACT_AT_EXECUTION_STATE_INITIALIZE", futureId: "B#B", contractAddress: second },
  { type: "CALL_EXECUTION_STATE_COMPLETE", futureId: "B#A.bind", result: { type: "SUCCESS" } },
];
const journal = entries.map((entry) => `\n${JSON.stringify(entry)}`).join("");
const addresses = { "A#A": first, "B#B": second };

async function makeFolder(t: TestContext, files: Record<string, string>) {
  const dir = await mkdtemp(join(tmpdir(), "flock-deployment-"));
  t.after(() => rm(dir, { recursive: true }));
  for (const folder of ["artifacts", "build-info"]) await mkdir(join(dir, folder));
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  return dir;
}

const read = (dir: string, name: string) => readFile(join(dir, name), "utf8");

for (const [what, torn] of [
  ["empty", ""],
  ["cut short", `{ "A#A": "0x5Fb`],
  ["without its newest contract", JSON.stringify({ "A#A": first })],
] as const) {
  test(`a list of addresses that is ${what} is written again from the journal`, async (t) => {
    const dir = await makeFolder(t, { "journal.jsonl": journal, "deployed_addresses.json": torn });
    await mendDeployment(dir);
    assert.deepEqual(JSON.parse(await read(dir, "deployed_addresses.json")), addresses);
    assert.equal(await read(dir, "journal.jsonl"), journal);
    assert.deepEqual((await readdir(dir)).sort(), [
      "artifacts",
      "build-info",
      "deployed_addresses.json",
      "journal.jsonl",
    ]);
  });
}

test("every cut through the last line of the journal leaves the lines before it", async (t) => {
  const last = journal.lastIndexOf("\n");
  for (let length = last; length < journal.length; length += 1) {
    const dir = await makeFolder(t, { "journal.jsonl": journal.slice(0, length) });
    await mendDeployment(dir);
    assert.equal((await read(dir, "journal.jsonl")).trimEnd(), journal.slice(0, last), `cut after ${length}`);
  }
});

test("a wiped contract is not an address", async (t) => {
  const wiped = `${journal}\n${JSON.stringify({ type: "WIPE_APPLY", futureId: "A#A" })}`;
  const dir = await makeFolder(t, { "journal.jsonl": wiped, "deployed_addresses.json": "" });
  await mendDeployment(dir);
  assert.deepEqual(JSON.parse(await read(dir, "deployed_addresses.json")), { "B#B": second });
});

test("torn copies of artifacts go, whole ones stay", async (t) => {
  const files = { "artifacts/A#A.json": "{}", "artifacts/B#B.json": `{"abi":`, "build-info/1.json": "" };
  const dir = await makeFolder(t, { "journal.jsonl": journal, ...files });
  await mendDeployment(dir);
  assert.deepEqual(await readdir(join(dir, "artifacts")), ["A#A.json"]);
  assert.deepEqual(await readdir(join(dir, "build-info")), []);
});

test("a folder that is whole, or not there, is left as it is", async (t) => {
  const list = JSON.stringify(addresses);
  const dir = await makeFolder(t, { "journal.jsonl": journal, "deployed_addresses.json": list });
  await mendDeployment(dir);
  assert.equal(await read(dir, "deployed_addresses.json"), list);
  await mendDeployment(join(dir, "nowhere"));
  assert.ok(!(await readdir(dir)).includes("nowhere"));
});
