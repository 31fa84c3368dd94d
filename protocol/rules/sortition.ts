import { type Address, encodeAbiParameters, type Hex, keccak256 } from "viem";
import type { Role } from "../words.ts";

const uParameters = [
  { type: "bytes32", name: "seed" },
  { type: "address", name: "rounds" },
  { type: "uint64", name: "task" },
  { type: "uint32", name: "round" },
  { type: "uint8", name: "pool" },
  { type: "address", name: "operator" },
] as const;

/** Who asks for seats: `rounds` is the address of the contract Rounds, `pool` the operator's role. */
export type Ticket = { seed: Hex; rounds: Address; task: bigint; round: number; pool: Role; operator: Address };

/** What a pool holds when a round opens; `weight` and `total` in wei. */
export type Share = { weight: bigint; total: bigint; expected: number; seatStake: bigint };

/**
 * Seats of one operator: `(expected * weight + u % d) / d`, `d = max(total, expected * seatStake)`. The mean over seeds is
 * exactly `expected * weight / d`, so splitting a stake wins nothing, and nobody loops over a pool to draw.
 */
export function seatsOf(ticket: Ticket, { weight, total, expected, seatStake }: Share): number {
  if (weight === 0n) return 0;
  const floor = BigInt(expected) * seatStake;
  const divisor = total > floor ? total : floor;
  const { seed, rounds, task, round, pool, operator } = ticket;
  const u = BigInt(keccak256(encodeAbiParameters(uParameters, [seed, rounds, task, round, pool, operator])));
  return Number((BigInt(expected) * weight + (u % divisor)) / divisor);
}

/** The accumulator after one more publication: XOR, so that no order of publishing can be chosen for its outcome. */
export function accumulate(accumulator: Hex, salt: Hex, operator: Address): Hex {
  const fold = keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "address" }], [salt, operator]));
  return `0x${(BigInt(accumulator) ^ BigInt(fold)).toString(16).padStart(64, "0")}`;
}

/** Seed of the voters' seats: nobody knows it before the last proposal is out. */
export function voterSeed(seed: Hex, accumulator: Hex): Hex {
  return keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "bytes32" }], [seed, accumulator]));
}
