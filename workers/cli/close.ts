import type { Command } from "commander";
import { isAddressEqual } from "viem";
import { abis } from "../../protocol/generated/abis.ts";
import { closing } from "../../protocol/rules/purse.ts";
import { reach } from "../chain/failure.ts";
import { readRound } from "../chain/round.ts";
import { planAndSend } from "./act.ts";
import { type SigningOptions, signingVerb, usage } from "./options.ts";
import type { Terminal } from "./report.ts";
import { duration, moment } from "./times.ts";

/** `flockctl close`: closes a task that may be closed, or gives the creator's notice. */
export function closeCommand(terminal: Terminal): Command {
  return signingVerb(
    "close",
    "close a task whose rounds, patience or notice are over; anyone may",
    "flockctl close --config operator.json --task 1",
  )
    .option("--notice", "give notice instead, as its creator: it may be closed one unbonding period later")
    .action(async (options: SigningOptions & { notice?: boolean }) => {
      await planAndSend(terminal, options, async ({ config: { task, operator }, chain, token, owner }) => {
        const view = await readRound(chain, task, operator);
        if (options.notice === true) {
          if (!isAddressEqual(view.creator, owner))
            throw usage(`Only its creator ${view.creator} gives notice of task ${task}.`);
          const at = view.closableAt || view.block.timestamp + view.terms.unbonding;
          return {
            intent: { kind: "announceClose", task },
            fields: [
              [
                "notice",
                `task ${task} opens no round from ${moment(at)} on, ${duration(view.terms.unbonding)} from now`,
              ],
            ],
            done: ({ closableAt }) => `Task ${task} may be closed from ${moment(Number(closableAt))} on.`,
          };
        }
        const { refund, burned } = closing(view.purse);
        const why =
          view.closable || view.closed ? "" : "; the contracts will refuse, for it still has a round open or to come";
        return {
          intent: { kind: "close", task },
          fields: [
            ["close", `task ${task}, for ever${why}`],
            ["refund", `${token.show(refund)} credited to its creator ${view.creator}`],
            ["burned", token.show(burned)],
          ],
          done: () =>
            `Task ${task} is closed; its creator claims the refund with "flockctl claim --operator ${view.creator}".`,
        };
      });
    });
}

/** `flockctl sweep`: burns what waits to be burned. */
export function sweepCommand(terminal: Terminal): Command {
  return signingVerb(
    "sweep",
    "send everything that waits to be burned to the dead address; anyone may",
    "flockctl sweep --config operator.json --yes",
  ).action(async (options: SigningOptions) => {
    await planAndSend(terminal, options, async ({ chain, token }) => {
      const waiting = await reach("reading what waits to be burned", () =>
        chain.client.readContract({
          address: chain.deployment.addresses.Staking,
          abi: abis.Staking,
          functionName: "toBurn",
        }),
      );
      return {
        intent: { kind: "sweepBurn" },
        fields: [["burn", `${token.show(waiting)} of all tasks of this deployment`]],
        done: ({ amount }) =>
          amount === "0" ? "Nothing waits to be burned." : `Burned ${token.show(BigInt(String(amount)))}.`,
      };
    });
  });
}
