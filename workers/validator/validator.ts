import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import { PassingError } from "../../protocol/errors.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { type Artifacts, withPatience } from "../artifacts.ts";
import type { Compute, WorkOptions } from "../compute/client.ts";
import type { Heads } from "../heads.ts";
import type { Results } from "../results.ts";
import { isDue } from "../scheduler/duties.ts";
import { type Look, lookAgain } from "../scheduler/look.ts";
import type { Store } from "../store/store.ts";
import { ballotInputs, type Identity, inputsOf, type Measured, measuredSchema } from "../work.ts";
import { abstain, NO_HEAD } from "./abstain.ts";

export type ValidatorDependencies = {
  identity: Identity;
  manifest: Manifest;
  look: () => Promise<Look>;
  store: Store;
  artifacts: Artifacts;
  heads: Heads;
  results: Results;
  compute: Compute;
  /** Folder for files that are still being written. */
  scratch: string;
  publicData: string;
  privateData: string | undefined;
  /** A secret of the operator; hides which private examples a report speaks of. */
  salt: string;
  /** Seconds to keep asking for bytes before they count as missing; as long as the phase allows when undefined. */
  patience: number | undefined;
};

export type ValidateOutcome = { skipped: string } | Measured;

/**
 * Measures every proposal of one round and keeps the report in the store. Safe to repeat: looks at the chain first, then for what
 * was measured before.
 */
export async function validateRound(
  dependencies: ValidatorDependencies,
  { round }: { round: number },
  { signal, onProgress }: WorkOptions = {},
): Promise<ValidateOutcome> {
  const { identity, look, store, heads, results, patience = Infinity } = dependencies;
  const seen = await look();
  const { situation, now, endsAt, seed } = seen;
  if (situation.round !== round || !isDue(situation, "validate")) return { skipped: "it is not due any more" };
  if (seed === undefined) throw new PassingError(`The seed of round ${round} is not known yet.`);
  const inputs = inputsOf("validate", identity, situation);
  const kept = await results.get(inputs, measuredSchema);
  if (kept !== undefined && (await store.has(kept.report))) return kept;

  // Half of what is left of the phase at most: bytes that come too late to be measured are as good as none.
  const patient = { patience: Math.min(patience, Math.max(0, endsAt - now) / 2), signal };
  // Whoever was started again may serve at another address by now.
  const waiting = { ...patient, newest: lookAgain(look, seen) };
  const [head, proposals] = await Promise.all([
    withPatience(async (until) => {
      const { endpoints } = await waiting.newest();
      return heads.build(situation.headId, { endpoints, until, signal });
    }, waiting),
    Promise.all(seen.proposals.map((proposal) => fetchProposal(dependencies, proposal, waiting))),
  ]);
  const measured =
    head === undefined
      ? await abstainFrom(dependencies, { seed, proposals })
      : await measure(dependencies, { round, seed, head: head.file, proposals }, { signal, onProgress });
  await results.put(ballotInputs(measured.report), measured);
  await results.put(inputs, measured);
  return measured;
}

type Fetched = { slot: number; file: string | null; digest: Hex };

/** Asks the proposer first, then others, for whoever has judged an artifact serves it. */
async function fetchProposal(
  { artifacts }: ValidatorDependencies,
  { slot, operator, artifact }: Look["proposals"][number],
  waiting: { newest: () => Promise<Look>; patience: number; signal: AbortSignal | undefined },
): Promise<Fetched> {
  const file = await withPatience(async (until) => {
    const { endpointOf, endpoints } = await waiting.newest();
    return artifacts.obtain(artifact, { first: endpointOf(operator), endpoints, until, signal: waiting.signal });
  }, waiting);
  return { slot, file: file ?? null, digest: artifact };
}

async function measure(
  { identity, store, compute, scratch, publicData, privateData, salt }: ValidatorDependencies,
  { round, seed, head, proposals }: { round: number; seed: Hex; head: string; proposals: Fetched[] },
  options: WorkOptions,
): Promise<Measured> {
  await mkdir(scratch, { recursive: true });
  const out = join(scratch, `report-${identity.task}-${round}.json`);
  const work = { head, publicData, privateData: privateData ?? null, seed, salt, proposals, out };
  const result = await compute.run("validate", work, options);
  const report = await store.put(await readFile(out));
  if (report !== result.sha256) throw new PassingError(`The report in ${out} changed on its way to the store.`);
  await rm(out, { force: true });
  return { report, head: result.head, scores: result.scores };
}

async function abstainFrom(
  { manifest, store }: ValidatorDependencies,
  { seed, proposals }: { seed: Hex; proposals: Fetched[] },
): Promise<Measured> {
  const { scores, report } = abstain(manifest, { seed, proposals });
  return { report: await store.put(report), head: NO_HEAD, scores };
}

/** What a ballot says, for the sender, which knows the report's digest only. */
export async function readBallot(results: Results, report: Hex): Promise<Pick<Measured, "scores" | "head">> {
  const measured = await results.get(ballotInputs(report), measuredSchema);
  if (measured === undefined) {
    throw new PassingError(`The scores behind the report ${report} are not at hand yet; they will be measured again.`);
  }
  return { scores: measured.scores, head: measured.head };
}
