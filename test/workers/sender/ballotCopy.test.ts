import assert from "node:assert/strict";
import { createDecipheriv, hkdfSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { MAX_COPY } from "../../../protocol/words.ts";
import { openCopy, sealCopy } from "../../../workers/sender/ballotCopy.ts";

const secret = new Uint8Array(32).fill(7);
const where = {
  chainId: 31337,
  contract: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  task: 1n,
  round: 2,
  operator: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
} as const;
const ballot = { scores: 0x8000_0005n, report: `0x${"ab".repeat(32)}`, head: `0x${"cc".repeat(20)}` } as const;

test("a copy is nonce, scores, report, head and tag, under a key of the secret and of the place", () => {
  const bytes = hexToBytes(sealCopy(secret, where, ballot));
  assert.equal(bytes.length, 112);
  assert.ok(bytes.length <= MAX_COPY);
  const info =
    "flock.ballot-copy.1|31337|0x70997970c51812dc3a010c7d01b50e0d17dc79c8|1|2|0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc";
  const key = Buffer.from(hkdfSync("sha256", secret, "", info, 32));
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(96));
  const plain = Buffer.concat([decipher.update(bytes.subarray(12, 96)), decipher.final()]);
  assert.equal(bytesToHex(plain.subarray(0, 32)), `0x${ballot.scores.toString(16).padStart(64, "0")}`);
  assert.equal(bytesToHex(plain.subarray(32, 64)), ballot.report);
  assert.equal(bytesToHex(plain.subarray(64)), ballot.head);
});

test("a copy gives back what was sealed, whatever it was", () => {
  const hex = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(bytesToHex);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), hex(32), hex(20), (scores, report, head) => {
      const sealed = sealCopy(secret, where, { scores, report, head });
      assert.deepEqual(openCopy(secret, where, sealed), { scores, report, head });
    }),
  );
});

test("a copy opens with its own secret and in its own place only, and not if a bit of it is changed", () => {
  const sealed = sealCopy(secret, where, ballot);
  assert.equal(openCopy(new Uint8Array(32).fill(8), where, sealed), undefined);
  const places = [
    { ...where, chainId: 1 },
    { ...where, contract: where.operator },
    { ...where, task: 2n },
    { ...where, round: 3 },
    { ...where, operator: where.contract },
  ];
  for (const place of places) assert.equal(openCopy(secret, place, sealed), undefined);
  for (let at = 0; at < 112; at++) {
    const bytes = hexToBytes(sealed);
    bytes[at] = (bytes[at] as number) ^ 1;
    assert.equal(openCopy(secret, where, bytesToHex(bytes)), undefined, `byte ${at}`);
  }
  const others: Hex[] = ["0x", sealed.slice(0, -2) as Hex, `${sealed}00`];
  for (const other of others) assert.equal(openCopy(secret, where, other), undefined);
});

test("a ballot sealed twice has two copies that tell nobody that they are the same", () => {
  assert.notEqual(sealCopy(secret, where, ballot).slice(26), sealCopy(secret, where, ballot).slice(26));
});
