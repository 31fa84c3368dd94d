import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import hre from "hardhat";
import { parseParameters, readParameters } from "../../ignition/tasks/parameters.ts";
import { root } from "../../tools/files.ts";

const folder = join(root, "ignition/parameters");
const holder = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

test("the parameters of every network are right, and every value has a comment", async () => {
  const files = await readdir(folder);
  assert.deepEqual(files.sort(), ["baseSepolia.json5", "local.json5", "sepolia.json5"]);
  for (const file of files) {
    await readParameters(join(folder, file));
    const lines = (await readFile(join(folder, file), "utf8")).split("\n");
    lines.forEach((line, index) => {
      if (/^\s*\w+: ("|\d)/.test(line)) assert.match(lines[index - 1] ?? "", /^\s*\/\//, `${file}:${index + 1}`);
    });
  }
});

test("every network with parameters can be named with --network, as the chain of its kind", async () => {
  const files = await readdir(folder);
  const networks = files.map((file) => file.replace(".json5", "")).sort();
  const kinds = networks.map((name) => [name, hre.config.networks[name]?.type, hre.config.networks[name]?.chainType]);
  assert.deepEqual(kinds, [
    ["baseSepolia", "http", "op"],
    ["local", "http", "l1"],
    ["sepolia", "http", "l1"],
  ]);
});

const refused: { what: string; text: string; message: string | RegExp }[] = [
  { what: "text that is not JSON5", text: "{", message: /^The parameters here are not JSON5: / },
  {
    what: "an unknown module",
    text: "{Token: {}}",
    message: "here: there is no parameter Token; modules with parameters are FlockToken and NamedToken.",
  },
  {
    what: "an unknown parameter",
    text: "{FlockToken: {owner: 1}}",
    message: "here: there is no parameter FlockToken.owner; see ignition/parameters.",
  },
  {
    what: "a number for an address",
    text: "{FlockToken: {holder: 5}}",
    message: "here: FlockToken.holder must be an address in quotes.",
  },
  {
    what: "a wrong checksum",
    text: `{FlockToken: {holder: "${holder.replace("Fd6", "fD6")}"}}`,
    message: /^here: FlockToken\.holder must be an address: .*checksum/,
  },
  {
    what: "the zero address",
    text: `{FlockToken: {holder: "0x${"0".repeat(40)}"}}`,
    message: "here: FlockToken.holder must not be the zero address.",
  },
  {
    what: "a named token without address",
    text: "{NamedToken: {}}",
    message: "here: NamedToken.address must be an address in quotes.",
  },
];

for (const { what, text, message } of refused) {
  test(`${what} is refused in one sentence`, () => {
    assert.throws(() => parseParameters(text, "here"), { message, exitCode: 3 });
  });
}
