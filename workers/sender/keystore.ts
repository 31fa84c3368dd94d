import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { decrypt, encrypt, scrypt, toKey } from "ox/Keystore";
import { type Address, getAddress, type Hex } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { z } from "zod";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { type Acting, type OperatorKey, operatorKey } from "./key.ts";

/** Work of one guess at the password (scrypt); the standard one takes 256 MiB and about two seconds. */
export const standardCost = { n: 2 ** 18, r: 8, p: 1 };
/** For keys that guard nothing of worth, such as those of a local network. */
export const lightCost = { n: 2 ** 12, r: 8, p: 1 };
export type ScryptCost = typeof standardCost;

/** Beyond this a file asks for more memory (4 GiB) than any honest one. */
const MAX_BLOCKS = 2 ** 25;

const hex = (bytes?: number) =>
  z.string().regex(bytes === undefined ? /^([0-9a-fA-F]{2})+$/ : new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`));
const positive = z.int().positive();

/** Web3 Secret Storage, version 3, with scrypt. */
const keystoreSchema = z.object({
  version: z.literal(3),
  id: z.string(),
  address: z.string().regex(/^(0x)?[0-9a-fA-F]{40}$/),
  crypto: z.object({
    cipher: z.literal("aes-128-ctr"),
    ciphertext: hex(32),
    cipherparams: z.object({ iv: hex(16) }),
    mac: hex(32),
    kdf: z.literal("scrypt"),
    kdfparams: z
      .object({ dklen: z.literal(32), n: positive, r: positive, p: positive, salt: hex() })
      .refine(({ n, r }) => n * r <= MAX_BLOCKS, "asks for too much memory"),
  }),
});
type KeystoreFile = z.output<typeof keystoreSchema>;

export type NewKeystoreParameters = {
  file: string;
  password: string;
  /** A new key by default. */
  privateKey?: Hex | undefined;
  cost?: ScryptCost | undefined;
};

/**
 * Encrypts a key into a new file that only this user can read.
 * @throws PermanentError if the file exists: a key is never written over.
 */
export async function newKeystore({
  file,
  password,
  privateKey = generatePrivateKey(),
  cost = standardCost,
}: NewKeystoreParameters): Promise<Address> {
  const address = privateKeyToAddress(privateKey);
  const [derived, parameters] = scrypt({ password: password.normalize("NFKC"), ...cost });
  const keystore = encrypt(privateKey, derived, parameters);
  await mkdir(dirname(file), { recursive: true });
  try {
    const handle = await open(file, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify({ address: address.slice(2).toLowerCase(), ...keystore })}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new PermanentError(`${file} exists already and a key is never written over: choose another name.`, {
      exitCode: ExitCode.usage,
    });
  }
  return address;
}

/** The address of a keystore, which needs no password. */
export async function keystoreAddress(file: string): Promise<Address> {
  return getAddress(`0x${(await readKeystore(file)).address.replace(/^0x/, "").toLowerCase()}`);
}

/**
 * Opens a keystore.
 * @throws PermanentError if the file is not one, or the password is wrong.
 */
export async function openKeystore(file: string, password: string, acting: Acting = {}): Promise<OperatorKey> {
  const { address: _, ...keystore } = await readKeystore(file);
  let privateKey: Hex;
  try {
    privateKey = decrypt(keystore, toKey(keystore, { password: password.normalize("NFKC") }));
  } catch {
    throw new PermanentError(`The password does not open the keystore ${file}.`, { exitCode: ExitCode.usage });
  }
  const key = operatorKey(privateKey, `The keystore ${file}`, acting);
  if (key.address !== (await keystoreAddress(file))) {
    throw new PermanentError(`The keystore ${file} names another address than its key has.`);
  }
  return key;
}

async function readKeystore(file: string): Promise<KeystoreFile> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    const reason = error instanceof SyntaxError ? "it is not JSON" : (error as Error).message;
    throw new PermanentError(`The keystore ${file} cannot be read: ${reason}.`, { exitCode: ExitCode.usage });
  }
  const parsed = keystoreSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path }) => path.join(".") || "all of it");
  throw new PermanentError(
    `${file} is not a keystore of version 3 with scrypt and aes-128-ctr (wrong: ${wrong.join(", ")}).`,
  );
}
