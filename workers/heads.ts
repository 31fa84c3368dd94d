import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import { PassingError, PermanentError } from "../protocol/errors.ts";
import { headId, type Step } from "../protocol/rules/lineage.ts";
import type { Artifacts, ObtainOptions } from "./artifacts.ts";
import type { Compute } from "./compute/client.ts";
import { sha256OfFile, writeFileAtomic } from "./files.ts";

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
  /** The artifacts that were accepted on the way to a head, the oldest first. @throws as `build`. */
  accepted(head: Hex): Promise<Hex[]>;
};

export type HeadsParameters = {
  /** Folder that keeps the heads, each with its sha256 beside it. */
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
    const request = { base, updates, published: move?.published ?? 0, out };
    const { digest } = await compute.run("aggregate", request, { signal: options.signal });
    const sha256 = await sha256OfFile(out);
    if (shortOf(sha256) !== digest)
      throw new PassingError(`The head in ${out} is damaged: is the disk full or failing?`);
    await writeFileAtomic(`${out}.sha256`, `${sha256}\n`);
  }

  const pathOf = async (head: Hex) => (head === first ? [] : pathTo(head, first, await readMoves()));

  return {
    accepted: async (head) => (await pathOf(head)).flatMap((move) => [...move.artifacts]),

    async build(head, options) {
      const file = fileOf(head);
      let sha256 = await wholeDigest(file);
      if (sha256 === undefined) {
        const path = await pathOf(head);
        let known = path.length; // moves that need not be replayed
        while (known > 0 && !(await isWhole(fileOf((path[known - 1] as HeadMove).headId)))) known--;
        if (known === 0 && !(await isWhole(fileOf(first)))) await step(null, undefined, fileOf(first), options);
        for (const move of path.slice(known)) await step(fileOf(move.parentId), move, fileOf(move.headId), options);
        sha256 = await sha256OfFile(file);
      }
      return { file, digest: shortOf(sha256) };
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

/** The sha256 of a kept head; undefined if it is not there, or not what was written. */
async function wholeDigest(file: string): Promise<Hex | undefined> {
  try {
    const [noted, found] = await Promise.all([readFile(`${file}.sha256`, "utf8"), sha256OfFile(file)]);
    return noted.trim() === found ? found : undefined;
  } catch {
    return undefined;
  }
}

async function isWhole(file: string): Promise<boolean> {
  return (await wholeDigest(file)) !== undefined;
}

/** The head digest that ballots name. */
function shortOf(sha256: Hex): Hex {
  return sha256.slice(0, 42) as Hex;
}
