import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { inspect } from "node:util";
import { type Hex, parseTransaction, recoverTransactionAddress } from "viem";
import { PermanentError } from "../../../protocol/errors.ts";
import { operatorKey } from "../../../workers/sender/key.ts";
import { keystoreAddress, lightCost, newKeystore, openKeystore } from "../../../workers/sender/keystore.ts";
import { openKey } from "../../../workers/sender/openKey.ts";
import { saltOf } from "../../../workers/sender/salts.ts";

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "flock-keys-test-"));
  file = join(dir, "keys", "one.json");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const privateKey: Hex = "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const address = "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b";

/** The scrypt example of the Web3 Secret Storage definition, password "testpassword". */
const example = {
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "83dbcc02d8ccb40e466191a123791e0e" },
    ciphertext: "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
    kdf: "scrypt",
    kdfparams: {
      dklen: 32,
      n: 262144,
      p: 8,
      r: 1,
      salt: "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
    },
    mac: "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
  address: "008aeeda4d805471df9b2a5b0f38a0c3bcba786b",
};

test("opens the published example of the format", async () => {
  const known = join(dir, "example.json");
  await writeFile(known, JSON.stringify(example));
  assert.equal((await openKeystore(known, "testpassword")).address, address);
});

test("keeps a key in a file that only its owner reads and only its password opens", async () => {
  assert.equal(await newKeystore({ file, password: "secret words", privateKey, cost: lightCost }), address);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.ok(!(await readFile(file, "utf8")).includes(privateKey.slice(2)));
  assert.equal(await keystoreAddress(file), address);
  assert.equal((await openKeystore(file, "secret words")).address, address);
  await assert.rejects(openKeystore(file, "secret word"), /The password does not open the keystore/);
});

test("never writes over a key", async () => {
  await newKeystore({ file, password: "a", cost: lightCost });
  const before = await readFile(file, "utf8");
  await assert.rejects(newKeystore({ file, password: "b", cost: lightCost }), /never written over/);
  assert.equal(await readFile(file, "utf8"), before);
});

test("error: a keystore that was changed does not open", async () => {
  await newKeystore({ file, password: "a", privateKey, cost: lightCost });
  const keystore = JSON.parse(await readFile(file, "utf8"));
  const changed = (change: object) => writeFile(file, JSON.stringify({ ...keystore, ...change }));
  await changed({ address: "00".repeat(20) });
  await assert.rejects(openKeystore(file, "a"), /names another address/);
  await changed({ crypto: { ...keystore.crypto, ciphertext: "00".repeat(32) } });
  await assert.rejects(openKeystore(file, "a"), PermanentError);
  await changed({ crypto: { ...keystore.crypto, kdf: "md5" } });
  await assert.rejects(openKeystore(file, "a"), /is not a keystore of version 3.*wrong: crypto\.kdf/);
  await changed({ crypto: { ...keystore.crypto, kdfparams: { ...keystore.crypto.kdfparams, n: 2 ** 30 } } });
  await assert.rejects(openKeystore(file, "a"), /wrong: crypto\.kdfparams/);
  await writeFile(file, "not json");
  await assert.rejects(openKeystore(file, "a"), /it is not JSON/);
});

test("takes the password from a file, the environment or a person, in this order", async () => {
  await newKeystore({ file, password: "right", privateKey, cost: lightCost });
  const passwordFile = join(dir, "password");
  await writeFile(passwordFile, "right\n");
  const env = { FLOCK_PASSWORD: "wrong" };
  assert.equal((await openKey({ keystore: file, passwordFile }, { env })).address, address);
  assert.equal((await openKey({ keystore: file }, { env: { FLOCK_PASSWORD: "right" } })).address, address);
  assert.equal((await openKey({ keystore: file }, { env: {}, ask: async () => "right" })).address, address);
  await assert.rejects(openKey({ keystore: file }, { env }), /does not open/);
  await assert.rejects(openKey({ keystore: file }, { env: {} }), /needs a password/);
  await assert.rejects(openKey({ keystore: file, passwordFile: join(dir, "none") }), /cannot be read/);
});

test("takes a key from the environment, and shows it in no error", async () => {
  assert.equal((await openKey({ env: "KEY" }, { env: { KEY: privateKey } })).address, address);
  assert.equal((await openKey({ env: "KEY" }, { env: { KEY: ` ${privateKey.slice(2)}\n` } })).address, address);
  await assert.rejects(openKey({ env: "KEY" }, { env: {} }), /KEY, which should hold the operator's key, is not set/);
  for (const bad of [`${privateKey}ab`, `0x${"f".repeat(64)}`, `0x${"0".repeat(64)}`, "hello"]) {
    await assert.rejects(openKey({ env: "KEY" }, { env: { KEY: bad } }), (error: Error) => {
      assert.ok(error instanceof PermanentError);
      assert.ok(!inspect(error, { depth: 9 }).includes(bad.slice(2)), "the error shows the key");
      return true;
    });
  }
});

test("an opened key signs, and shows itself to nobody", async () => {
  const key = operatorKey(privateKey, "test");
  const signed = await key.sign({ type: "eip1559", chainId: 1, nonce: 7, gas: 21_000n, to: address });
  assert.equal(parseTransaction(signed).nonce, 7);
  assert.equal(await recoverTransactionAddress({ serializedTransaction: signed as `0x02${string}` }), address);
  for (const shown of [inspect(key, { depth: 9, showHidden: true }), JSON.stringify(key), String(key)]) {
    assert.ok(!shown.includes(privateKey.slice(2, 20)), shown);
  }
});

test("every commitment has a salt of its own, and always the same one", () => {
  const key = operatorKey(privateKey, "test");
  const facts = { type: "proposal", chainId: 1, contract: address, task: 1n, round: 1 } as const;
  const salt = key.salt(facts);
  assert.match(salt, /^0x[0-9a-f]{64}$/);
  assert.equal(operatorKey(privateKey, "test").salt({ ...facts }), salt);
  const others = [
    key.salt({ ...facts, type: "ballot" }),
    key.salt({ ...facts, chainId: 2 }),
    key.salt({ ...facts, contract: "0x0000000000000000000000000000000000000001" }),
    key.salt({ ...facts, task: 2n }),
    key.salt({ ...facts, round: 2 }),
    operatorKey(`0x${"11".repeat(32)}`, "test").salt(facts),
    saltOf(Buffer.alloc(32), { ...facts, operator: address }),
  ];
  assert.equal(new Set([salt, ...others]).size, 8);
});
