/** What one campaign of invariants called, by `contract.function`; counts are bigint as the runner gives them. */
export type CallCounts = Record<string, { calls: bigint; reverts: bigint; discards: bigint }>;

/** How often an act was tried over all campaigns of a suite, and how often it was accepted. */
export type ActCount = { act: string; calls: number; accepted: number };

/** An act that is hardly ever accepted is not tested; below this part of its calls a run fails. */
export const leastAccepted = 0.05;

/** Fewer calls than this say nothing about an act: the part is not judged. */
export const fewCalls = 200;

/** Sums up campaigns, the rarest accepted act first. */
export function callMix(campaigns: readonly CallCounts[]): ActCount[] {
  const acts = new Map<string, ActCount>();
  for (const campaign of campaigns) {
    for (const [name, { calls, reverts, discards }] of Object.entries(campaign)) {
      const act = name.slice(name.lastIndexOf(".") + 1);
      const sum = acts.get(act) ?? { act, calls: 0, accepted: 0 };
      sum.calls += Number(calls);
      sum.accepted += Number(calls - reverts - discards);
      acts.set(act, sum);
    }
  }
  return [...acts.values()].sort((a, b) => a.accepted / a.calls - b.accepted / b.calls);
}

/** The acts that were called often enough to be judged, and accepted too rarely. */
export function tooRare(mix: readonly ActCount[]): ActCount[] {
  return mix.filter(({ calls, accepted }) => calls >= fewCalls && accepted < leastAccepted * calls);
}

/** The mix in lines of at most 120 characters. */
export function mixLines(suite: string, mix: readonly ActCount[]): string[] {
  const total = mix.reduce((sum, { calls }) => sum + calls, 0);
  const accepted = mix.reduce((sum, act) => sum + act.accepted, 0);
  const lines = [`${suite}: ${total} calls, ${accepted} accepted; accepted of called, by act:`];
  let line = "";
  for (const { act, calls, accepted } of mix) {
    const next = `${act} ${accepted}/${calls}`;
    if (line !== "" && line.length + next.length > 114) {
      lines.push(`  ${line}`);
      line = "";
    }
    line = line === "" ? next : `${line}, ${next}`;
  }
  return line === "" ? lines : [...lines, `  ${line}`];
}
