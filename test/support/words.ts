import { type Address, getAddress, type Hex, toHex } from "viem";

/** A 32-byte word that stands for a digest, a seed or a salt. */
export function wordOf(n: number | bigint): Hex {
  return toHex(n, { size: 32 });
}

/** An address for the n-th party, in ascending order, checksummed. */
export function addressOf(n: number): Address {
  return getAddress(toHex(n, { size: 20 }));
}

/** A head digest of 20 bytes. */
export function headOf(n: number): Hex {
  return toHex(n, { size: 20 });
}
