import type { Address, Hex } from "viem";
import { drawnRole, luck, seatsAs } from "../../protocol/rules/sortition.ts";
import type { Terms } from "../../protocol/terms.ts";
import { Role } from "../../protocol/words.ts";
import type { Chain } from "./open.ts";

type Standing = {
  task: bigint;
  operator: Address;
  /** What it staked in; undefined without a stake. */
  pool: Role | undefined;
  weight: bigint;
  terms: Terms;
  round: { number: number; open: boolean; trainerTotal: bigint; voterTotal: bigint };
  seed?: Hex | undefined;
  voterSeed?: Hex | undefined;
};

/**
 * An operator's part in the open round. `role`: trainer or validator; undefined without a stake, or before it is drawn. `seats`:
 * undefined as long as the seed that decides them is not known.
 */
export type Part = { role: typeof Role.Trainer | typeof Role.Validator | undefined; seats: number | undefined };

export function partOf({ deployment }: Chain, standing: Standing): Part {
  const { task, operator, pool, weight, terms, round, seed, voterSeed } = standing;
  const { number, open, trainerTotal, voterTotal } = round;
  if (pool === undefined || !open) return { role: pool === Role.Drawn ? undefined : pool, seats: 0 };
  const ticket = { rounds: deployment.addresses.Rounds, task, round: number, pool, operator };
  const { expectedTrainers, expectedVoters, seatStake } = terms;
  let role: Part["role"];
  if (pool !== Role.Drawn) role = pool;
  else if (seed !== undefined && weight > 0n) {
    const share = { weight, total: trainerTotal, expected: expectedTrainers + expectedVoters, seatStake };
    role = drawnRole(luck(seed, ticket), share, expectedTrainers) as Part["role"];
  }
  if (weight === 0n) return { role, seats: 0 };
  if (role === undefined || seed === undefined) return { role, seats: undefined };
  if (role === Role.Validator && voterSeed === undefined) return { role, seats: undefined };
  return { role, seats: seatsAs(terms, role, ticket, { weight, trainerTotal, voterTotal, seed, voterSeed }) };
}
