import { type Address, encodeAbiParameters, type Hex, keccak256 } from "viem";
import type { Terms } from "../terms.ts";
import { Role, Roles } from "../words.ts";

const uParameters = [
  { type: "bytes32", name: "seed" },
  { type: "address", name: "rounds" },
  { type: "uint64", name: "task" },
  { type: "uint32", name: "round" },
  { type: "uint8", name: "pool" },
  { type: "address", name: "operator" },
] as const;

/** Who asks for seats: `rounds` is the address of the contract Rounds, `pool` the operator's. */
export type Ticket = { rounds: Address; task: bigint; round: number; pool: Role; operator: Address };

/** What a pool holds when a round opens; `weight` and `total` in wei. */
export type Share = { weight: bigint; total: bigint; expected: number; seatStake: bigint };

/** The luck of one operator in one round, uniform over 256 bits. */
export function luck(seed: Hex, { rounds, task, round, pool, operator }: Ticket): bigint {
  return BigInt(keccak256(encodeAbiParameters(uParameters, [seed, rounds, task, round, pool, operator])));
}

function divisorOf({ total, expected, seatStake }: Share): bigint {
  const floor = BigInt(expected) * seatStake;
  return total > floor ? total : floor;
}

/**
 * Seats that luck `u` makes of a weight: `(expected * weight + u % d) / d`, `d = max(total, expected * seatStake)`. The mean
 * over seeds is exactly `expected * weight / d`, so splitting a stake wins nothing, and nobody loops over a pool to draw.
 */
export function seatsOf(u: bigint, share: Share): number {
  if (share.weight === 0n) return 0;
  const divisor = divisorOf(share);
  return Number((BigInt(share.expected) * share.weight + (u % divisor)) / divisor);
}

/** The role that luck `u` under the round's seed draws: a trainer's for `trainers` of all `expected` seats. */
export function drawnRole(u: bigint, share: Share, trainers: number): Role {
  return (u / divisorOf(share)) % BigInt(share.expected) < BigInt(trainers) ? Role.Trainer : Role.Validator;
}

/** What seats are made of: the operator's weight in the round, the sums of the pools, and the seeds known so far. */
export type Draw = {
  weight: bigint;
  trainerTotal: bigint;
  voterTotal: bigint;
  seed: Hex | undefined;
  voterSeed: Hex | undefined;
};

/**
 * Seats of an operator as a trainer or as a voter. A trainer's come from the round's seed, a voter's from the voters';
 * with drawn roles the round's seed also says which of both the operator is. 0 as long as the seed is not known.
 */
export function seatsAs(
  terms: Terms,
  role: typeof Role.Trainer | typeof Role.Validator,
  ticket: Ticket,
  { weight, trainerTotal, voterTotal, seed, voterSeed }: Draw,
): number {
  const { expectedTrainers, expectedVoters, seatStake } = terms;
  const [own, total] = role === Role.Trainer ? [seed, trainerTotal] : [voterSeed, voterTotal];
  if (own === undefined || seed === undefined) return 0;
  if (terms.roles === Roles.Declared) {
    const expected = role === Role.Trainer ? expectedTrainers : expectedVoters;
    return ticket.pool === role ? seatsOf(luck(own, ticket), { weight, total, expected, seatStake }) : 0;
  }
  const share = { weight, total, expected: expectedTrainers + expectedVoters, seatStake };
  const isOther = drawnRole(luck(seed, ticket), share, expectedTrainers) !== role;
  return isOther ? 0 : seatsOf(luck(own, ticket), share);
}

/** The accumulator after one more publication: XOR, so that no order of publishing can be chosen for its outcome. */
export function accumulate(accumulator: Hex, salt: Hex, operator: Address): Hex {
  const fold = keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "address" }], [salt, operator]));
  return xor(accumulator, fold);
}

/** The accumulator with the value of the block after the first publication, mixed in like one more salt. */
export function mix(accumulator: Hex, value: Hex): Hex {
  return xor(accumulator, keccak256(encodeAbiParameters([{ type: "bytes32" }], [value])));
}

/**
 * Seed of the voters' seats, over all salts and that value: nobody knows it before the last proposal is out, and whoever
 * would choose it needs every salt and that block.
 */
export function voterSeed(seed: Hex, accumulator: Hex): Hex {
  return keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "bytes32" }], [seed, accumulator]));
}

function xor(a: Hex, b: Hex): Hex {
  return `0x${(BigInt(a) ^ BigInt(b)).toString(16).padStart(64, "0")}`;
}
