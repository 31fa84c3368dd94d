import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { keystoreAddress, newKeystore } from "../sender/keystore.ts";
import { PASSWORD_VARIABLE } from "../sender/openKey.ts";
import { showReport, type Terminal } from "./report.ts";

const SHORTEST_PASSWORD = 8;

/** `flockctl keys new|list`: encrypted keys of operators. A key itself is never shown, and never an argument. */
export function keysCommand(terminal: Terminal): Command {
  const keys = new Command("keys").description("make and list encrypted operator keys");
  keys
    .command("new")
    .description("make a new key in an encrypted keystore (version 3, scrypt); prints its address")
    .requiredOption("--out <file>", "keystore to write; an existing file is never written over")
    .option("--password-file <file>", `file with the password; else ${PASSWORD_VARIABLE}, else you are asked`)
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  flockctl keys new --out keys/trainer.json --password-file keys/password")
    .action(async (options: { out: string; passwordFile?: string; json?: boolean }) => {
      const file = resolve(options.out);
      const password = await newPassword(terminal, options.passwordFile);
      const address = await newKeystore({ file, password });
      showReport(
        terminal,
        {
          json: { address, keystore: file },
          fields: [
            ["address", address],
            ["keystore", file],
          ],
        },
        options,
      );
    });
  keys
    .command("list")
    .description("list the keystores of a folder and their addresses; needs no password")
    .option("--dir <folder>", "folder to look in", "keys")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  flockctl keys list --dir keys")
    .action(async (options: { dir: string; json?: boolean }) => {
      const found = await listKeystores(resolve(options.dir));
      showReport(
        terminal,
        {
          json: found,
          table: { head: ["address", "keystore"], rows: found.map(({ address, keystore }) => [address, keystore]) },
        },
        options,
      );
    });
  return keys;
}

async function listKeystores(dir: string): Promise<{ address: string; keystore: string }[]> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (cause) {
    throw new PermanentError(`The folder ${dir} cannot be read; name the folder of your keystores by --dir.`, {
      cause,
      exitCode: ExitCode.usage,
    });
  }
  const found: { address: string; keystore: string }[] = [];
  for (const name of names.filter((each) => each.endsWith(".json")).sort()) {
    const keystore = join(dir, name);
    const address = await keystoreAddress(keystore).catch(() => undefined); // other JSON lies here, too
    if (address !== undefined) found.push({ address, keystore });
  }
  return found;
}

/** A password for a new key: long enough, and typed twice if a person types it. */
async function newPassword(terminal: Terminal, file: string | undefined): Promise<string> {
  const password = await firstPassword(terminal, file);
  if (password.length < SHORTEST_PASSWORD) {
    throw new PermanentError(`The password is shorter than ${SHORTEST_PASSWORD} characters: choose a longer one.`, {
      exitCode: ExitCode.usage,
    });
  }
  return password;
}

async function firstPassword(terminal: Terminal, file: string | undefined): Promise<string> {
  if (file !== undefined) {
    try {
      return (await readFile(file, "utf8")).replace(/\r?\n$/, "");
    } catch (cause) {
      throw new PermanentError(`The password file ${file} cannot be read.`, { cause, exitCode: ExitCode.usage });
    }
  }
  const fromEnvironment = process.env[PASSWORD_VARIABLE];
  if (fromEnvironment !== undefined) return fromEnvironment;
  if (terminal.ask === undefined) {
    throw new PermanentError(`The new key needs a password: name a --password-file or set ${PASSWORD_VARIABLE}.`, {
      exitCode: ExitCode.usage,
    });
  }
  const once = await terminal.ask("New password: ", { hidden: true });
  const again = await terminal.ask("The same again: ", { hidden: true });
  if (once !== again) throw new PermanentError("The two passwords differ.", { exitCode: ExitCode.usage });
  return once;
}
