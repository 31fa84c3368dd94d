import type { Command } from "commander";
import { planAndSend } from "./act.ts";
import { type HoldingOptions, placeOf, readHolding } from "./holding.ts";
import { signingVerb } from "./options.ts";
import type { Terminal } from "./report.ts";

/** `flockctl claim`: takes out what was earned. */
export function claimCommand(terminal: Terminal): Command {
  return signingVerb(
    "claim",
    "take out what you earned in settled rounds, by your own stake or by what you delegated",
    "flockctl claim --config operator.json --yes",
  )
    .option("--operator <address>", "whom you delegated to; for a bounty or a refund, whom it was credited to")
    .option("--owner <address>", "whose pay to take out, to that account; yours by default")
    .action(async (options: HoldingOptions) => {
      await planAndSend(terminal, options, async ({ config: { task, operator }, chain, token, owner }) => {
        const holding = await readHolding(chain, task, operator, owner);
        return {
          intent: { kind: "claim", task, operator, owner },
          fields: [
            ["claim", `${token.show(holding.claimable)} earned ${placeOf(holding, operator, task)}, to ${owner}`],
          ],
          done: ({ amount }) =>
            amount === "0" ? "There is nothing to claim." : `Claimed ${token.show(BigInt(String(amount)))}.`,
        };
      });
    });
}
