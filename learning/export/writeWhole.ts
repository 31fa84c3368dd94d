import type { FileHandle } from "node:fs/promises";

/**
 * Writes all the bytes at a place of a file. write(2) may write fewer without an error where a disk, a quota or a limit ends, and says why only when it is
 * called again.
 */
export async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
