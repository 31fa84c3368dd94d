import { type Address, isAddressEqual, parseEventLogs, type TransactionReceipt } from "viem";
import { ExitCode, PermanentError } from "../../../protocol/errors.ts";
import { abis } from "../../../protocol/generated/abis.ts";
import type { JsonObject } from "../../queue/types.ts";
import { isOwn, type OperatorKey } from "../key.ts";
import type { ActContext } from "./act.ts";

/**
 * What changes an operator's own account needs the operator's own key.
 * @param doing completes "To ... takes the operator's own key".
 * @throws PermanentError (usage) if this is a signer's or a delegator's.
 */
export function requireOwn(key: OperatorKey, doing: string): void {
  if (isOwn(key)) return;
  throw new PermanentError(
    `To ${doing} takes the operator's own key: this one is ${key.address}'s, and the operator is ${key.operator}.`,
    { exitCode: ExitCode.usage },
  );
}

type StakingEvent = "Staked" | "Delegated" | "ExitRequested" | "Withdrawn" | "Claimed" | "SignerSet";
type EventArgs<E extends StakingEvent> = ReturnType<
  typeof parseEventLogs<typeof abis.Staking, true, E>
>[number]["args"];

/** What the receipt says that the vault did, once: a transaction of ours does one thing. */
export function told<E extends StakingEvent>(
  { chain }: ActContext,
  { logs }: TransactionReceipt,
  eventName: E,
  result: (args: EventArgs<E>) => JsonObject,
): JsonObject | undefined {
  const vault: Address = chain.deployment.addresses.Staking;
  const found = parseEventLogs({ abi: abis.Staking, eventName, logs }).find((log) =>
    isAddressEqual(log.address, vault),
  );
  return found === undefined ? undefined : result(found.args as EventArgs<E>);
}
