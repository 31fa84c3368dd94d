import type { Command } from "commander";
import { readRound } from "../chain/round.ts";
import { freshId, planAndSend } from "./act.ts";
import { type HoldingOptions, placeOf, readHolding } from "./holding.ts";
import { parseAmount, signingVerb, usage } from "./options.ts";
import type { Terminal } from "./report.ts";
import { duration, moment } from "./times.ts";

/** `flockctl exit`: asks to leave with all or part of the stake. */
export function exitCommand(terminal: Terminal): Command {
  return signingVerb(
    "exit",
    "ask to leave with all or part of your stake, or of what you delegated; withdraw it once it is free",
    "flockctl exit --config operator.json --all",
  )
    .option("--amount <tokens>", "how much, in tokens")
    .option("--all", "everything that is staked")
    .option("--operator <address>", "whom you delegated to")
    .option("--id <word>", "names this request: the same word is sent only once")
    .action(async (options: HoldingOptions & { amount?: string; all?: boolean; id?: string }) => {
      if ((options.amount === undefined) === (options.all !== true)) throw usage("Say either --amount or --all.");
      await planAndSend(terminal, options, async ({ config, chain, token, owner }) => {
        const { task, operator, secret } = config;
        if (secret !== undefined)
          throw usage("A signer cannot move stake: use a configuration with the operator's own key.");
        const { terms, round, open, block } = await readRound(chain, task, operator);
        const holding = await readHolding(chain, task, operator, owner);
        const staked = holding.active + holding.joining;
        const amount = options.amount === undefined ? staked : parseAmount(options.amount, token.decimals);
        if (amount === 0n) throw usage(`${owner} has nothing staked ${placeOf(holding, operator, task)}.`);
        return {
          intent: { kind: "requestExit", id: options.id ?? freshId(), task, operator, amount },
          fields: [
            ["leave with", `${token.show(amount)} of ${token.show(staked)} staked ${placeOf(holding, operator, task)}`],
            ["at risk until", open ? `round ${round} is settled` : "now: no round is open"],
            ["free at", `${moment(block.timestamp + terms.unbonding)}, ${duration(terms.unbonding)} from now`],
          ],
          done: ({ unlockAt }) =>
            `Asked to leave with ${token.show(amount)}${unlockAt === undefined ? "" : `; withdraw it from ${moment(Number(unlockAt))} on`}.`,
        };
      });
    });
}
