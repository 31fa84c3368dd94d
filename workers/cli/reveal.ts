import type { Command } from "commander";
import { readRound } from "../chain/round.ts";
import { planAndSend } from "./act.ts";
import { type SigningOptions, signingVerb, usage } from "./options.ts";
import type { Terminal } from "./report.ts";
import { moment } from "./times.ts";

/** `flockctl reveal`: opens a sealed ballot by hand, on any machine that has the key, or a key and the operator's secret. */
export function revealCommand(terminal: Terminal): Command {
  return signingVerb(
    "reveal",
    "open your sealed ballot by hand, from its encrypted copy on the chain if need be",
    "flockctl reveal --config operator.json --task 1",
  )
    .option("--round <number>", "the round it was sealed in; the open one by default")
    .action(async (options: SigningOptions & { round?: string }) => {
      await planAndSend(terminal, options, async ({ config: { task, operator }, chain }) => {
        const { round: open, deadlines, ballot } = await readRound(chain, task, operator);
        const round = options.round === undefined ? open : parseRound(options.round);
        return {
          intent: { kind: "revealBallot", task, round },
          fields: [
            ["reveal", `the ballot of ${operator} in round ${round} of task ${task}, now ${ballot.state}`],
            ["until", deadlines === undefined ? "no round is open" : moment(deadlines.reveal)],
          ],
          done: ({ seats }) => `Revealed${seats === undefined ? "" : ` with ${seats} seats`}.`,
        };
      });
    });
}

function parseRound(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw usage(`--round must be the number of a round, but is "${text}".`);
  return Number(text);
}
