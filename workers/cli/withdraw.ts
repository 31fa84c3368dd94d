import type { Command } from "commander";
import { readRound } from "../chain/round.ts";
import { planAndSend } from "./act.ts";
import { type SigningOptions, signingVerb } from "./options.ts";
import type { Terminal } from "./report.ts";
import { moment } from "./times.ts";

/** `flockctl withdraw`: takes out the stake that has left. */
export function withdrawCommand(terminal: Terminal): Command {
  return signingVerb(
    "withdraw",
    "take out stake that has left, once it is free",
    "flockctl withdraw --config operator.json --yes",
  ).action(async (options: SigningOptions) => {
    await planAndSend(terminal, options, async ({ config: { task, operator }, chain, token }) => {
      const { account } = await readRound(chain, task, operator);
      const leaving = account.left + account.leaving;
      return {
        intent: { kind: "withdraw", task },
        fields: [
          ["withdraw", `${token.show(leaving)} from task ${task}`],
          ...(leaving > 0n ? [["free at", moment(account.unlockAt)] as [string, string]] : []),
        ],
        done: ({ amount }) =>
          amount === "0" ? "There is nothing to withdraw." : `Withdrew ${token.show(BigInt(String(amount)))}.`,
      };
    });
  });
}
