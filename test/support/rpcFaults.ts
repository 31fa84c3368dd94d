import { type Hex, keccak256, numberToHex, toHex } from "viem";
import { lost, type Meddle } from "./rpcProxy.ts";

/** When a client is struck: before its transaction is on, when it is but its answer is not back, or when it has the receipt. */
export type Moment = "unsent" | "broadcast" | "confirmed";
export const moments: readonly Moment[] = ["unsent", "broadcast", "confirmed"];

const isSending = (method: string) => method === "eth_sendTransaction" || method === "eth_sendRawTransaction";

/** Calls `strike` at a moment of the `k`-th transaction that comes by, counted from 1. The client gets no answer to it. */
export function strikeAt({ k, moment, strike }: { k: number; moment: Moment; strike: () => void }): Meddle {
  let [sent, hash, isConfirmed]: [number, unknown, boolean] = [0, undefined, false];
  const end = () => {
    strike();
    throw lost;
  };
  return async ({ method, params }, forward) => {
    if (isConfirmed) return end();
    if (isSending(method)) sent++;
    const isIt = isSending(method) && sent === k;
    if (isIt && moment === "unsent") return end();
    const answer = await forward();
    if (isIt && moment === "broadcast") return end();
    if (isIt) hash = answer;
    if (method === "eth_getTransactionReceipt" && params[0] === hash && answer !== null) isConfirmed = true;
    return answer;
  };
}

/** After the `k`-th transaction (0: from the start), or after each, the next `asks` counts of transactions are one too low. */
export function staleNonce({ k, asks }: { k?: number; asks: number }): Meddle {
  let [sent, left] = [0, k === 0 ? asks : 0];
  return async ({ method }, forward) => {
    const answer = await forward();
    if (isSending(method)) {
      sent++;
      if (k === undefined || sent === k) left = asks;
    }
    if (method !== "eth_getTransactionCount" || left === 0) return answer;
    left--;
    return numberToHex(BigInt(answer as Hex) - 1n);
  };
}

/** Answers the `k`-th transaction with a hash and forgets it. */
export function droppedTransaction({ k }: { k: number }): Meddle {
  let sent = 0;
  return async ({ method, params }, forward) => {
    if (isSending(method)) sent++;
    if (!isSending(method) || sent !== k) return forward();
    return typeof params[0] === "string" ? keccak256(params[0] as Hex) : keccak256(toHex(JSON.stringify(params)));
  };
}
