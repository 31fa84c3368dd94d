import { readFile } from "node:fs/promises";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { type OperatorKey, operatorKey } from "./key.ts";
import { openKeystore } from "./keystore.ts";

/** Where an operator's key is: an encrypted file, or an environment variable. Never a command line, which everyone can read. */
export type KeySource = { keystore: string; passwordFile?: string | undefined } | { env: string };

export type OpenKeyOptions = {
  env?: NodeJS.ProcessEnv | undefined;
  /** Asks a person for a password without showing it; absent where nobody can be asked. */
  ask?: ((question: string) => Promise<string>) | undefined;
};

/** Holds the password of a keystore, where no file does. */
export const PASSWORD_VARIABLE = "FLOCK_PASSWORD";

/**
 * Opens an operator's key. The password comes from the file named, else from FLOCK_PASSWORD, else from whoever can be asked.
 * @throws PermanentError if the key or its password cannot be had, or do not fit.
 */
export async function openKey(
  source: KeySource,
  { env = process.env, ask }: OpenKeyOptions = {},
): Promise<OperatorKey> {
  if ("env" in source) {
    const value = env[source.env];
    if (value === undefined || value === "") {
      throw usage(`The environment variable ${source.env}, which should hold the operator's key, is not set.`);
    }
    return operatorKey(value, `The environment variable ${source.env}`);
  }
  return openKeystore(source.keystore, await passwordOf(source, env, ask));
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
