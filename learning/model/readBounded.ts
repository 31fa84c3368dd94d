import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { PermanentError } from "../../protocol/errors.ts";

/**
 * The text of a file of a model's folder.
 *
 * @throws PermanentError if it is missing, no regular file or longer than `most` bytes: then nothing of it is read.
 */
export async function readBounded(path: string, most: number): Promise<string> {
  const fail = (what: string, cause?: unknown): never => {
    throw new PermanentError(`The model file ${path} ${what}.`, { cause });
  };
  // Without the flag, opening a pipe would wait for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) =>
    fail("cannot be read", cause),
  );
  try {
    const found = await file.stat();
    if (!found.isFile()) fail("is no regular file");
    if (found.size > most) fail(`has ${found.size} bytes, but at most ${most} are read`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
