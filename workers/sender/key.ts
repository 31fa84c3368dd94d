import { type Address, type Hex, isAddressEqual, type TransactionSerializableEIP1559 } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { PermanentError } from "../../protocol/errors.ts";
import type { Place } from "../../protocol/rules/commitments.ts";
import { type CopiedBallot, openCopy, sealCopy } from "./ballotCopy.ts";
import { type SaltFacts, saltOf } from "./salts.ts";
import { secretOf } from "./secret.ts";

/** A key that acts for an operator: it signs, derives salts and seals copies of ballots, and gives itself to nobody. */
export type OperatorKey = {
  /** The account that signs and pays. */
  address: Address;
  /** For whom it acts: itself, or the operator that named it as its signer. */
  operator: Address;
  sign(transaction: TransactionSerializableEIP1559): Promise<Hex>;
  salt(facts: Omit<SaltFacts, "operator">): Hex;
  sealCopy(where: Omit<Place, "operator">, ballot: CopiedBallot): Hex;
  openCopy(where: Omit<Place, "operator">, copy: Hex): CopiedBallot | undefined;
  /** The secret behind salts and copies, for a signer's machine. */
  secret(): Uint8Array;
};

/** Whom a key acts for if not for itself, and that operator's secret: it stays the same whichever key signs. */
export type Acting = { operator?: Address | undefined; secret?: Uint8Array | undefined };

/**
 * Wraps a private key.
 * @param source where the key comes from, for the message of an error, which never shows the key
 */
export function operatorKey(privateKey: string, source: string, { operator, secret }: Acting = {}): OperatorKey {
  const hex = privateKey.trim().replace(/^(0x)?/, "0x") as Hex;
  if (!/^0x[0-9a-fA-F]{64}$/.test(hex)) throw badKey(source);
  let account: ReturnType<typeof privateKeyToAccount>;
  try {
    account = privateKeyToAccount(hex);
  } catch {
    throw badKey(source);
  }
  const own = secret ?? secretOf(hex);
  const of = { operator: operator ?? account.address };
  return {
    address: account.address,
    ...of,
    sign: (transaction) => account.signTransaction(transaction),
    salt: (facts) => saltOf(own, { ...facts, ...of }),
    sealCopy: (where, ballot) => sealCopy(own, { ...where, ...of }, ballot),
    openCopy: (where, copy) => openCopy(own, { ...where, ...of }, copy),
    secret: () => own,
  };
}

/** Whether a key is the operator's own, which alone moves stake and names signers. */
export function isOwn({ address, operator }: Pick<OperatorKey, "address" | "operator">): boolean {
  return isAddressEqual(address, operator);
}

/** The cause is left out on purpose: it would show the key. */
function badKey(source: string): PermanentError {
  return new PermanentError(`${source} does not hold a private key: 64 hex digits, neither zero nor too large.`);
}
