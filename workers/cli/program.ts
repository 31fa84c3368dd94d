import { Command } from "commander";
import { claimCommand } from "./claim.ts";
import { closeCommand, sweepCommand } from "./close.ts";
import { acceptDelegationCommand, delegateCommand } from "./delegate.ts";
import { doctorCommand } from "./doctor.ts";
import { exitCommand } from "./exitStake.ts";
import { exportCommand } from "./exportHead.ts";
import { generateCommand } from "./generate.ts";
import { keysCommand } from "./keys.ts";
import { modelCommand } from "./model.ts";
import { planCommand } from "./plan.ts";
import { quantizeCommand } from "./quantize.ts";
import type { Terminal } from "./report.ts";
import { revealCommand } from "./reveal.ts";
import { signerCommand } from "./signer.ts";
import { stakeCommand } from "./stake.ts";
import { statusCommand } from "./status.ts";
import { withdrawCommand } from "./withdraw.ts";
import { workerCommand } from "./worker.ts";

/** The command line of an operator: one verb a file. */
export function flockctl(terminal: Terminal): Command {
  const program = new Command("flockctl")
    .description("Run and look after an operator of Flock.")
    .configureOutput({ writeOut: (text) => terminal.write(text), writeErr: (text) => terminal.tell(text) })
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 unforeseen, 2 wrong command line or configuration, 3 wrong file, 4 the chain refuses,\n" +
        "5 a server cannot be reached or a disk is full, 6 an audit found a difference, 130 interrupted.",
    );
  const verbs = [
    keysCommand,
    stakeCommand,
    workerCommand,
    statusCommand,
    claimCommand,
    exitCommand,
    withdrawCommand,
    delegateCommand,
    acceptDelegationCommand,
    signerCommand,
    revealCommand,
    closeCommand,
    sweepCommand,
    exportCommand,
    generateCommand,
    planCommand,
    modelCommand,
    doctorCommand,
    quantizeCommand,
  ];
  for (const verb of verbs) program.addCommand(verb(terminal));
  return settled(program);
}

/** Errors are thrown to the one place that knows exit codes, at every level. */
function settled(command: Command): Command {
  command.exitOverride().showHelpAfterError("(add --help for what it takes)");
  for (const verb of command.commands) {
    verb.copyInheritedSettings(command);
    settled(verb);
  }
  return command;
}
