import { hkdfSync } from "node:crypto";
import { type Address, type Hex, hexToBytes, type TransactionSerializableEIP1559 } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { PermanentError } from "../../protocol/errors.ts";
import { type SaltFacts, saltOf } from "./salts.ts";

/** An operator's key: it signs and derives salts, and gives itself to nobody. */
export type OperatorKey = {
  address: Address;
  sign(transaction: TransactionSerializableEIP1559): Promise<Hex>;
  salt(facts: Omit<SaltFacts, "operator">): Hex;
};

/**
 * Wraps a private key. The secret behind the salts is derived from it (HKDF, RFC 5869), so whoever keeps the key can open
 * every commitment that was ever made with it.
 * @param source where the key comes from, for the message of an error, which never shows the key
 */
export function operatorKey(privateKey: string, source: string): OperatorKey {
  const hex = privateKey.trim().replace(/^(0x)?/, "0x") as Hex;
  if (!/^0x[0-9a-fA-F]{64}$/.test(hex)) throw badKey(source);
  let account: ReturnType<typeof privateKeyToAccount>;
  try {
    account = privateKeyToAccount(hex);
  } catch {
    throw badKey(source);
  }
  const masterSecret = new Uint8Array(hkdfSync("sha256", hexToBytes(hex), "", "flock.salts.1", 32));
  return {
    address: account.address,
    sign: (transaction) => account.signTransaction(transaction),
    salt: (facts) => saltOf(masterSecret, { ...facts, operator: account.address }),
  };
}

/** The cause is left out on purpose: it would show the key. */
function badKey(source: string): PermanentError {
  return new PermanentError(`${source} does not hold a private key: 64 hex digits, neither zero nor too large.`);
}
