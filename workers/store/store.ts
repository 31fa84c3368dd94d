import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import { PassingError, PermanentError } from "../../protocol/errors.ts";
import { openFolder, requireSpace } from "../files.ts";

/** A temporary file older than this belongs to a process that is gone, in milliseconds. */
const ABANDONED_MS = 3_600_000;

const TEMPORARY = /^\.[0-9a-f]{32}\.part$/;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

export type StoredFile = { handle: FileHandle; bytes: number };

/** Artifacts and reports by the sha256 of their bytes, each a file named by its 64 lower-case hex digits. */
export type Store = {
  dir: string;
  /** Keeps the bytes, whole or not at all, and returns their digest. */
  put(bytes: Uint8Array): Promise<Hex>;
  /** The bytes of a digest, checked. @throws PassingError if they are not here. */
  get(digest: Hex): Promise<Buffer>;
  has(digest: Hex): Promise<boolean>;
  /** Opens the file of a digest for reading, checked; undefined if it is not here. The caller closes it. */
  open(digest: Hex): Promise<StoredFile | undefined>;
};

export type StoreOptions = {
  /** Free bytes below which nothing more is written; a tenth of the disk, at most 1 GiB, by default. */
  keepFree?: number | undefined;
};

/** Opens (and makes) a store in a folder of its own. @throws PermanentError (usage) if the folder cannot be written. */
export async function openStore(dir: string, { keepFree }: StoreOptions = {}): Promise<Store> {
  await openFolder(dir, { what: "store's folder", setting: "store.dir" });
  await removeAbandoned(dir);
  /** What was found whole, as it was then: the file need not be read again before it is served. */
  const checked = new Map<Hex, string>();

  const openChecked = async (digest: Hex): Promise<StoredFile | undefined> => {
    const file = fileOf(dir, digest);
    const handle = await openForReading(file);
    if (handle === undefined) return undefined;
    try {
      const { size, mtimeMs, ino } = await handle.stat();
      const version = `${size} ${mtimeMs} ${ino}`;
      if (checked.get(digest) !== version) {
        if ((await sha256Of(handle)) !== digest) {
          await rm(file, { force: true });
          throw new PassingError(`The store's copy of ${digest} in ${dir} was damaged and is removed: fetch it again.`);
        }
        checked.set(digest, version);
      }
      return { handle, bytes: size };
    } catch (error) {
      await handle.close();
      throw error;
    }
  };

  return {
    dir,
    async put(bytes) {
      const digest = sha256(bytes);
      const present = await openChecked(digest).catch(() => undefined);
      if (present !== undefined) {
        await present.handle.close();
        return digest;
      }
      await requireSpace(dir, bytes.length, keepFree);
      const temporary = join(dir, `.${randomBytes(16).toString("hex")}.part`);
      try {
        await writeNew(temporary, bytes);
        await verify(temporary, digest);
        await rename(temporary, fileOf(dir, digest));
      } finally {
        await rm(temporary, { force: true });
      }
      await flushFolder(dir);
      return digest;
    },
    async get(digest) {
      const found = await openChecked(digest);
      if (found === undefined) throw new PassingError(`The store in ${dir} does not have ${digest}.`);
      try {
        return await readWhole(found);
      } finally {
        await found.handle.close();
      }
    },
    async has(digest) {
      const found = await stat(fileOf(dir, digest)).catch(() => undefined);
      return found?.isFile() ?? false;
    },
    open: openChecked,
  };
}

export function sha256(bytes: Uint8Array): Hex {
  return `0x${createHash("sha256").update(bytes).digest("hex")}`;
}

function fileOf(dir: string, digest: Hex): string {
  // Only this shape reaches the file system: a name from outside is never joined to a path.
  if (!/^0x[0-9a-f]{64}$/.test(digest)) {
    throw new PermanentError(`${JSON.stringify(digest)} is not a digest: 0x and 64 lower-case hex digits.`);
  }
  return join(dir, digest.slice(2));
}

async function openForReading(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, O_RDONLY | O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ELOOP") return undefined;
    throw error;
  }
}

async function writeNew(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function verify(file: string, digest: Hex): Promise<void> {
  const handle = await open(file, O_RDONLY | O_NOFOLLOW);
  try {
    if ((await sha256Of(handle)) !== digest) {
      throw new PassingError(`The disk gave back other bytes than were written for ${digest}.`);
    }
  } finally {
    await handle.close();
  }
}

async function sha256Of(handle: FileHandle): Promise<Hex> {
  const hash = createHash("sha256");
  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) hash.update(chunk as Buffer);
  return `0x${hash.digest("hex")}`;
}

async function readWhole({ handle, bytes }: StoredFile): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await handle.read(buffer, at, bytes - at, at);
    if (bytesRead === 0) throw new PassingError("A file of the store became shorter while it was read.");
    at += bytesRead;
  }
  return buffer;
}

/** A rename is on the disk for certain only when its folder is. */
async function flushFolder(dir: string): Promise<void> {
  const handle = await open(dir, O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeAbandoned(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!TEMPORARY.test(name)) continue;
    const file = join(dir, name);
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > ABANDONED_MS) await rm(file, { force: true });
  }
}
