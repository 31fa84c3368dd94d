import type { Address } from "viem";
import type { Account } from "../../protocol/rules/stakePool.ts";
import { type PositionView, readAccount, readPosition } from "../chain/accounts.ts";
import { reach } from "../chain/failure.ts";
import type { Chain } from "../chain/open.ts";
import type { SigningOptions } from "./options.ts";

/** Options of a verb that may also be about what was delegated to an operator, or belongs to another. */
export type HoldingOptions = SigningOptions & { operator?: string; owner?: string };

/** What an owner has with an operator: its own stake, or what it delegated. */
export type Holding = PositionView & { isOwn: boolean };

export function readHolding(chain: Chain, task: bigint, operator: Address, owner: Address): Promise<Holding> {
  return reach(`reading the stake of ${owner} in task ${task}`, async () => {
    if (owner !== operator) return { ...(await readPosition(chain, task, operator, owner)), isOwn: false };
    return { ...((await readAccount(chain, task, operator)) as Account), isOwn: true };
  });
}

/** "in task 1", or "delegated to 0x... in task 1". */
export function placeOf({ isOwn }: Holding, operator: Address, task: bigint): string {
  return isOwn ? `in task ${task}` : `delegated to ${operator} in task ${task}`;
}
