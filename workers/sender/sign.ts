import { keccak256 } from "viem";
import { reach } from "../chain/failure.ts";
import type { Call } from "./acts/act.ts";
import type { DeliverContext } from "./deliver.ts";
import { marketFees } from "./fees.ts";
import type { Entry } from "./outbox.ts";

/** Room for what changes between the estimate and the block. */
const GAS_NUM = 13n;
const GAS_DEN = 10n;

/**
 * Tries a call out, signs it under the next nonce and keeps the bytes in the outbox. `doing` completes "The contracts refuse ...".
 * @throws PermanentError or PassingError if the contracts would refuse it now; then nothing was signed.
 */
export async function sign(
  { chain, key, outbox, feeCap }: DeliverContext,
  entry: Entry,
  { to, data }: Call,
  doing: string,
): Promise<Entry> {
  try {
    return await reach(doing, async () => {
      const [gas, fees, nonce] = await Promise.all([
        chain.client.estimateGas({ account: key.address, to, data }),
        marketFees(chain),
        chain.client.getTransactionCount({ address: key.address, blockTag: "pending" }),
      ]);
      const cap = feeCap ?? fees.maxFeePerGas;
      const raw = await key.sign({
        type: "eip1559",
        chainId: chain.chainId,
        nonce,
        to,
        data,
        gas: (gas * GAS_NUM) / GAS_DEN,
        maxFeePerGas: smaller(fees.maxFeePerGas, cap),
        maxPriorityFeePerGas: smaller(fees.maxPriorityFeePerGas, cap),
      });
      return outbox.sign(entry.seq, { nonce, dataHash: keccak256(data), hash: keccak256(raw), raw });
    });
  } catch (error) {
    outbox.mark(entry.seq, "failed", { error: (error as Error).message });
    throw error;
  }
}

const smaller = (a: bigint, b: bigint) => (a < b ? a : b);
