/**
 * The compute program of the local network's dishonest validator: it does everything like the own one, but answers at
 * random instead of measuring.
 */
import { readFile } from "node:fs/promises";
import { headDigest } from "../../learning/aggregate/head.ts";
import { digest } from "../../learning/artifact/artifact.ts";
import { Stream } from "../../learning/random.ts";
import { openDevices } from "../compute/device.ts";
import { computeHead } from "../compute/head.ts";
import type { RequestOf, ResultOf } from "../compute/protocol.ts";
import { openRecipes } from "../compute/recipe.ts";
import { serveCompute } from "../compute/serve.ts";
import { computeUpdate } from "../compute/update.ts";
import { writeFileAtomic } from "../files.ts";

/** Scores between plus and minus this: a tenth of a nat a token. */
const RANGE = 1000;

async function guess({ seed, salt, proposals, head, out }: RequestOf<"validate">): Promise<ResultOf<"validate">> {
  const stream = new Stream(`${seed}${salt}`, "guess");
  const scores = proposals.map(() => stream.below(2 * RANGE + 1) - RANGE);
  const report = Buffer.from(`${JSON.stringify({ scores })}\n`);
  await writeFileAtomic(out, report);
  return { sha256: digest(report), head: headDigest(await readFile(head)), scores };
}

const recipes = openRecipes();
const devices = openDevices();
serveCompute({
  aggregate: (request) => computeHead(recipes, request),
  train: (request, doing) => computeUpdate({ recipes, devices }, request, doing),
  validate: guess,
});
