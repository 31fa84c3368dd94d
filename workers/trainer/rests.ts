import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";

/** What rounding took from the updates of one task, a file each, named by its round and its artifact. */
export type Rests = {
  /**
   * The file of the last update before `round` that was accepted; those before it are removed. What was taken from an update that was rejected is not owed:
   * the head did not move that way.
   */
  owed(round: number, accepted: readonly Hex[]): Promise<string | null>;
  /** Keeps a file that was written elsewhere in the folder's file system. */
  keep(file: string, of: { round: number; artifact: Hex }): Promise<void>;
};

/** The rests of a task in a folder. They stay until a later one takes their place, so that a round that is trained again gives the same update. */
export function openRests(dir: string, task: bigint): Rests {
  const name = new RegExp(`^task-${task}-round-([0-9]+)-([0-9a-f]{64})\\.safetensors$`);
  const nameOf = (round: number, artifact: Hex) => `task-${task}-round-${round}-${artifact.slice(2)}.safetensors`;
  return {
    async owed(round, accepted) {
      const names = await readdir(dir).catch(() => []);
      const found = names.flatMap((file) => {
        const [, of, artifact] = name.exec(file) ?? [];
        return of === undefined ? [] : [{ file: join(dir, file), round: Number(of), artifact: `0x${artifact}` as Hex }];
      });
      const earlier = found.filter((rest) => rest.round < round && accepted.includes(rest.artifact));
      const last = earlier.toSorted((a, b) => b.round - a.round)[0];
      if (last === undefined) return null;
      for (const rest of found) if (rest.round < last.round) await rm(rest.file, { force: true });
      return last.file;
    },
    async keep(file, { round, artifact }) {
      await mkdir(dir, { recursive: true });
      await rename(file, join(dir, nameOf(round, artifact)));
    },
  };
}
