import type { Address, Hex, TransactionReceipt } from "viem";
import type { Chain } from "../../chain/open.ts";
import type { JsonObject } from "../../queue/types.ts";
import type { Intent } from "../intents.ts";
import type { OperatorKey } from "../key.ts";
import type { Entry } from "../outbox.ts";

export type Call = { to: Address; data: Hex };

/** What is left to do: nothing, for the effect is there; or one call. */
export type Step = { done: JsonObject } | { call: Call; content?: JsonObject | undefined };

/** How one intent is brought about. */
export type Act = {
  /**
   * Reads the chain and says what is left to do.
   * @throws PermanentError if the effect can never come any more, PassingError if it is too early.
   */
  next(): Promise<Step>;
  /** The effect as it stands after our transaction was mined; undefined if it is not there. */
  effect(receipt: TransactionReceipt): Promise<JsonObject | undefined>;
  /** The chain cannot tell whether it was done before: the outbox does. */
  once?: true | undefined;
  /** What must be true before this can be done. */
  first?: Intent | undefined;
};

export type Ballot = { scores: number[]; head: Hex };

/** What acts are made with. */
export type ActContext = {
  chain: Chain;
  key: OperatorKey;
  /** The measured ballot behind a report, by the report's sha256; scores in slot order, `head` 20 bytes. */
  readBallot: (report: Hex) => Promise<Ballot>;
  /** The newest entry of the outbox for the id of an intent. */
  newest: (id: string) => Entry | undefined;
  /** Every try to seal a ballot in a round, newest first. */
  sealedBallots: (task: bigint, round: number) => Entry[];
};

/** For acts whose effect the chain shows: it is there when nothing is left to do. */
export async function untilDone(next: Act["next"]): Promise<JsonObject | undefined> {
  const step = await next();
  return "done" in step ? step.done : undefined;
}
