import { encodeFunctionData, isAddressEqual } from "viem";
import { ExitCode, PermanentError } from "../../../protocol/errors.ts";
import { abis } from "../../../protocol/generated/abis.ts";
import { readNamedSigner, readPool } from "../../chain/accounts.ts";
import type { Intent } from "../intents.ts";
import { type Act, type ActContext, untilDone } from "./act.ts";
import { requireOwn, told } from "./own.ts";

/** Delegates tokens to an operator, after allowing the vault to take them. */
export function delegate(
  context: ActContext,
  { id, task, operator, amount }: Extract<Intent, { kind: "delegate" }>,
): Act {
  const { chain, key } = context;
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "delegate", args: [task, operator, amount] });
  return {
    once: true,
    first: { kind: "allow", id: `delegate-${id}`, amount },
    async next() {
      if (isAddressEqual(key.address, operator)) {
        throw new PermanentError(`${operator} cannot delegate to itself: use the verb stake.`, {
          exitCode: ExitCode.usage,
        });
      }
      return { call: { to: chain.deployment.addresses.Staking, data } };
    },
    effect: async (receipt) => told(context, receipt, "Delegated", ({ countsFrom }) => ({ countsFrom })),
  };
}

/** Opens the operator to delegation; done when it is, at this commission. */
export function acceptDelegation(
  context: ActContext,
  { task, commissionBps }: Extract<Intent, { kind: "acceptDelegation" }>,
): Act {
  const { chain, key } = context;
  const args = [task, commissionBps] as const;
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "acceptDelegation", args });
  const next: Act["next"] = async () => {
    requireOwn(key, "accept delegation");
    const pool = await readPool(chain, task, key.operator);
    if (pool.accepts && pool.commissionBps === commissionBps) return { done: { commissionBps } };
    return { call: { to: chain.deployment.addresses.Staking, data } };
  };
  return { next, effect: () => untilDone(next) };
}

/** Names the key that acts for the operator from the next round on; done when it was the last one named. */
export function setSigner(context: ActContext, { task, signer }: Extract<Intent, { kind: "setSigner" }>): Act {
  const { chain, key } = context;
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "setSigner", args: [task, signer] });
  const next: Act["next"] = async () => {
    requireOwn(key, "name a signer");
    const named = await readNamedSigner(chain, task, key.operator);
    if (named?.signer === signer) return { done: { signer, countsFrom: named.countsFrom } };
    return { call: { to: chain.deployment.addresses.Staking, data } };
  };
  return { next, effect: () => untilDone(next) };
}

/** Takes back the right to act for the operator from every key named before; done when none has it. */
export function revokeSigner(context: ActContext, { task }: Extract<Intent, { kind: "revokeSigner" }>): Act {
  const { chain, key } = context;
  const data = encodeFunctionData({ abi: abis.Staking, functionName: "revokeSigner", args: [task] });
  const next: Act["next"] = async () => {
    requireOwn(key, "revoke its signer");
    if ((await readNamedSigner(chain, task, key.operator)) === undefined) return { done: { signer: null } };
    return { call: { to: chain.deployment.addresses.Staking, data } };
  };
  return { next, effect: () => untilDone(next) };
}
