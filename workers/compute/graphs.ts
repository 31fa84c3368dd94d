import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Graphs } from "../../learning/graph/graphs.ts";
import { writeFileAtomic } from "../files.ts";

/** Bytes of graphs that are kept in one folder. */
const MOST = 2 ** 29;
const DIGEST = 32;

/**
 * Keeps graphs in a folder, so that the next start of the same work need not make them: one file each, under the sha256 of the facts and of the program that
 * makes graphs of them, with the graph's own sha256 before it. A damaged file counts as none, and those that were not used for longest go when there are too many.
 */
export function openGraphs(folder: string, { most = MOST }: { most?: number | undefined } = {}): Graphs {
  return async (facts, build) => {
    const file = join(folder, `${keyOf(facts)}.graph`);
    const kept = await read(file);
    if (kept !== undefined) return kept;
    const model = build();
    await keep(file, model, { folder, most }).catch(() => {}); // without room it is made anew each time
    return model;
  };
}

function keyOf(facts: unknown): string {
  return createHash("sha256")
    .update(`${programDigest()}\n${JSON.stringify(facts)}`)
    .digest("hex");
}

async function read(file: string): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readFile(file);
    const model = bytes.subarray(DIGEST);
    if (!sha256(model).equals(bytes.subarray(0, DIGEST))) return undefined;
    const now = new Date();
    await utimes(file, now, now).catch(() => {}); // only its place in the queue
    return model;
  } catch {
    return undefined;
  }
}

async function keep(
  file: string,
  model: Uint8Array,
  { folder, most }: { folder: string; most: number },
): Promise<void> {
  await writeFileAtomic(file, Buffer.concat([sha256(model), model]));
  const kept = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const path = join(folder, name);
      const { size, mtimeMs } = await stat(path);
      return { path, size, mtimeMs };
    }),
  );
  let total = 0;
  for (const { path, size } of kept.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
    total += size;
    if (total > most) await rm(path, { force: true });
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

let known: string | undefined;

/** sha256 of the program's text from which graphs follow: another release, or a change of a single rule, makes other graphs. */
function programDigest(): string {
  if (known !== undefined) return known;
  const root = fileURLToPath(new URL("../../learning", import.meta.url));
  const hash = createHash("sha256");
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" }).sort()) {
    if (name.endsWith(".ts")) hash.update(`${name}\0`).update(readFileSync(join(root, name)));
  }
  known = hash.digest("hex");
  return known;
}
