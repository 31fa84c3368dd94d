import { setTimeout as sleep } from "node:timers/promises";
import {
  BaseError,
  type Hex,
  keccak256,
  parseTransaction,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
} from "viem";
import { isUnreachable } from "../../audit/chain.ts";
import { ExitCode, PassingError } from "../../protocol/errors.ts";
import { chainFailure, reach } from "../chain/failure.ts";
import type { Chain } from "../chain/open.ts";
import type { Logger } from "../log.ts";
import { marketFees, raisedFees } from "./fees.ts";
import type { OperatorKey } from "./key.ts";
import type { Entry, Outbox } from "./outbox.ts";

export type DeliverContext = {
  chain: Chain;
  key: OperatorKey;
  outbox: Outbox;
  log: Logger | undefined;
  pollMs: number;
  /** Silence after which a transaction counts as stuck. */
  raiseAfterMs: number;
  /** Most that a gas may cost, wei. */
  feeCap: bigint | undefined;
  /** Told when the bytes are on disk, and again when a server has them. */
  onStep: (step: "signed" | "broadcast", entry: Entry) => void;
};

/** The server has it already, or one like it, or will once it pays more, or has just mined it in vain: the receipt will tell. */
const HARMLESS = /known|already|nonce|underpriced|fee cap|base ?fee|revert/i;

/** Looks without a receipt, after the nonce was used, before another transaction must have used it. */
const LOOKS = 3;

/**
 * Sends the bytes of an entry until one form of them is mined. Sending the same bytes again is harmless, so it does not matter
 * how far an earlier try came.
 * @returns the receipt, or undefined if the nonce went to a transaction that is not ours
 * @throws PassingError if the chain does not answer or the account cannot pay; the entry stays as it is.
 */
export async function deliver(
  context: DeliverContext,
  entry: Entry,
  { once, signal }: { once: boolean; signal: AbortSignal | undefined },
): Promise<TransactionReceipt | undefined> {
  const { pollMs, raiseAfterMs, onStep } = context;
  let now = await broadcast(context, entry);
  onStep("broadcast", now);
  let sentAt = Date.now();
  for (let looks = 0; ; await sleep(pollMs, undefined, { signal })) {
    const receipt = await reach("waiting for a transaction", () => findReceipt(context.chain, now));
    if (receipt !== undefined) return receipt;
    if (await reach("reading the account's nonce", () => isNonceUsed(context, now, once))) {
      looks += 1;
      if (looks >= LOOKS) return undefined;
    } else if (Date.now() - sentAt >= raiseAfterMs) {
      now = await broadcast(context, await raise(context, now));
      sentAt = Date.now();
    }
  }
}

/** The receipt of whichever form was mined: it need not be the newest. */
export async function findReceipt({ client }: Chain, { transactions }: Entry): Promise<TransactionReceipt | undefined> {
  for (const { hash } of transactions.toReversed()) {
    try {
      return await client.getTransactionReceipt({ hash });
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError)) throw error;
    }
  }
  return undefined;
}

/** For what must not be done twice only finality counts: a server that lags behind would lose us the receipt. */
async function isNonceUsed({ chain, key }: DeliverContext, { nonce }: Entry, once: boolean): Promise<boolean> {
  const count = (blockTag: "latest" | "finalized") =>
    chain.client.getTransactionCount({ address: key.address, blockTag });
  if ((await count("latest")) <= (nonce as number)) return false;
  return !once || (await count("finalized").catch(() => Number.POSITIVE_INFINITY)) > (nonce as number);
}

async function broadcast({ chain, key, outbox, log }: DeliverContext, entry: Entry): Promise<Entry> {
  const { hash, raw } = entry.transactions.at(-1) as { hash: Hex; raw: Hex };
  try {
    await chain.client.sendRawTransaction({ serializedTransaction: raw });
    log?.info({ id: entry.id, nonce: entry.nonce, hash }, "sent a transaction");
  } catch (error) {
    const reason = reasonOf(error);
    if (isUnreachable(error)) throw chainFailure(error, "sending a transaction");
    if (/insufficient funds|enough funds/i.test(reason)) {
      throw new PassingError(`The account ${key.address} cannot pay for gas: send it some ether.`, {
        cause: error,
        exitCode: ExitCode.chain,
      });
    }
    if (!HARMLESS.test(reason)) throw chainFailure(error, "sending a transaction");
    log?.info({ id: entry.id, nonce: entry.nonce, hash, reason }, "the server did not take it anew");
  }
  return entry.state === "signed" ? outbox.mark(entry.seq, "broadcast") : entry;
}

/** Signs the same act with higher fees, unless it offers enough already. */
async function raise({ chain, key, outbox, feeCap, log, onStep }: DeliverContext, entry: Entry): Promise<Entry> {
  const before = parseTransaction(entry.transactions.at(-1)?.raw as `0x02${string}`);
  const market = await reach("asking for fees", () => marketFees(chain));
  const { maxFeePerGas = 0n, maxPriorityFeePerGas = 0n } = before;
  const fees = raisedFees({ maxFeePerGas, maxPriorityFeePerGas }, market, feeCap);
  if (fees === undefined) return entry;
  const raw = await key.sign({
    type: "eip1559",
    chainId: before.chainId as number,
    nonce: before.nonce as number,
    to: before.to as Hex,
    data: before.data as Hex,
    gas: before.gas as bigint,
    ...fees,
  });
  const raised = outbox.replace(entry.seq, { hash: keccak256(raw), raw });
  log?.warn(
    { id: entry.id, nonce: entry.nonce, maxFeePerGas: String(fees.maxFeePerGas) },
    "a stuck transaction pays more",
  );
  onStep("signed", raised);
  return raised;
}

function reasonOf(error: unknown): string {
  return error instanceof BaseError ? error.details || error.shortMessage : String(error);
}
