import { type Address, type Hex, keccak256, stringToHex } from "viem";
import { Phase, Role } from "../../protocol/words.ts";
import { jobId } from "../queue/jobs.ts";
import type { Intent } from "../sender/intents.ts";

/** What the chain says about one task and one operator; all that duties depend on, besides what the operator has done. */
export type Situation = {
  task: bigint;
  operator: Address;
  /** Whether the operator has a stake. */
  staked: boolean;
  /** Its role in the open round; undefined without a stake, or before it is drawn. */
  role: Role | undefined;
  /** Of the open round, else of the last one. */
  round: number;
  phase: Phase;
  /** The contracts would open the next round now; if this one waits for its settlement and is void, they settle it by that. */
  openable: boolean;
  /** The open round waits for its settlement, and will be void. */
  isVoid: boolean;
  /** Blocks since the one whose hash is the round's seed, and since the one that the voters' seed waits for; negative before. */
  seedAge: number;
  voterAge: number;
  /** 0, 1 (the seed) or 2 (the voters' seed, too). */
  seedsLatched: number;
  /** Seats of the operator in the open round; undefined as long as they are not known. */
  seats: number | undefined;
  /** Where the operator's own commitments stand. */
  proposal: "none" | "sealed" | "published";
  ballot: "none" | "sealed" | "revealed" | "absent";
  /** Voters that it pays to accuse of absence. */
  absent: readonly Address[];
  /** Proposals published in the open round. */
  published: number;
  headId: Hex;
  /** Where others are told to find the operator's artifacts; empty before it said so. */
  endpoint: string;
};

/** What the operator has at hand for the open round. */
export type Own = {
  /** Its trained update, in its store. */
  artifact: Hex | undefined;
  /** Its validation report, in its store. */
  report: Hex | undefined;
  /** Where its store can be reached now. */
  endpoint: string | undefined;
  /** Digests of the data and settings that training and validation would use: a mended input makes another job. */
  setup: Hex;
};

export type Duty = {
  /** Deterministic: the same duty has the same id on every look and after every start. */
  id: string;
  /** Share of the stagger to wait first, in [0, 1): what anybody may do is not done by all at once. */
  turn: number;
} & ({ kind: "train" | "validate" } | { kind: "send"; intent: Intent });

/** Blocks after which a seed that no proposer latched is latched by others: half of how long the oldest chains let it be read. */
const SEED_OLD = 128;

/**
 * What the operator should do now. A pure function of the present: it never depends on having seen an event, so whoever starts
 * late, or lost its queue, does the same as everybody else.
 */
export function duties(situation: Situation, own: Own): Duty[] {
  const { task, operator, role, round, phase } = situation;

  const send = (intent: Intent, facts: (string | number | bigint)[], turn = 0): Duty => ({
    kind: "send",
    id: jobId(intent.kind, ...facts),
    turn,
    intent,
  });
  const anyone = (intent: Intent & { round: number }): Duty =>
    send(intent, [task, intent.round, operator], turnOf(intent.kind, intent.round, operator));
  const mine = (intent: Intent, content: Hex): Duty => send(intent, [task, round, operator, content.slice(2, 18)]);
  const work = (kind: "train" | "validate"): Duty => ({
    kind,
    id: jobId(kind, task, round, operator, own.setup.slice(2, 18)),
    turn: 0,
  });

  const list: Duty[] = [];
  if (situation.staked && own.endpoint !== undefined && own.endpoint !== situation.endpoint) {
    list.push(send({ kind: "announce", endpoint: own.endpoint }, [operator, digestOf(own.endpoint).slice(2, 18)]));
  }

  const openNext = anyone({ kind: "openRound", task, round: round + 1 });
  if (phase === Phase.None && situation.openable) list.push(openNext);
  if (phase === Phase.Settle) {
    const settle = anyone({ kind: "settle", task, round });
    // Opening the next round settles a void one, too: one transaction less. Should it fail, settling has its turn.
    if (!situation.isVoid || !situation.openable) list.push(settle);
    else list.push({ ...openNext, turn: openNext.turn / 2 }, { ...settle, turn: (1 + settle.turn) / 2 });
  }
  const { seedsLatched, seedAge, voterAge } = situation;
  const seedNeeded = phase === Phase.Propose && seedsLatched === 0 && seedAge > SEED_OLD;
  // Publishing may take its grace, and the block be out of reach when it ends.
  const publishing = phase === Phase.Publish || phase === Phase.Ballot;
  const voterSeedNeeded = publishing && seedsLatched === 1 && voterAge > SEED_OLD;
  if (seedNeeded || voterSeedNeeded) {
    const turn = turnOf("latchSeed", round, operator);
    list.push(send({ kind: "latchSeed", task, round }, [task, round, operator, seedsLatched], turn));
  }
  for (const absent of situation.absent) {
    const turn = turnOf(`accuse|${absent.toLowerCase()}`, round, operator);
    list.push(send({ kind: "accuseAbsence", task, round, absent }, [task, round, operator, absent.slice(2, 18)], turn));
  }

  const { seats = 0, proposal, ballot, published } = situation;
  if (role === Role.Trainer && seats > 0) {
    const { artifact } = own;
    const proposing = phase === Phase.Propose && proposal === "none";
    const publishing = phase === Phase.Publish && proposal === "sealed";
    // Also when publishing: training again after a lost disk gives the same bytes.
    if ((proposing || publishing) && artifact === undefined) list.push(work("train"));
    else if (proposing && artifact) list.push(mine({ kind: "commitProposal", task, round, artifact }, artifact));
    else if (publishing && artifact) list.push(mine({ kind: "publishProposal", task, round, artifact }, artifact));
  }
  if (role === Role.Validator && seats > 0 && published > 0) {
    const { report } = own;
    const sealing = phase === Phase.Ballot && ballot === "none";
    if (sealing && report === undefined) list.push(work("validate"));
    else if (sealing && report) list.push(mine({ kind: "commitBallot", task, round, report }, report));
  }
  // Whatever else is lost or unknown: what was sealed is opened.
  if (phase === Phase.Reveal && ballot === "sealed") {
    list.push(send({ kind: "revealBallot", task, round }, [task, round, operator]));
  }
  return list;
}

/** Whether a piece of work is still wanted, as far as the chain says. */
export function isDue(situation: Situation, kind: "train" | "validate"): boolean {
  const none: Own = { artifact: undefined, report: undefined, endpoint: undefined, setup: situation.headId };
  return duties(situation, none).some((duty) => duty.kind === kind);
}

/** Where an operator stands in a line that is drawn anew for each act and round: a number in [0, 1). */
function turnOf(act: string, round: number, operator: Address): number {
  return Number.parseInt(digestOf(`${act}|${round}|${operator.toLowerCase()}`).slice(2, 10), 16) / 2 ** 32;
}

function digestOf(text: string): Hex {
  return keccak256(stringToHex(text));
}
