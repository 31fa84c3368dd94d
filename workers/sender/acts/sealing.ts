import { PassingError } from "../../../protocol/errors.ts";
import type { Chain } from "../../chain/open.ts";
import type { RoundView } from "../../chain/roundView.ts";

/**
 * Waits with an opening until the end of sealing is final: if the chain were reorganised across that border, who has read the
 * opening could still seal. Half-way through the opening phase it goes out anyway, for not opening costs more.
 * @throws PassingError while it is too early.
 */
export async function waitForSealing(
  { client }: Chain,
  { block, deadlines, phaseEndsAt, round, task }: RoundView,
  sealing: "propose" | "ballot",
): Promise<void> {
  if (deadlines === undefined) return;
  const end = deadlines[sealing];
  // Before the end of sealing the contracts say no themselves.
  if (block.timestamp < end || block.timestamp >= (end + phaseEndsAt) / 2) return;
  // A chain without finality answers with an error: there is nothing to wait for.
  const final = await client.getBlock({ blockTag: "finalized" }).catch(() => undefined);
  if (final === undefined || Number(final.timestamp) >= end) return;
  throw new PassingError(`The end of sealing in round ${round} of task ${task} is not final yet: opening waits.`);
}
