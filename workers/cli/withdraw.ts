import type { Command } from "commander";
import { planAndSend } from "./act.ts";
import { type HoldingOptions, placeOf, readHolding } from "./holding.ts";
import { signingVerb } from "./options.ts";
import type { Terminal } from "./report.ts";
import { moment } from "./times.ts";

/** `flockctl withdraw`: takes out the stake that has left. */
export function withdrawCommand(terminal: Terminal): Command {
  return signingVerb(
    "withdraw",
    "take out stake that has left, your own or what you delegated, once it is free",
    "flockctl withdraw --config operator.json --yes",
  )
    .option("--operator <address>", "whom you delegated to")
    .option("--owner <address>", "whose stake to take out, to that account; yours by default")
    .action(async (options: HoldingOptions) => {
      await planAndSend(terminal, options, async ({ config: { task, operator }, chain, token, owner }) => {
        const holding = await readHolding(chain, task, operator, owner);
        const leaving = holding.left + holding.leaving;
        return {
          intent: { kind: "withdraw", task, operator, owner },
          fields: [
            ["withdraw", `${token.show(leaving)} ${placeOf(holding, operator, task)}, to ${owner}`],
            ...(leaving > 0n ? [["free at", moment(holding.unlockAt)] as [string, string]] : []),
          ],
          done: ({ amount }) =>
            amount === "0" ? "There is nothing to withdraw." : `Withdrew ${token.show(BigInt(String(amount)))}.`,
        };
      });
    });
}
