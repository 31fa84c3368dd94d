import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { bytesToHex, type Hex, hexToBytes, numberToBytes } from "viem";
import type { Place } from "../../protocol/rules/commitments.ts";

/** What the copy of a ballot holds; its salt is derived anyway. */
export type CopiedBallot = { scores: bigint; report: Hex; head: Hex };

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PLAIN_BYTES = 32 + 32 + 20;

/**
 * A ballot that only the voter's own secret opens, for the event that seals it: 12-byte nonce, AES-256-GCM of scores (32 bytes),
 * report (32) and head (20), 16-byte tag; 112 bytes in all. The key is HKDF-SHA256 of the secret and of the place, so a copy
 * opens nowhere else.
 */
export function sealCopy(secret: Uint8Array, where: Place, { scores, report, head }: CopiedBallot): Hex {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", keyOf(secret, where), nonce);
  const plain = Buffer.concat([numberToBytes(scores, { size: 32 }), hexToBytes(report), hexToBytes(head)]);
  return bytesToHex(Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
}

/** The ballot in a copy; undefined if another secret sealed it, or for another place, or it is no such copy. */
export function openCopy(secret: Uint8Array, where: Place, copy: Hex): CopiedBallot | undefined {
  const bytes = hexToBytes(copy);
  if (bytes.length !== NONCE_BYTES + PLAIN_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", keyOf(secret, where), bytes.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
  const part = (from: number, to: number) => bytesToHex(plain.subarray(from, to));
  return { scores: BigInt(part(0, 32)), report: part(32, 64), head: part(64, 84) };
}

function keyOf(secret: Uint8Array, { chainId, contract, task, round, operator }: Place): Buffer {
  const info = ["flock.ballot-copy.1", chainId, contract.toLowerCase(), task, round, operator.toLowerCase()].join("|");
  return Buffer.from(hkdfSync("sha256", secret, "", info, 32));
}
