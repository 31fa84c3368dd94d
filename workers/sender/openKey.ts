import { readFile } from "node:fs/promises";
import type { Address } from "viem";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { type Acting, type OperatorKey, operatorKey } from "./key.ts";
import { keystoreAddress, openKeystore } from "./keystore.ts";

/** Where an operator's key is: an encrypted file, or an environment variable. Never a command line, which everyone can read. */
export type KeySource = { keystore: string; passwordFile?: string | undefined } | { env: string };

export type OpenKeyOptions = {
  env?: NodeJS.ProcessEnv | undefined;
  /** Asks a person for a password without showing it; absent where nobody can be asked. */
  ask?: ((question: string) => Promise<string>) | undefined;
  acting?: Acting | undefined;
};

/** Holds the password of a keystore, where no file does. */
export const PASSWORD_VARIABLE = "FLOCK_PASSWORD";

/**
 * Opens an operator's key. The password comes from the file named, else from FLOCK_PASSWORD, else from whoever can be asked.
 * @throws PermanentError if the key or its password cannot be had, or do not fit.
 */
export async function openKey(
  source: KeySource,
  { env = process.env, ask, acting }: OpenKeyOptions = {},
): Promise<OperatorKey> {
  if ("env" in source) return keyInEnvironment(source.env, env, acting);
  return openKeystore(source.keystore, await passwordOf(source, env, ask), acting);
}

/** The address of a key, which needs no password. */
export async function addressOfKey(source: KeySource, env: NodeJS.ProcessEnv = process.env): Promise<Address> {
  return "env" in source ? keyInEnvironment(source.env, env).address : keystoreAddress(source.keystore);
}

function keyInEnvironment(name: string, env: NodeJS.ProcessEnv, acting?: Acting): OperatorKey {
  const value = env[name];
  if (value === undefined || value === "") {
    throw usage(`The environment variable ${name}, which should hold the operator's key, is not set.`);
  }
  return operatorKey(value, `The environment variable ${name}`, acting);
}

async function passwordOf(
  { keystore, passwordFile }: Extract<KeySource, { keystore: string }>,
  env: NodeJS.ProcessEnv,
  ask: OpenKeyOptions["ask"],
): Promise<string> {
  if (passwordFile !== undefined) {
    try {
      return (await readFile(passwordFile, "utf8")).replace(/\r?\n$/, "");
    } catch (error) {
      throw usage(`The password file ${passwordFile} cannot be read: ${(error as Error).message}.`);
    }
  }
  const fromEnvironment = env[PASSWORD_VARIABLE];
  if (fromEnvironment !== undefined) return fromEnvironment;
  if (ask !== undefined) return ask(`Password of ${keystore}: `);
  throw usage(`The keystore ${keystore} needs a password: name a password file or set ${PASSWORD_VARIABLE}.`);
}

function usage(message: string): PermanentError {
  return new PermanentError(message, { exitCode: ExitCode.usage });
}
