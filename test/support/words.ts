import { type Address, type Hex, pad, toHex } from "viem";

/** A 32-byte word that stands for a digest, a seed or a salt. */
export function wordOf(n: number | bigint): Hex {
  return toHex(n, { size: 32 });
}

/** An address for the n-th party, in ascending order. */
export function addressOf(n: number): Address {
  return pad(toHex(n), { size: 20 });
}

/** A head digest of 20 bytes. */
export function headOf(n: number): Hex {
  return toHex(n, { size: 20 });
}
