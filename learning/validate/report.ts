import { createHash } from "node:crypto";
import type { Hex } from "viem";
import type { Example } from "../data/examples.ts";
import type { Comparison, MicroLoss, Reason } from "./score.ts";

/** Losses in micro-nats a token, and what they say beside the head's. */
export type Measured = { losses: MicroLoss[]; comparison: Comparison };

export type ProposalReport =
  | { slot: number; status: "missing" | "malformed"; score: number }
  | {
      slot: number;
      status: "measured";
      score: number;
      reasons: Reason[];
      /** At the weight that the update can get, on the shared slice and on the voter's own split. */
      shared: Measured & { domains: { domain: string; mean: number }[] };
      own: Measured | null;
      /** On the shared slice, at weight 1. */
      alone: Measured;
      /** Mean losses under each token of the scan, at weight 1, in micro-nats; the worst one and its rise in nats. */
      scan: { means: MicroLoss[]; rise: number | null; token: number | null };
    };

/** What ran, so that a difference between two voters can be traced. */
export type Engine = Record<string, string | number>;

/**
 * Every number behind a ballot's scores: with it anyone computes the scores again, and with the examples the losses as well. Examples are named by salted
 * digests and never shown; the public ones' salt is the round's seed, the voter's own ones' a secret.
 */
export type Report = {
  format: "flock.report.1";
  manifest: Hex;
  /** Digest of the head that the losses are compared with. */
  head: Hex;
  seed: string;
  engine: Engine;
  /** The weight at which proposals were measured. */
  weight: number;
  unit: number;
  confidence: number;
  margin: number;
  shared: { examples: string[]; losses: MicroLoss[] };
  own: { examples: string[]; losses: MicroLoss[] };
  scan: { tokens: number[]; examples: string[]; means: MicroLoss[] };
  proposals: ProposalReport[];
};

/** Names an example to whoever holds it and the salt, and says nothing to others. */
export function exampleId(salt: string, { domain, prompt, completion }: Example): string {
  return createHash("sha256")
    .update(JSON.stringify([salt, domain, prompt, completion]))
    .digest("hex")
    .slice(0, 32);
}

/** The report's one spelling: JSON with sorted keys and no spaces (RFC 8785). Its sha256 goes into the ballot. */
export function writeReport(report: Report): Buffer {
  return Buffer.from(
    JSON.stringify(report, (_, value: unknown) =>
      value !== null && typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    ),
    "utf8",
  );
}
