import { readFile, rm } from "node:fs/promises";
import { headDigest, writeHead } from "../../learning/aggregate/head.ts";
import { digest, readArtifact } from "../../learning/artifact/artifact.ts";
import { readDomains } from "../../learning/data/examples.ts";
import { type Proposal, validate } from "../../learning/validate/validate.ts";
import { PassingError, PermanentError } from "../../protocol/errors.ts";
import { writeFileAtomic } from "../files.ts";
import { availableTo, type Devices, sayWaits } from "./device.ts";
import { openFittingEvaluator } from "./evaluator.ts";
import { openGraphs } from "./graphs.ts";
import { openHead } from "./head.ts";
import type { RequestOf, ResultOf } from "./protocol.ts";
import { readPublicSet } from "./publicSet.ts";
import type { Recipe, Recipes } from "./recipe.ts";
import type { Doing } from "./serve.ts";

/** Measures every proposal of a round against the head and writes the report; see `validate`. */
export async function computeScores(
  { recipes, devices }: { recipes: Recipes; devices: Devices },
  request: RequestOf<"validate">,
  { signal, onProgress, onEngine }: Doing,
): Promise<ResultOf<"validate">> {
  const recipe = await recipes(request);
  const { manifest, checkpoint, spec, tokenizer } = recipe;
  const head = await openHead(recipe, request.head);
  const proposals: Proposal[] = [];
  for (const proposal of request.proposals) {
    proposals.push({ slot: proposal.slot, update: await readProposal(recipe, proposal) });
  }
  const own = request.privateData === null ? [] : [...readDomains(request.privateData, recipe.chat).values()].flat();

  const { scores, report } = await devices.use(
    request,
    async (computing, engine) => {
      const { evaluator, form } = await openFittingEvaluator(checkpoint, spec, {
        ...computing,
        graphs: request.graphs === undefined ? undefined : openGraphs(request.graphs),
        ...{ longest: manifest.maxTokens, available: await availableTo(request), signal },
      });
      try {
        onEngine({ ...engine, form });
        return await validate({
          ...{ evaluator, tokenizer, manifest, head, proposals, engine: { ...engine, form } },
          publicSet: await readPublicSet(request.publicData, recipe),
          privateSet: own,
          seed: request.seed,
          salt: request.salt,
          onProgress,
          signal,
        });
      } finally {
        await evaluator.close();
      }
    },
    { signal, onWait: () => sayWaits(request) },
  );
  await writeFileAtomic(request.out, report);
  return { sha256: digest(report), head: headDigest(writeHead(head)), scores };
}

async function readProposal(
  { layout, limit }: Recipe,
  { file, digest: expected }: RequestOf<"validate">["proposals"][number],
): Promise<Proposal["update"]> {
  if (file === null) return "missing";
  const bytes = await readFile(file);
  if (digest(bytes) !== expected) {
    await rm(file, { force: true });
    throw new PassingError(`The store's copy of ${expected} in ${file} was damaged and is removed: fetch it again.`);
  }
  try {
    return readArtifact(bytes, layout, limit, file);
  } catch (error) {
    if (error instanceof PermanentError) return "malformed";
    throw error;
  }
}
