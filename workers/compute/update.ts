import { headToFlat } from "../../learning/aggregate/head.ts";
import { digest, writeArtifact } from "../../learning/artifact/artifact.ts";
import { clipToNorm, productNorm } from "../../learning/artifact/norm.ts";
import { encode, readDomains } from "../../learning/data/examples.ts";
import { train } from "../../learning/train/trainer.ts";
import { writeFileAtomic } from "../files.ts";
import { requireDevice } from "./device.ts";
import { openHead } from "./head.ts";
import type { RequestOf, ResultOf } from "./protocol.ts";
import type { Recipes } from "./recipe.ts";
import type { Doing } from "./serve.ts";

/**
 * Trains from the head on own examples and writes what changed as an artifact: the difference from the head, shortened to
 * the manifest's norm bound, in whole numbers. The same request gives the same bytes on the same machine.
 */
export async function computeUpdate(
  recipes: Recipes,
  request: RequestOf<"train">,
  { signal, onProgress }: Doing,
): Promise<ResultOf<"train">> {
  const device = await requireDevice(request.device);
  const recipe = await recipes(request);
  const { manifest, checkpoint, spec, layout, limit, tokenizer } = recipe;
  const examples = [...readDomains(request.data).values()].flat();
  const encoded = examples.map((example) => encode(tokenizer, example, manifest.maxTokens));
  const start = headToFlat(await openHead(recipe, request.head));

  const trained = await train({
    checkpoint,
    spec,
    start,
    examples: encoded,
    ...request.training,
    seed: request.seed,
    device,
    threads: request.threads,
    onProgress: ({ step, steps }) => onProgress(step, steps),
    signal,
  });

  const delta = trained.flat.map((value, index) => value - (start[index] as number));
  const update = clipToNorm(layout, delta, limit);
  const bytes = writeArtifact(update);
  await writeFileAtomic(request.out, bytes);
  return {
    sha256: digest(bytes),
    norm: productNorm(update, limit),
    losses: { first: trained.losses[0] as number, last: trained.losses.at(-1) as number },
    graph: trained.graph,
    device: trained.device,
  };
}
