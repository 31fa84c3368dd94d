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
  const stream =
    typeof destination === "object"
      ? destination
      : pino.destination({ dest: destination ?? 2, mkdir: true, sync: false });
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
