import { type Address, zeroAddress } from "viem";

/** The keys that act for one operator: `signer` from round `from` on, `previous` before it. Zero is nobody. */
export type Signers = { signer: Address; from: number; previous: Address };

export function noSigners(): Signers {
  return { signer: zeroAddress, from: 0, previous: zeroAddress };
}

/** The key that may act in round `round`, zero if none. */
export function signerIn({ signer, from, previous }: Signers, round: number): Address {
  return round >= from ? signer : previous;
}

/** Names a key that counts from the round after `newest`, the newest one; the key in effect stays until then. */
export function signerSet(signers: Signers, signer: Address, newest: number): Signers {
  return { signer, from: newest + 1, previous: signerIn(signers, newest) };
}

/** Whether `caller` may seal for `operator` in round `round`. */
export function mayAct(signers: Signers, operator: Address, caller: Address, round: number): boolean {
  return caller === operator || (caller !== zeroAddress && caller === signerIn(signers, round));
}
