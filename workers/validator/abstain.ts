import type { Hex } from "viem";
import { writeReport } from "../../learning/validate/report.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { manifestDigest } from "../../protocol/manifest.ts";
import { ABSTAIN, MISSING } from "../../protocol/words.ts";

/** A head digest that says: the head could not be built. */
export const NO_HEAD: Hex = `0x${"00".repeat(20)}`;

/** Scores and report of a voter that could not build the head: it judges nothing, and tells which bytes did not come. */
export function abstain(
  manifest: Manifest,
  { seed, proposals }: { seed: string; proposals: readonly { slot: number; file: string | null }[] },
): { scores: number[]; report: Buffer } {
  const { unit, confidence, scan } = manifest.scoring;
  const report = writeReport({
    format: "flock.report.1",
    manifest: manifestDigest(manifest),
    head: NO_HEAD,
    seed,
    engine: {},
    weight: 0,
    unit,
    confidence,
    margin: scan.margin,
    shared: { examples: [], losses: [] },
    own: { examples: [], losses: [] },
    scan: { tokens: [], examples: [], means: [] },
    proposals: proposals
      .filter(({ file }) => file === null)
      .map(({ slot }) => ({ slot, status: "missing", score: MISSING })),
  });
  return { scores: proposals.map(({ file }) => (file === null ? MISSING : ABSTAIN)), report };
}
