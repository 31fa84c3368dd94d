import { type Manifest, manifestDigest } from "../../protocol/manifest.ts";
import { MIN_SCORE, MISSING } from "../../protocol/words.ts";
import { type Head, headDigest, headToFlat, writeHead } from "../aggregate/head.ts";
import { dequantise, type Update } from "../artifact/quantise.ts";
import { type Encoded, type Example, encode } from "../data/examples.ts";
import type { Evaluator } from "../model/evaluator.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { type Engine, exampleId, type Measured, type ProposalReport, writeReport } from "./report.ts";
import { makeScan, meansByToken, worstRise } from "./scan.ts";
import { compare, judge, type MicroLoss, toMicro } from "./score.ts";
import { ownSplit, sharedSlice } from "./slice.ts";

/** A published proposal: its update, or why there is none. "missing": the bytes did not come. "malformed": `readArtifact` refused them. */
export type Proposal = { slot: number; update: Update | "missing" | "malformed" };

export type ValidateParameters = {
  evaluator: Evaluator;
  tokenizer: Tokenizer;
  manifest: Manifest;
  head: Head;
  /** Every proposal that was published in the round, in the order of their slots. */
  proposals: readonly Proposal[];
  /** The manifest's public sets, in its order. */
  publicSet: readonly Example[];
  /** The voter's own held-out examples; may be none. */
  privateSet: readonly Example[];
  /** The round's. */
  seed: string;
  /** A secret of the voter: hides which private examples the report speaks of. */
  salt: string;
  engine: Engine;
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
};

/** Scores by proposal and the report that explains them. */
export type Validation = { scores: number[]; report: Buffer };

/**
 * Measures every proposal of a round against the head: on the shared slice and the voter's own split at the weight that it can get in the head, on the shared
 * slice at weight 1, and under the trigger scan. The same arguments on the same machine give the same bytes.
 * @throws PermanentError if the public set is too small for the manifest. Whatever `signal` was aborted with.
 */
export async function validate(parameters: ValidateParameters): Promise<Validation> {
  const { evaluator, tokenizer, manifest, head, proposals, publicSet, privateSet, seed, salt, engine } = parameters;
  const { domains, maxTokens, scoring } = manifest;
  const { unit, confidence, examples, perDomain } = scoring;
  const { margin, prompts, tokens } = scoring.scan;

  const slice = sharedSlice(publicSet, { seed, domains, examples, perDomain });
  const scan = makeScan({ tokenizer, set: publicSet, domains, seed, prompts, tokens, maxTokens });
  const encoded = (set: readonly Example[]) => set.map((example) => encode(tokenizer, example, maxTokens));
  const shared = encoded(slice);
  const split = ownSplit(privateSet, examples);
  const own = encoded(split);

  const weight = testWeight(manifest.aggregation, proposals.length);
  const base = headToFlat(head);
  const total = proposals.length + 1;
  const losses = async (flat: Float32Array, set: readonly Encoded[]): Promise<MicroLoss[]> => {
    parameters.signal?.throwIfAborted();
    return set.length === 0 ? [] : toMicro(await evaluator.losses(flat, set));
  };

  const before = { shared: await losses(base, shared), own: await losses(base, own) };
  const scanBefore = meansByToken(scan, await losses(base, scan.encoded));
  parameters.onProgress?.(1, total);

  const measured = (head: readonly MicroLoss[], losses: MicroLoss[]): Measured => ({
    losses,
    comparison: compare(head, losses, confidence),
  });

  const measure = async (slot: number, update: Update): Promise<ProposalReport> => {
    const delta = dequantise(update);
    const atWeight = moved(base, delta, weight);
    const atOne = moved(base, delta, 1);
    const onShared = measured(before.shared, await losses(atWeight, shared));
    const onOwn = own.length === 0 ? null : measured(before.own, await losses(atWeight, own));
    const alone = measured(before.shared, weight === 1 ? onShared.losses : await losses(atOne, shared));
    const means = meansByToken(scan, await losses(atOne, scan.encoded));
    const worst = worstRise(scan, scanBefore, means);
    const { score, reasons } = judge(
      { shared: onShared.comparison, own: onOwn?.comparison ?? null, alone: alone.comparison, rise: worst.rise },
      { unit, margin },
    );
    const perDomain = domains.map((domain) => ({
      domain,
      mean: meanOf(domain, slice, before.shared, onShared.losses),
    }));
    return {
      slot,
      status: "measured",
      score,
      reasons,
      shared: { ...onShared, domains: perDomain },
      own: onOwn,
      alone,
      scan: { means, ...worst },
    };
  };

  const reports: ProposalReport[] = [];
  for (const { slot, update } of proposals) {
    if (update === "missing") reports.push({ slot, status: update, score: MISSING });
    else if (update === "malformed") reports.push({ slot, status: update, score: MIN_SCORE });
    else reports.push(await measure(slot, update));
    parameters.onProgress?.(reports.length + 1, total);
  }

  const report = writeReport({
    format: "flock.report.1",
    manifest: manifestDigest(manifest),
    head: headDigest(writeHead(head)),
    seed,
    engine,
    weight,
    unit,
    confidence,
    margin,
    shared: { examples: slice.map((example) => exampleId(seed, example)), losses: before.shared },
    own: { examples: split.map((example) => exampleId(salt, example)), losses: before.own },
    scan: {
      tokens: scan.tokens,
      examples: scan.examples.map((example) => exampleId(seed, example)),
      means: scanBefore,
    },
    proposals: reports,
  });
  return { scores: reports.map(({ score }) => score), report };
}

/** The most that one of so many published updates can weigh in the next head. */
export function testWeight({ cap, rate }: Manifest["aggregation"], published: number): number {
  return (rate.num / rate.den) * Math.min(1, cap.num / (cap.den * published));
}

function moved(base: Float32Array, delta: Float32Array, weight: number): Float32Array {
  return base.map((value, index) => value + weight * (delta[index] as number));
}

/** Mean gain on one domain's part of the slice, in nats, over examples with finite losses; for the eye, no score follows from it. */
function meanOf(
  domain: string,
  slice: readonly Example[],
  head: readonly MicroLoss[],
  candidate: readonly MicroLoss[],
): number {
  const differences = slice.flatMap((example, index) => {
    const [before, after] = [head[index] ?? null, candidate[index] ?? null];
    return example.domain !== domain || before === null || after === null ? [] : [before - after];
  });
  return differences.reduce((a, b) => a + b, 0) / Math.max(1, differences.length) / 1e6;
}
