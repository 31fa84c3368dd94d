import type { Command } from "commander";
import { nameOf, Role, Roles } from "../../protocol/words.ts";
import { readRound } from "../chain/round.ts";
import { freshId, planAndSend } from "./act.ts";
import { parseAmount, type SigningOptions, signingVerb, usage } from "./options.ts";
import type { Terminal } from "./report.ts";
import { duration } from "./times.ts";

/** `flockctl stake`: puts tokens at stake for one role in a task. */
export function stakeCommand(terminal: Terminal): Command {
  return signingVerb(
    "stake",
    "stake tokens as a trainer or a validator of a task",
    "flockctl stake --config operator.json --role trainer --amount 200",
  )
    .option("--role <role>", "trainer or validator; one an operator and task, none where each round draws the roles")
    .requiredOption("--amount <tokens>", "how much, in tokens")
    .option("--id <word>", "names this deposit: the same word is sent only once")
    .action(async (options: SigningOptions & { role?: string; amount: string; id?: string }) => {
      const asked = options.role === undefined ? undefined : parseRole(options.role);
      await planAndSend(terminal, options, async ({ config: { task, operator }, chain, token }) => {
        const amount = parseAmount(options.amount, token.decimals);
        const { terms, round, open } = await readRound(chain, task, operator);
        const role = poolOf(terms.roles, asked, task);
        return {
          intent: { kind: "stake", id: options.id ?? freshId(), task, role, amount },
          fields: [
            ["stake", `${token.show(amount)} ${asWhat(role)} of task ${task}`],
            ["counts from", open ? `round ${round + 1}: round ${round} is open` : `round ${round + 1}, the next`],
            ["one seat", `needs and risks ${token.show(terms.seatStake)}`],
            ["leaving takes", `${duration(terms.unbonding)} from the day you ask`],
          ],
          done: ({ countsFrom }) =>
            `Staked ${token.show(amount)}${countsFrom === undefined ? "" : `; it counts from round ${countsFrom}`}.`,
        };
      });
    });
}

/** The pool that a stake goes to. */
function poolOf(roles: Roles, asked: Role | undefined, task: bigint): Role {
  if (roles === Roles.Drawn) {
    if (asked === undefined) return Role.Drawn;
    throw usage(`Task ${task} draws the roles anew each round: leave out --role.`);
  }
  if (asked === undefined)
    throw usage(`Say with --role whether to stake as a trainer or as a validator of task ${task}.`);
  return asked;
}

function asWhat(role: Role): string {
  return role === Role.Drawn ? "in the one pool" : `as a ${nameOf(Role, role).toLowerCase()}`;
}

function parseRole(text: string): Role {
  if (text === "trainer") return Role.Trainer;
  if (text === "validator") return Role.Validator;
  throw usage(`--role must be trainer or validator, but is "${text}".`);
}
