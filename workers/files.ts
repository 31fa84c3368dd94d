import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, constants, mkdir, open, readdir, rename, rm, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Hex } from "viem";
import { ExitCode, PassingError, PermanentError } from "../protocol/errors.ts";

/**
 * Makes a folder that the configuration names, and makes sure that it can be written.
 * @throws PermanentError (usage) if it cannot.
 */
export async function openFolder(folder: string, { what, setting }: { what: string; setting: string }): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new PermanentError(`The ${what} ${folder} cannot be written (${code}): name another as "${setting}".`, {
      cause,
      exitCode: ExitCode.usage,
    });
  }
}

/** Writes a file as a whole or not at all: a temporary file beside it, flushed to the disk, then renamed. */
export async function writeFileAtomic(
  file: string,
  bytes: Uint8Array | string,
  { mode = 0o644 }: { mode?: number | undefined } = {},
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${randomBytes(6).toString("hex")}.part`;
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes what a killed process left half-written of `file`. Only while nobody else writes it. */
export async function removeParts(file: string): Promise<void> {
  const left = (await readdir(dirname(file)).catch(() => [])).filter(
    (name) => name.startsWith(`${basename(file)}.`) && name.endsWith(".part"),
  );
  for (const name of left) await rm(join(dirname(file), name), { force: true });
}

/** Free space that is left to others: a tenth of the disk, but never more than this. */
const KEEP_FREE_BYTES = 2 ** 30;
const KEEP_FREE_SHARE = 0.1;

/** @throws PassingError if so many bytes more leave less than `keepFree` of a folder's disk; a tenth, at most 1 GiB, by default. */
export async function requireSpace(dir: string, bytes: number, keepFree?: number): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(dir);
  const reserve = keepFree ?? Math.min(blocks * bsize * KEEP_FREE_SHARE, KEEP_FREE_BYTES);
  const free = bavail * bsize;
  if (free - bytes < reserve) {
    throw new PassingError(
      `The disk of ${dir} has ${toMiB(free)} MiB free, too little to keep ${toMiB(bytes)} MiB more and ${toMiB(reserve)} MiB in reserve: make room.`,
    );
  }
}

const toMiB = (bytes: number) => Math.ceil(bytes / 2 ** 20);

/** sha256 of a file of any size. */
export async function sha256OfFile(file: string): Promise<Hex> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return `0x${hash.digest("hex")}`;
}

/** sha256 over the names and contents of a folder's files that end in `ending`, in the order of their names. */
export async function sha256OfFolder(folder: string, ending: string): Promise<Hex> {
  const hash = createHash("sha256");
  const names = (await readdir(folder)).filter((name) => name.endsWith(ending)).sort();
  for (const name of names) hash.update(`${name}\0${await sha256OfFile(join(folder, name))}\n`);
  return `0x${hash.digest("hex")}`;
}
