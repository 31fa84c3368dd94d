import { mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger };

/** Names under which a secret could reach a log line, at the top or one level down. */
const SECRETS = [
  "key",
  "privateKey",
  "password",
  "passphrase",
  "mnemonic",
  "secret",
  "masterSecret",
  "salt",
  "seedPhrase",
  "authorization",
];

export type LogParameters = {
  name: string;
  level?: string | undefined;
  /** A file, or any writable stream; standard error otherwise. */
  destination?: string | DestinationStream | undefined;
};

/**
 * Opens a log of one JSON object a line. Whatever stands under a secret's name is replaced, and so is the password in a URL.
 */
export function openLog({ name, level = "info", destination }: LogParameters): Logger {
  const stream = typeof destination === "object" ? destination : openFile(destination);
  return pino(
    {
      name,
      level,
      redact: { paths: SECRETS.flatMap((secret) => [secret, `*.${secret}`]), censor: "[secret]" },
      hooks: {
        streamWrite: (line) => line.replace(/(\/\/[^/@:\s"]*:)[^/@\s"]+@/g, "$1[secret]@"),
      },
    },
    stream,
  );
}

/** Appends to a file, or to standard error. A full disk costs lines, never the process: losing a log is no fault of a duty. */
function openFile(file: string | undefined): DestinationStream {
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true });
  const descriptor = file === undefined ? 2 : openSync(file, "a", 0o600);
  return {
    write(line) {
      try {
        writeSync(descriptor, line);
      } catch {
        // There is no other place to say it.
      }
    },
  };
}
