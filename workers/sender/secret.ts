import { hkdfSync } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";

/**
 * The secret behind an operator's salts and ballot copies, derived from its own key (HKDF, RFC 5869): whoever keeps that key can
 * open every commitment that was ever made under it. It says nothing about the key.
 */
export function secretOf(privateKey: Hex): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", hexToBytes(privateKey), "", "flock.salts.1", 32));
}

/**
 * Reads a secret from the file that a signer's machine has instead of the operator's key.
 * @throws PermanentError (usage) that never shows what the file holds.
 */
export async function readSecret(file: string): Promise<Uint8Array> {
  let text: string;
  try {
    text = (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw usage(`The secret ${file} cannot be read: ${(error as Error).message}.`);
  }
  if (!/^0x[0-9a-f]{64}$/.test(text)) {
    throw usage(`${file} does not hold a secret: 0x and 64 hex digits, as "flockctl signer secret" writes it.`);
  }
  return hexToBytes(text as Hex);
}

/**
 * Writes a secret to a new file that only this user can read.
 * @throws PermanentError (usage) if the file exists.
 */
export async function writeSecret(file: string, secret: Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  try {
    const handle = await open(file, "wx", 0o600);
    try {
      await handle.writeFile(`${bytesToHex(secret)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw usage(`${file} exists already and a secret is never written over: choose another name.`);
  }
}

function usage(message: string): PermanentError {
  return new PermanentError(message, { exitCode: ExitCode.usage });
}
