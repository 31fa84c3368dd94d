import type { Command } from "commander";
import { readRound } from "../chain/round.ts";
import { planAndSend } from "./act.ts";
import { type SigningOptions, signingVerb } from "./options.ts";
import type { Terminal } from "./report.ts";

/** `flockctl claim`: takes out what was earned. */
export function claimCommand(terminal: Terminal): Command {
  return signingVerb(
    "claim",
    "take out what you earned in settled rounds",
    "flockctl claim --config operator.json --yes",
  ).action(async (options: SigningOptions) => {
    await planAndSend(terminal, options, async ({ config: { task, operator }, chain, token }) => {
      const { account } = await readRound(chain, task, operator);
      return {
        intent: { kind: "claim", task },
        fields: [["claim", `${token.show(account.claimable)} earned in task ${task}`]],
        done: ({ amount }) =>
          amount === "0" ? "There is nothing to claim." : `Claimed ${token.show(BigInt(String(amount)))}.`,
      };
    });
  });
}
