import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Address, Hex, TransactionReceipt } from "viem";
import { ExitCode, PassingError, PermanentError } from "../../protocol/errors.ts";
import { reach } from "../chain/failure.ts";
import type { Chain } from "../chain/open.ts";
import type { Logger } from "../log.ts";
import type { JsonObject } from "../queue/types.ts";
import type { Act, ActContext, Ballot } from "./acts/act.ts";
import { actOf } from "./acts/actOf.ts";
import { type DeliverContext, deliver } from "./deliver.ts";
import { finalBlock, refresh } from "./finality.ts";
import { type Intent, intentFromJson, intentId } from "./intents.ts";
import type { OperatorKey } from "./key.ts";
import { type Entry, openOutbox } from "./outbox.ts";
import { whyReverted } from "./reverted.ts";
import { sign } from "./sign.ts";
import { openTurns } from "./turns.ts";

export type OpenSenderParameters = {
  chain: Chain;
  key: OperatorKey;
  /** Folder of the outbox; the same one must be used on every start. */
  dir: string;
  /** The measured ballot behind a report. Only needed for intents of ballots. */
  readBallot?: ((report: Hex) => Promise<Ballot>) | undefined;
  log?: Logger | undefined;
  /** Pause between two looks at the chain, in milliseconds. */
  pollMs?: number | undefined;
  /** Silence after which a transaction counts as stuck and pays more, in milliseconds. */
  raiseAfterMs?: number | undefined;
  /** Most that a gas may cost, wei. */
  feeCap?: bigint | undefined;
  onStep?: DeliverContext["onStep"] | undefined;
};

/** How an intent came about. `done`: it was so already, or became so without us. */
export type Sent = {
  id: string;
  state: "done" | "mined" | "final";
  hash?: Hex | undefined;
  block?: bigint | undefined;
  result: JsonObject;
};

export type SendOptions = { signal?: AbortSignal | undefined };

export type Sender = {
  operator: Address;
  /**
   * Brings an intent about, once, however often and from how many processes it is asked; returns when its effect was read back.
   * @throws PermanentError if the contracts refuse it, PassingError if it is too early or the chain does not answer.
   */
  send(intent: Intent, options?: SendOptions): Promise<Sent>;
  /** Ends what an earlier process left unfinished, and marks what has become final. `send` does so first. */
  resume(options?: SendOptions): Promise<void>;
  /** The history of an intent's newest try. */
  newest(id: string): Entry | undefined;
  close(): void;
};

const POLL_MS = 1_000;
const RAISE_AFTER_MS = 60_000;
/** Looks at an effect that a server behind the others does not show yet. */
const EFFECT_LOOKS = 20;

/** Opens the one holder of an operator's key on this machine. */
export function openSender(parameters: OpenSenderParameters): Sender {
  const { chain, key, dir, log, pollMs = POLL_MS } = parameters;
  // Another chain, or another run of a local one, has another outbox: its intents would look like ours.
  const name = `${chain.chainId}-${chain.genesis.slice(2, 10)}-${key.address.toLowerCase()}`;
  const outbox = openOutbox(join(dir, `outbox-${name}.sqlite`));
  const turns = openTurns(join(dir, `turns-${name}.sqlite`));
  const delivery: DeliverContext = {
    chain,
    key,
    outbox,
    log,
    pollMs,
    raiseAfterMs: parameters.raiseAfterMs ?? RAISE_AFTER_MS,
    feeCap: parameters.feeCap,
    onStep: parameters.onStep ?? (() => {}),
  };
  const { newest, sealedBallots } = outbox;
  const context: ActContext = { chain, key, newest, sealedBallots, readBallot: parameters.readBallot ?? noBallots };

  /** Everything from a wish to its effect. */
  async function bringAbout(intent: Intent, signal: AbortSignal | undefined): Promise<Sent> {
    const act = actOf(context, intent);
    const id = intentId(intent);
    for (;;) {
      const known = act.once === undefined ? undefined : outbox.newest(id);
      if (known?.state === "mined" || known?.state === "final") return sentOf(known);
      if (act.first !== undefined) await bringAbout(act.first, signal);
      const doing = `to ${wordsOf(intent)}`;
      const step = await reach(doing, () => act.next());
      if ("done" in step) return { id, state: "done", result: step.done };
      const planned = outbox.plan(intent, step.content);
      let signed: Entry;
      try {
        signed = await sign(delivery, planned, step.call, doing);
      } catch (error) {
        const done = await doneByOthers(planned, act).catch(() => undefined);
        if (done === undefined) throw error;
        return done;
      }
      delivery.onStep("signed", signed);
      const sent = await finish(signed, act, signal);
      if (sent !== undefined) return sent;
    }
  }

  /** From signed bytes to the effect; undefined if another transaction took the nonce. */
  async function finish(entry: Entry, act: Act, signal: AbortSignal | undefined): Promise<Sent | undefined> {
    const receipt = await deliver(delivery, entry, { once: act.once === true, signal });
    if (receipt === undefined) {
      outbox.mark(entry.seq, "superseded", { error: "another transaction used the nonce" });
      log?.warn({ id: entry.id, nonce: entry.nonce }, "another transaction used the nonce");
      return undefined;
    }
    if (receipt.status === "success") return await readBack(entry, act, receipt, signal);
    const done = await doneByOthers(entry, act);
    if (done !== undefined) return done;
    const failure = await whyReverted(chain, key.address, entry, receipt);
    outbox.mark(entry.seq, "failed", { error: failure.message });
    throw failure;
  }

  /** The contracts refuse what somebody else did since we looked: then it is done. */
  async function doneByOthers(entry: Entry, act: Act): Promise<Sent | undefined> {
    const step = await reach(`reading the effect of ${entry.id}`, () => act.next()).catch((error: unknown) => {
      if (error instanceof PermanentError) return undefined;
      throw error;
    });
    if (step === undefined || !("done" in step)) return undefined;
    outbox.mark(entry.seq, "superseded", { error: "it was done by somebody else", result: step.done });
    return { id: entry.id, state: "done", result: step.done };
  }

  async function readBack(
    entry: Entry,
    act: Act,
    receipt: TransactionReceipt,
    signal: AbortSignal | undefined,
  ): Promise<Sent> {
    const block = { number: receipt.blockNumber, hash: receipt.blockHash };
    for (let look = 1; look <= EFFECT_LOOKS; look++) {
      const result = await reach(`reading the effect of ${entry.id}`, () => act.effect(receipt)).catch(
        (error: unknown) => {
          // It was mined, so the contracts took it; by now the chain has gone on and shows it no more.
          if (error instanceof PermanentError) return {};
          throw error;
        },
      );
      if (result !== undefined) {
        const mined = outbox.mark(entry.seq, "mined", { block, result });
        return sentOf(await refresh(delivery, mined, await finalBlock(chain)));
      }
      await sleep(pollMs, undefined, { signal });
    }
    outbox.mark(entry.seq, "mined", { block, result: {} }); // or it would stand in the way of everything after it
    throw new PassingError(`${entry.id} was mined in block ${receipt.blockNumber}, but its effect cannot be seen.`, {
      exitCode: ExitCode.chain,
    });
  }

  async function resume(signal: AbortSignal | undefined): Promise<void> {
    const mined = outbox.inState("mined");
    if (mined.length > 0) {
      const final = await finalBlock(chain);
      for (const entry of mined) await refresh(delivery, entry, final);
    }
    for (const entry of outbox.inState("planned")) outbox.mark(entry.seq, "failed", { error: "it was never signed" });
    for (const entry of outbox.inState("signed", "broadcast")) {
      log?.info({ id: entry.id, nonce: entry.nonce }, "goes on with what was left unfinished");
      await finish(entry, actOf(context, intentFromJson(entry.intent)), signal).catch((error: unknown) => {
        const state = outbox.newest(entry.id)?.state;
        if (state !== "failed" && state !== "mined") throw error;
        log?.warn(
          { id: entry.id, state, reason: (error as Error).message },
          "what was left unfinished has no effect now",
        );
      });
    }
  }

  return {
    operator: key.operator,
    send: (intent, { signal } = {}) =>
      turns.take(async () => {
        await resume(signal);
        return bringAbout(intent, signal);
      }, signal),
    resume: ({ signal } = {}) => turns.take(() => resume(signal), signal),
    newest: outbox.newest,
    close() {
      outbox.close();
      turns.close();
    },
  };
}

function sentOf({ id, state, transactions, block, result }: Entry): Sent {
  return {
    id,
    state: state === "final" ? "final" : "mined",
    hash: transactions.at(-1)?.hash,
    block: block?.number,
    result: result ?? {},
  };
}

/** "commitProposal" as "commit proposal". */
function wordsOf({ kind }: Intent): string {
  return kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

async function noBallots(report: Hex): Promise<Ballot> {
  throw new PermanentError(`This process cannot read the ballot of report ${report}.`);
}
