import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Command } from "commander";
import { privateKeyToAddress } from "viem/accounts";
import { ExitCode } from "../../../protocol/errors.ts";
import { exitOf } from "../../../workers/cli/exit.ts";
import { flockctl as program } from "../../../workers/cli/program.ts";
import { lightCost, newKeystore } from "../../../workers/sender/keystore.ts";
import { flockctl, startFlockctl } from "../../support/workerTask.ts";

describe("flockctl keys", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-keys-"));
    await writeFile(join(folder, "password"), "correct horse\n");
  });
  after(() => rm(folder, { recursive: true }));
  const create = (name: string, ...more: string[]) =>
    flockctl(["keys", "new", "--out", join(folder, name), "--password-file", join(folder, "password"), ...more]);

  test("makes a key that only its owner can read, and shows its address alone", async () => {
    const { code, stdout, stderr } = await create("a.json", "--json");
    assert.equal(code, 0, stderr);
    const { address, keystore } = JSON.parse(stdout);
    assert.match(address, /^0x[0-9a-fA-F]{40}$/);
    assert.equal((await stat(keystore)).mode & 0o077, 0);
    const file = JSON.parse(await readFile(keystore, "utf8"));
    assert.equal(file.crypto.kdf, "scrypt");
  });

  test("writes over no key", async () => {
    const file = join(folder, "kept.json");
    await writeFile(file, "precious");
    const { code, stderr } = await create("kept.json");
    assert.equal(code, 2);
    assert.match(stderr, /exists already and a key is never written over/);
    assert.equal(await readFile(file, "utf8"), "precious");
  });

  test("asks for a password where none is given and nobody can be asked", async () => {
    const { code, stderr } = await flockctl(["keys", "new", "--out", join(folder, "none.json")]);
    assert.equal(code, 2);
    assert.match(stderr, /needs a password: name a --password-file or set FLOCK_PASSWORD/);
    await assert.rejects(stat(join(folder, "none.json")));
  });

  test("refuses a short password", async () => {
    const { code, stderr } = await flockctl(["keys", "new", "--out", join(folder, "none.json")], {
      FLOCK_PASSWORD: "1234567",
    });
    assert.equal(code, 2);
    assert.match(stderr, /shorter than 8 characters/);
  });

  test("lists keystores and leaves other files alone", async () => {
    const privateKey = `0x${"42".repeat(32)}` as const;
    const listed = join(folder, "listed");
    await newKeystore({ file: join(listed, "k.json"), password: "correct horse", privateKey, cost: lightCost });
    await writeFile(join(listed, "other.json"), "{}");
    const { code, stdout } = await flockctl(["keys", "list", "--dir", listed]);
    assert.equal(code, 0);
    assert.equal(stdout, `address\tkeystore\n${privateKeyToAddress(privateKey)}\t${join(listed, "k.json")}\n`);
  });

  test("takes no key as an argument", async () => {
    const { code, stderr } = await flockctl(["keys", "new", "--key", `0x${"42".repeat(32)}`, "--out", "x"]);
    assert.equal(code, 2);
    assert.match(stderr, /unknown option '--key'/);
  });
});

const silent = { write: () => {}, tell: () => {}, isTerminal: false, ask: undefined };

/** Every command that does something itself, in full: "keys new". */
function leaves(command: Command, before: string[] = []): string[] {
  if (command.commands.length === 0) return [before.join(" ")];
  return command.commands.flatMap((each) => leaves(each, [...before, each.name()]));
}

describe("flockctl", () => {
  test("shows an example with the help of every verb", async () => {
    for (const verb of leaves(program(silent))) {
      let text = "";
      const terminal = {
        write: (more: string) => {
          text += more;
        },
        tell: () => {},
        isTerminal: false,
        ask: undefined,
      };
      const parsed = program(terminal).parseAsync([...verb.split(" "), "--help"], { from: "user" });
      await assert.rejects(parsed, (error: Error) => exitOf(error).code === ExitCode.ok);
      assert.match(text, new RegExp(`Example:\n +flockctl ${verb} `));
    }
  });

  test("ends without a word when nobody reads on", async () => {
    const help = startFlockctl(["--help"]);
    help.hangUp();
    assert.deepEqual(await help.ended, { code: 0, stdout: "", stderr: "" });
  });

  test("ends with 2 and a hint for a wrong command line", async () => {
    for (const args of [["fly"], ["stake"], ["worker", "--config", "x", "--fast"]]) {
      const { code, stderr } = await flockctl(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /add --help/);
    }
  });

  test("names the configuration that is missing", async () => {
    const { code, stderr } = await flockctl(["status", "--config", "/nowhere.json"]);
    assert.equal(code, 2);
    assert.match(stderr, /The configuration \/nowhere\.json cannot be read/);
    assert.equal(stderr.trim().split("\n").length, 1);
  });
});
