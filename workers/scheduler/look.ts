import type { Address, Hex } from "viem";
import { Phase } from "../../protocol/words.ts";
import { openEndpoints } from "../chain/endpoints.ts";
import type { Chain } from "../chain/open.ts";
import { readRound } from "../chain/round.ts";
import type { RoundView } from "../chain/roundView.ts";
import type { AccountConfig } from "../config.ts";
import { openAbsences } from "./absences.ts";
import { openWorth } from "./bounty.ts";
import type { Situation } from "./duties.ts";

/** One look at the chain: what duties depend on, and what doing them needs. */
export type Look = {
  situation: Situation;
  /** Seconds since 1970, of the block that was looked at; and when the phase ends if nobody acts. */
  now: number;
  endsAt: number;
  /** Published proposals in slot order. */
  proposals: { slot: number; operator: Address; artifact: Hex }[];
  /** Where the operators that are known serve their artifacts, the own one left out. */
  endpoints: string[];
  endpointOf(operator: Address): string | undefined;
  /**
   * Seed of what every voter of the round shares: the voters' seed, for the round's own was known to those who trained.
   * Undefined before it is known: publishing must be over, and a block that the first publication named must exist.
   */
  seed: Hex | undefined;
};

/** A function that looks at one task with the eyes of one operator, at the newest block each time. */
export function openLook(
  chain: Chain,
  { task, operator, accuse = false }: { task: bigint; operator: Address; accuse?: AccountConfig["accuse"] | undefined },
): () => Promise<Look> {
  const announced = openEndpoints(chain, task);
  const findAbsent = openAbsences(chain, task);
  const isWorth = openWorth(chain, accuse);
  return async () => {
    const view = await readRound(chain, task, operator);
    const known = await announced.at(view.block.number);
    const others = [...known].filter(([who, endpoint]) => who !== operator && endpoint !== "");
    return {
      situation: situationOf(view, { endpoint: known.get(operator) ?? "", absent: await worthAccusing(view) }),
      now: view.block.timestamp,
      endsAt: view.phaseEndsAt,
      proposals: view.proposals,
      endpoints: others.map(([, endpoint]) => endpoint),
      endpointOf: (who) => known.get(who) || undefined,
      seed: view.voterSeed,
    };
  };

  async function worthAccusing(view: RoundView): Promise<Address[]> {
    if (accuse === false || view.phase !== Phase.Reveal || !(await isWorth(view.terms))) return [];
    const absent = (await findAbsent(view)).map((voter) => voter.operator);
    return absent.filter((voter) => voter !== operator);
  }
}

/**
 * Looks again each time it is asked, once for all who ask at the same time: whoever waits for others learns where they serve now.
 * While looking fails, what was seen last holds.
 */
export function lookAgain(look: () => Promise<Look>, first: Look): () => Promise<Look> {
  let last = first;
  let looking: Promise<Look> | undefined;
  const again = async () => {
    last = await look().catch(() => last);
    looking = undefined;
    return last;
  };
  return () => {
    looking ??= again();
    return looking;
  };
}

function situationOf(view: RoundView, learned: Pick<Situation, "endpoint" | "absent">): Situation {
  const { task, operator, role, round, phase, openable, isVoid, seedsLatched, seats, headId } = view;
  return {
    ...{ task, operator, role, round, phase, openable, isVoid, seedsLatched, seats, headId, ...learned },
    staked: view.pool !== undefined,
    seedAge: Number(view.block.number - view.seedBlock),
    voterAge: view.voterBlock === 0n ? -1 : Number(view.block.number - view.voterBlock),
    proposal: view.proposal.state,
    ballot: view.ballot.state,
    published: view.proposals.length,
  };
}
