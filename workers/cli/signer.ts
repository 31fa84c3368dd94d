import { resolve } from "node:path";
import { Command } from "commander";
import { readNamedSigner } from "../chain/accounts.ts";
import { reach } from "../chain/failure.ts";
import { openConfiguredKey } from "../operator.ts";
import { requireOwn } from "../sender/acts/own.ts";
import { writeSecret } from "../sender/secret.ts";
import { planAndSend } from "./act.ts";
import {
  accountConfigOf,
  type OperatorOptions,
  operatorVerb,
  parseAddress,
  type SigningOptions,
  signingVerb,
} from "./options.ts";
import { showReport, type Terminal } from "./report.ts";

/** `flockctl signer set|revoke|secret`: the hot key that works for an operator and cannot move its stake. */
export function signerCommand(terminal: Terminal): Command {
  const signer = new Command("signer").description("name the key that works for you and cannot move your stake");
  signer.addCommand(
    signingVerb(
      "set",
      "let another key seal your proposals and ballots, from the next round on; takes your own key",
      "flockctl signer set --config owner.json --address 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    )
      .requiredOption("--address <address>", "the signer's address")
      .action(async (options: SigningOptions & { address: string }) => {
        const named = parseAddress("--address", options.address);
        await planAndSend(terminal, options, async ({ config: { task, operator } }) => ({
          intent: { kind: "setSigner", task, signer: named },
          fields: [
            ["signer", `${named} acts for ${operator} in task ${task} from the next round to open`],
            ["until then", "the one before it, if there is one; revoke it if it must stop at once"],
            ["it can", "seal proposals and ballots; it cannot stake, exit, delegate or name signers"],
          ],
          done: ({ countsFrom }) =>
            `Named ${named} the signer${countsFrom === undefined ? "" : `; it counts from round ${countsFrom}`}.`,
        }));
      }),
  );
  signer.addCommand(
    signingVerb(
      "revoke",
      "take the right to act for you back from every signer, at once; takes your own key",
      "flockctl signer revoke --config owner.json --yes",
    ).action(async (options: SigningOptions) => {
      await planAndSend(terminal, options, async ({ config: { task, operator }, chain }) => {
        const last = await reach("reading the signer", () => readNamedSigner(chain, task, operator));
        return {
          intent: { kind: "revokeSigner", task },
          fields: [["revoke", `${last?.signer ?? "nobody: no signer is named"} in task ${task}, at once`]],
          done: () => "No other key acts for you now.",
        };
      });
    }),
  );
  signer.addCommand(
    operatorVerb(
      "secret",
      "write the secret that opens what you seal, for the signer's machine; takes your own key, signs nothing",
      "flockctl signer secret --config owner.json --out secret",
    )
      .requiredOption("--out <file>", "file to write; an existing one is never written over")
      .action(async (options: OperatorOptions & { out: string }) => {
        const { ask } = terminal;
        const key = await openConfiguredKey(
          await accountConfigOf(options),
          ask === undefined ? {} : { ask: (question) => ask(question, { hidden: true }) },
        );
        requireOwn(key, "write its secret");
        const out = resolve(options.out);
        await writeSecret(out, key.secret());
        showReport(
          terminal,
          {
            json: { operator: key.operator, secret: out },
            fields: [
              ["operator", key.operator],
              ["secret", out],
            ],
          },
          options,
        );
      }),
  );
  return signer;
}
