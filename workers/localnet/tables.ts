import { formatEther } from "viem";
import type { Display } from "./display.ts";
import type { Evaluation } from "./evaluate.ts";
import type { Outcome, RoundOutcome } from "./outcome.ts";

/** Tokens with at most two decimals. */
export function tokens(wei: bigint): string {
  return Number(formatEther(wei)).toLocaleString("en-US", { maximumFractionDigits: 2 });
}

const percent = (fraction: number) => `${(100 * fraction).toFixed(1)} %`;

type Naming = (operator: string) => string;

/** Who proposed what in one round, and what became of it and of its maker's money. */
export function showRound(display: Display, round: RoundOutcome, total: number, nameOf: Naming): void {
  const title = `Round ${round.number} of ${total}: ${round.status}`;
  const rows = round.proposals.map((proposal) => [
    nameOf(proposal.operator),
    proposal.honest ? "honest" : "attacker",
    proposal.verdict,
    String(proposal.median),
    tokens(proposal.paid),
    tokens(proposal.slashed),
  ]);
  rows.push(["all, voters too", "", "", "", tokens(round.paid), tokens(round.slashed)]);
  display.table(title, ["proposer", "", "verdict", "median", "paid FLK", "slashed FLK"], rows);
}

/** What was learned, who earned what, and what the audit says. */
export function showOutcome(display: Display, outcome: Outcome): void {
  const important = { important: true };
  display.table(
    "Held-out data, before and after",
    ["domain", "loss before", "loss after", "exact match before", "exact match after"],
    outcome.domains.map((domain) => [
      domain.name,
      domain.lossBefore.toFixed(3),
      domain.lossAfter.toFixed(3),
      percent(domain.exactMatchBefore),
      percent(domain.exactMatchAfter),
    ]),
    important,
  );
  display.table(
    "Operators (FLK)",
    ["operator", "", "stake before", "stake after", "earned"],
    outcome.operators.map((operator) => [
      operator.name,
      operator.honest ? "honest" : "attacker",
      tokens(operator.stakeBefore),
      tokens(operator.stakeAfter),
      tokens(operator.earned),
    ]),
    important,
  );
  const { trigger, audit } = outcome;
  if (trigger !== null) {
    const verdict = trigger.caught ? "caught" : "not caught";
    display.line(
      `The backdoor: ${percent(trigger.successAfter)} of triggered prompts answered with its target (base: ${percent(trigger.successBefore)}); ${verdict}.`,
    );
  }
  display.line(
    `Audit: ${audit.events} events replayed, ${audit.differences} differences; ${audit.headsChecked} heads rebuilt from artifacts, ${audit.headsUnchecked} unchecked.`,
  );
}

/** One prompt, its right answer, and what base and head say. */
export function showSample(display: Display, sample: Evaluation["sample"]): void {
  const { prompt, right, base, head } = sample;
  display.line(`\nPrompt ${prompt}\n  right answer  ${right}\n  base          ${base}\n  head          ${head}`);
}
