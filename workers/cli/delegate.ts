import type { Command } from "commander";
import { BPS } from "../../protocol/words.ts";
import { readPool } from "../chain/accounts.ts";
import { reach } from "../chain/failure.ts";
import { readRound } from "../chain/round.ts";
import { freshId, planAndSend } from "./act.ts";
import { parseAmount, type SigningOptions, signingVerb, usage } from "./options.ts";
import { percent, type Terminal } from "./report.ts";
import { duration } from "./times.ts";

/** `flockctl delegate`: puts tokens behind an operator, to earn and lose with it. */
export function delegateCommand(terminal: Terminal): Command {
  return signingVerb(
    "delegate",
    "delegate tokens to an operator: they earn, and can be slashed, with its own stake",
    "flockctl delegate --config delegator.json --operator 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --amount 50",
  )
    .option("--operator <address>", "whom to delegate to, if not to the configuration's operator")
    .requiredOption("--amount <tokens>", "how much, in tokens")
    .option("--id <word>", "names this deposit: the same word is sent only once")
    .action(async (options: SigningOptions & { operator?: string; amount: string; id?: string }) => {
      await planAndSend(terminal, options, async ({ config: { task, operator }, chain, token }) => {
        const amount = parseAmount(options.amount, token.decimals);
        const { terms, round, open, account } = await readRound(chain, task, operator);
        const pool = await reach("reading the pool", () => readPool(chain, task, operator));
        const counted = (account.active + account.joining) * BigInt(terms.maxLeverage);
        const others = pool.active + pool.joining;
        return {
          intent: { kind: "delegate", id: options.id ?? freshId(), task, operator, amount },
          fields: [
            ["delegate", `${token.show(amount)} to ${operator} in task ${task}`],
            ["commission", `${percent(pool.commissionBps)} of your rewards, as long as anybody delegates to it`],
            ["counts from", open ? `round ${round + 1}: round ${round} is open` : `round ${round + 1}, the next`],
            ["counted", `${token.show(others)} delegated so far; no more than ${token.show(counted)} count`],
            ["at risk", "all of it, in proportion, for whatever the operator does wrong"],
            ["leaving takes", `${duration(terms.unbonding)} from the day you ask`],
          ],
          done: ({ countsFrom }) =>
            `Delegated ${token.show(amount)}${countsFrom === undefined ? "" : `; it counts from round ${countsFrom}`}.`,
        };
      });
    });
}

/** `flockctl accept-delegation`: opens the operator to delegation. */
export function acceptDelegationCommand(terminal: Terminal): Command {
  return signingVerb(
    "accept-delegation",
    "let others delegate to you, for a part of their rewards",
    "flockctl accept-delegation --config operator.json --commission 10",
  )
    .requiredOption("--commission <percent>", "your part of your delegators' rewards, from 0 to 100")
    .action(async (options: SigningOptions & { commission: string }) => {
      const commissionBps = parsePercent(options.commission);
      await planAndSend(terminal, options, async ({ config: { task } }) => ({
        intent: { kind: "acceptDelegation", task, commissionBps },
        fields: [
          ["accept", `delegation in task ${task}`],
          ["commission", `${percent(commissionBps)}; it can change only while nothing is delegated`],
        ],
        done: () => `Others may delegate to you, for ${percent(commissionBps)} of their rewards.`,
      }));
    });
}

function parsePercent(text: string): number {
  const bps = Math.round(Number(text) * 100);
  if (!/^[0-9]{1,3}(\.[0-9]{1,2})?$/.test(text) || bps > BPS) {
    throw usage(`--commission must be a percentage from 0 to 100 with at most two decimals, but is "${text}".`);
  }
  return bps;
}
