import { formatEther, formatGwei } from "viem";
import { seatRisks, voteErrorRates } from "../../protocol/committee.ts";
import { manifestDigest } from "../../protocol/manifest.ts";
import { settlerBounty } from "../../protocol/rules/payouts.ts";
import { quorumOf } from "../../protocol/rules/tally.ts";
import { longestRound, type Terms, termsToJson } from "../../protocol/terms.ts";
import { BPS, Payout, Roles } from "../../protocol/words.ts";
import type { Report } from "../../workers/cli/report.ts";
import type { NewTask } from "./createTask.ts";
import { gasOfRound } from "./gas.ts";

/** Shares of the voters' stake for which the error rates are shown; a third is where the promises end. */
const maliciousShares = [0.1, 0.2, 0.3, 1 / 3];
/** Honest votes are not perfect: a tenth cannot tell, and two of a hundred err. */
const realistic = { neutral: 0.1, wrong: 0.02 };

export type Surroundings = { creator: string; network: string; registry: string /** Wei per gas. */; gasPrice: bigint };

/** All that the creator of a task should know before it signs. */
export function taskPlan(task: NewTask, { creator, network, registry, gasPrice }: Surroundings): Report {
  const { manifest, terms, deposit } = task;
  const pot = deposit / BigInt(terms.rounds);
  const settling = settlerBounty(terms, pot);
  const { trainer, voter } = seatRisks(terms, pot - settling);
  const gas = gasOfRound(terms);
  const rates = maliciousShares.map((malicious) => ({
    malicious,
    ...pick(voteErrorRates(terms, { malicious })),
    realistic: pick(voteErrorRates(terms, { malicious, ...realistic })),
  }));

  return {
    json: {
      manifest: manifestDigest(manifest),
      terms: termsToJson(terms),
      deposit: String(deposit),
      potOfRound: String(pot),
      settlerBounty: String(settling),
      errorRates: rates,
      trainerSeat: { pay: String(trainer.pay), risk: String(trainer.risk) },
      voterSeat: { pay: String(voter.pay), risk: String(voter.risk) },
      gasOfRound: gas,
    },
    fields: [
      ["task", `${manifest.name}, manifest ${manifestDigest(manifest)}`],
      ["on", `${network}, registry ${registry}`],
      ["creator", creator],
      ["deposit", `${flk(deposit)} for ${terms.rounds} rounds: ${flk(pot)} a round`],
      ["a round takes", `${hours(longestRound(terms) - 2 * terms.grace)}, at most ${hours(longestRound(terms))}`],
      ["roles", roles(terms)],
      ["opens with", opensWith(terms)],
      ["delegation", `counts up to ${terms.maxLeverage} times an operator's own stake`],
      ["trainers' pay", payout(terms)],
      ["a trainer's seat", seat(trainer)],
      ["a voter's seat", seat(voter)],
      ["settling earns", `${flk(settling)} of the round's pot`],
      ["may be closed", closing(terms)],
      ["gas a round", `${grouped(gas)} of everyone together, ${eth(BigInt(gas) * gasPrice)} at ${gwei(gasPrice)}`],
    ],
    table: {
      head: ["malicious voters", "poison accepted", "good update blocked", "the same with imperfect honest votes"],
      rows: rates.map((rate) => [
        percent(rate.malicious, 1),
        percent(rate.poisonAccepted),
        percent(rate.honestBlocked),
        `${percent(rate.realistic.poisonAccepted)} and ${percent(rate.realistic.honestBlocked)}`,
      ]),
    },
    lines: [
      `Error rates for ${terms.expectedVoters} filled seats; imperfect: ${percent(realistic.neutral, 0)} of honest votes cannot tell, ${percent(realistic.wrong, 0)} err.`,
      `It will send: ${deposit > 0n ? "allow the vault to take the deposit, create the task, fund it" : "create the task"}. Terms and manifest are frozen then.`,
    ],
  };
}

function pick({ poisonAccepted, honestBlocked }: { poisonAccepted: number; honestBlocked: number }) {
  return { poisonAccepted, honestBlocked };
}

function roles(terms: Terms): string {
  return terms.roles === Roles.Drawn ? "drawn anew each round among one pool" : "declared: an operator trains or votes";
}

/** The least stake with which a round opens. */
function opensWith(terms: Terms): string {
  const { seatStake, expectedTrainers } = terms;
  const quorum = quorumOf(terms);
  if (terms.roles === Roles.Drawn) return `${flk(BigInt(expectedTrainers + quorum) * seatStake)} staked`;
  return `${flk(seatStake)} of trainers and ${flk(BigInt(quorum) * seatStake)} of voters staked`;
}

function payout({ payout: kind, rankRatioBps }: Terms): string {
  if (kind === Payout.Proportional) return "in proportion to seats and gain";
  return `by rank, each ${percent(rankRatioBps / BPS, 0)} of the one before`;
}

/** When anyone may close the task. */
function closing({ maxVoids, idleAfter, unbonding }: Terms): string {
  return `after ${maxVoids} void rounds in a row, ${hours(idleAfter)} without a round, or ${hours(unbonding)} of notice`;
}

function seat({ pay, risk, ratio }: { pay: bigint; risk: bigint; ratio: number }): string {
  const compared = Number.isFinite(ratio) ? `${ratio.toFixed(2)} to 1` : "no pay yet";
  return `earns ${flk(pay)} and risks ${flk(risk)} a round (risk to pay ${compared})`;
}

function flk(wei: bigint): string {
  return `${Number(formatEther(wei)).toLocaleString("en-US", { maximumFractionDigits: 4 })} FLK`;
}

function eth(wei: bigint): string {
  return `${Number(Number(formatEther(wei)).toPrecision(3))} ETH`;
}

function gwei(wei: bigint): string {
  return `${Number(Number(formatGwei(wei)).toPrecision(3))} gwei`;
}

function percent(share: number, digits = 2): string {
  return `${(100 * share).toFixed(digits)} %`;
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

function hours(seconds: number): string {
  if (seconds >= 2 * 86_400 && seconds % 86_400 === 0) return `${seconds / 86_400} d`;
  return seconds % 3600 === 0
    ? `${seconds / 3600} h`
    : seconds >= 3600
      ? `${(seconds / 3600).toFixed(1)} h`
      : `${seconds} s`;
}
