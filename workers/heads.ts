import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import { PassingError, PermanentError } from "../protocol/errors.ts";
import { headId, type Step } from "../protocol/rules/lineage.ts";
import type { Artifacts, ObtainOptions } from "./artifacts.ts";
import type { Compute } from "./compute/client.ts";
import { sha256OfFile } from "./files.ts";

/** One move of a task's head, as the chain tells it. */
export type HeadMove = Step & { headId: Hex };

export type BuiltHead = {
  file: string;
  /** The first 20 bytes of the sha256 of its canonical bytes. */
  digest: Hex;
};

export type Heads = {
  /**
   * The bytes of a head, built by replaying the lineage from the last head that is at hand; kept for the next time.
   * @throws PassingError while an artifact of the lineage cannot be had, PermanentError if the lineage does not lead there.
   */
  build(head: Hex, options: ObtainOptions): Promise<BuiltHead>;
};

export type HeadsParameters = {
  /** Folder that keeps the heads. */
  dir: string;
  /** The id of the first head: the manifest's digest. */
  first: Hex;
  /** Every move of the task's head so far, in order. */
  readMoves: () => Promise<HeadMove[]>;
  artifacts: Artifacts;
  compute: Compute;
};

/** The heads of one task. Nobody is asked for their bytes: every operator builds them by itself. */
export function openHeads({ dir, first, readMoves, artifacts, compute }: HeadsParameters): Heads {
  const fileOf = (head: Hex) => join(dir, `${head.slice(2)}.safetensors`);

  async function step(base: string | null, move: HeadMove | undefined, out: string, options: ObtainOptions) {
    const updates: { file: string; factor: string }[] = [];
    for (const [index, digest] of (move?.artifacts ?? []).entries()) {
      const file = await artifacts.obtain(digest, options);
      updates.push({ file, factor: String(move?.factors[index]) });
    }
    await compute.run("aggregate", { base, updates, published: move?.published ?? 0, out }, { signal: options.signal });
  }

  return {
    async build(head, options) {
      const file = fileOf(head);
      if (!(await exists(file))) {
        const path = head === first ? [] : pathTo(head, first, await readMoves());
        let known = path.length; // moves that need not be replayed
        while (known > 0 && !(await exists(fileOf((path[known - 1] as HeadMove).headId)))) known--;
        if (known === 0 && !(await exists(fileOf(first)))) await step(null, undefined, fileOf(first), options);
        for (const move of path.slice(known)) await step(fileOf(move.parentId), move, fileOf(move.headId), options);
      }
      return { file, digest: (await sha256OfFile(file)).slice(0, 42) as Hex };
    },
  };
}

/** The moves that lead from the first head to this one, checked against the ids that name them. */
function pathTo(head: Hex, first: Hex, moves: readonly HeadMove[]): HeadMove[] {
  const path: HeadMove[] = [];
  let parent = first;
  for (const move of moves) {
    if (move.parentId !== parent || headId(move) !== move.headId) {
      throw new PermanentError(
        `The chain's account of the head is broken at round ${move.round}: ${move.headId} does not follow from ${parent}.`,
      );
    }
    path.push(move);
    if (move.headId === head) return path;
    parent = move.headId;
  }
  // The manifest was checked; a server may not have the newest logs yet.
  throw new PassingError(`No lineage leads to the head ${head} yet: the server's logs lag behind its state.`);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
