import { readFile, rm } from "node:fs/promises";
import { headToFlat } from "../../learning/aggregate/head.ts";
import { digest, writeArtifact } from "../../learning/artifact/artifact.ts";
import { clipWithRest, productNorm } from "../../learning/artifact/norm.ts";
import { readRest, writeRest } from "../../learning/artifact/rest.ts";
import { encode, readDomains } from "../../learning/data/examples.ts";
import { splitHeldOut } from "../../learning/data/split.ts";
import { bucketFor } from "../../learning/model/batches.ts";
import { requireFit } from "../../learning/train/fit.ts";
import { LOADED } from "../../learning/train/fusedStepper.ts";
import { drawLosses } from "../../learning/train/lossCurve.ts";
import { type TrainParameters, train } from "../../learning/train/trainer.ts";
import { PermanentError } from "../../protocol/errors.ts";
import { removeParts, writeFileAtomic } from "../files.ts";
import { availableTo, type Devices, sayWaits } from "./device.ts";
import { openGraphs } from "./graphs.ts";
import { openHead } from "./head.ts";
import type { RequestOf, ResultOf } from "./protocol.ts";
import type { Recipe, Recipes } from "./recipe.ts";
import type { Doing } from "./serve.ts";

/**
 * Trains from the head on own examples and writes what changed as an artifact: the difference from the head, shortened to
 * the manifest's norm bound, in whole numbers. The same request gives the same bytes on the same machine, also if it was
 * interrupted: it goes on from the state saved beside `out`.
 */
export async function computeUpdate(
  { recipes, devices }: { recipes: Recipes; devices: Devices },
  request: RequestOf<"train">,
  { signal, onProgress, onEngine }: Doing,
): Promise<ResultOf<"train">> {
  const recipe = await recipes(request);
  const { checkpoint, spec, layout, limit } = recipe;
  const { heldOut: _, patience, ...training } = request.training;
  const { examples, heldOut } = readData(request, recipe);
  const lengths = new Set(examples.map((example) => bucketFor(example, checkpoint.config)));
  const length = Math.max(...lengths);
  const shapes = training.packing ? LOADED : lengths.size;
  const { form, loaded, staying } = requireFit(
    checkpoint,
    { spec, length, shapes, heldOut: heldOut.length > 0, ...training, weights: request.weights },
    await availableTo(request),
  );
  const start = headToFlat(await openHead(recipe, request.head));
  const state = `${request.out}.state`;
  await removeParts(request.out); // and of the state beside it

  const { engine, ...trained } = await devices.use(
    request,
    async (computing, device) => {
      const engine = { ...device, form };
      onEngine(engine);
      const trained = await trainFrom(state, {
        ...{ checkpoint, spec, start, examples, ...training, seed: request.seed, ...computing, form, loaded, staying },
        graphs: request.graphs === undefined ? undefined : openGraphs(request.graphs),
        heldOut: heldOut.length === 0 ? undefined : { examples: heldOut, patience },
        onProgress: ({ step, steps }) => onProgress(step, steps),
        signal,
      });
      return { engine, ...trained };
    },
    { signal, onWait: () => sayWaits(request) },
  );

  const earlier = await readEarlierRest(request, recipe);
  const delta = trained.flat.map((value, index) => value - (start[index] as number) + (earlier?.[index] ?? 0));
  const { update, rest } = clipWithRest(layout, delta, limit);
  const bytes = writeArtifact(update);
  if (request.curve !== undefined) {
    await writeFileAtomic(request.curve, drawLosses({ ...trained, every: training.every }));
  }
  if (request.rest !== undefined) await writeFileAtomic(request.rest.to, writeRest(layout, rest));
  await writeFileAtomic(request.out, bytes);
  await rm(state, { force: true });
  return {
    sha256: digest(bytes),
    norm: productNorm(update, limit),
    losses: { first: trained.losses[0] as number, last: trained.losses.at(-1) as number },
    steps: trained.losses.length,
    heldOut: trained.heldOut.length === 0 ? null : Math.min(...trained.heldOut),
    graph: trained.graph,
    engine,
  };
}

/** What rounding took from an earlier update. A file that is damaged counts as none: it was worth little. */
async function readEarlierRest({ rest }: RequestOf<"train">, { layout }: Recipe): Promise<Float32Array | undefined> {
  const file = rest?.from ?? undefined;
  if (file === undefined) return undefined;
  try {
    const found = readRest(await readFile(file), layout, file);
    return found.every(Number.isFinite) ? found : undefined;
  } catch (error) {
    if (error instanceof PermanentError) return undefined;
    throw error;
  }
}

/** Own examples as tokens. What is held out is the same in every round. */
function readData({ data, training: { heldOut } }: RequestOf<"train">, { manifest, tokenizer, chat }: Recipe) {
  const domains = [...readDomains(data, chat).values()].map((examples) =>
    heldOut === 0 ? { train: examples, heldOut: [] } : splitHeldOut(examples, { seed: "held out", heldOut }),
  );
  const encoded = (part: "train" | "heldOut") =>
    domains.flatMap((split) => split[part]).map((example) => encode(tokenizer, example, manifest.maxTokens));
  return { examples: encoded("train"), heldOut: encoded("heldOut") };
}

/** Trains from the state that an interrupted training left, if it is of the same one; anew if it cannot be read. */
async function trainFrom(state: string, parameters: TrainParameters) {
  const save = (bytes: Uint8Array) => writeFileAtomic(state, bytes);
  const saved = await readFile(state).catch(() => undefined);
  try {
    return await train({ ...parameters, saving: { save, saved } });
  } catch (error) {
    if (!(error instanceof PermanentError) || saved === undefined) throw error;
    await rm(state, { force: true });
    return train({ ...parameters, saving: { save } });
  }
}
