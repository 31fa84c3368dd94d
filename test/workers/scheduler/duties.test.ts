import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Phase, Role } from "../../../protocol/words.ts";
import { type Duty, duties, type Own, type Situation } from "../../../workers/scheduler/duties.ts";

const artifact = `0x${"a1".repeat(32)}` as const;
const other = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const report = `0x${"b2".repeat(32)}` as const;

const trainer: Situation = {
  task: 1n,
  operator: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  staked: true,
  role: Role.Trainer,
  round: 3,
  phase: Phase.Propose,
  openable: false,
  isVoid: false,
  seedAge: 2,
  voterAge: -1,
  seedsLatched: 1,
  seats: 2,
  proposal: "none",
  ballot: "none",
  absent: [],
  published: 0,
  headId: `0x${"11".repeat(32)}`,
  endpoint: "http://10.0.0.1:80",
};
const validator: Situation = { ...trainer, role: Role.Validator, phase: Phase.Ballot, published: 2, voterAge: 2 };
const nothing: Own = {
  artifact: undefined,
  report: undefined,
  endpoint: "http://10.0.0.1:80",
  setup: `0x${"22".repeat(32)}`,
};

function kinds(situation: Situation, own: Own = nothing): string[] {
  return duties(situation, own).map((duty) => (duty.kind === "send" ? duty.intent.kind : duty.kind));
}

/** What is due, case by case: the situation, what is at hand, the duties. */
const table: [name: string, situation: Situation, own: Partial<Own>, expected: string[]][] = [
  ["a trainer with seats trains", trainer, {}, ["train"]],
  ["a trained update is sealed", trainer, { artifact }, ["commitProposal"]],
  ["a sealed proposal waits while others propose", { ...trainer, proposal: "sealed" }, { artifact }, []],
  [
    "a sealed proposal is published",
    { ...trainer, phase: Phase.Publish, proposal: "sealed" },
    { artifact },
    ["publishProposal"],
  ],
  [
    "a lost update is trained again to be published",
    { ...trainer, phase: Phase.Publish, proposal: "sealed" },
    {},
    ["train"],
  ],
  ["nothing was sealed, nothing is published", { ...trainer, phase: Phase.Publish }, { artifact }, []],
  ["a published proposal is done", { ...trainer, phase: Phase.Publish, proposal: "published" }, { artifact }, []],
  ["it is too late to publish", { ...trainer, phase: Phase.Ballot, proposal: "sealed" }, { artifact }, []],
  ["a trainer without seats does nothing", { ...trainer, seats: 0 }, {}, []],
  ["a trainer does not vote", { ...trainer, phase: Phase.Ballot, published: 2 }, { report }, []],

  ["a validator with seats measures", validator, {}, ["validate"]],
  ["a report is sealed in a ballot", validator, { report }, ["commitBallot"]],
  ["a sealed ballot waits", { ...validator, ballot: "sealed" }, { report }, []],
  [
    "a sealed ballot is revealed",
    { ...validator, phase: Phase.Reveal, ballot: "sealed" },
    { report },
    ["revealBallot"],
  ],
  [
    "a sealed ballot is revealed although report, role and seats are lost or unknown",
    { ...validator, phase: Phase.Reveal, ballot: "sealed", role: undefined, seats: undefined },
    {},
    ["revealBallot"],
  ],
  ["an absent voter has nothing to reveal", { ...validator, phase: Phase.Reveal, ballot: "absent" }, { report }, []],
  ["a validator whose seats are not known yet waits", { ...validator, seats: undefined }, { report }, []],
  [
    "an operator whose role is not drawn yet waits",
    { ...trainer, role: undefined, seats: undefined },
    { artifact },
    [],
  ],
  ["no ballot was sealed, none is revealed", { ...validator, phase: Phase.Reveal }, { report }, []],
  ["a revealed ballot is done", { ...validator, phase: Phase.Reveal, ballot: "revealed" }, { report }, []],
  ["a validator without seats does nothing", { ...validator, seats: 0 }, {}, []],
  ["there is nothing to measure", { ...validator, published: 0 }, {}, []],
  ["a validator does not train", { ...validator, phase: Phase.Propose, published: 0 }, {}, []],

  ["anyone settles", { ...validator, phase: Phase.Settle, seats: 0 }, {}, ["settle"]],
  ["anyone opens a round", { ...trainer, phase: Phase.None, openable: true, seats: 0 }, {}, ["openRound"]],
  ["a round that cannot open is left alone", { ...trainer, phase: Phase.None, openable: false }, {}, []],
  [
    "somebody without stake may open, too",
    { ...trainer, staked: false, role: undefined, phase: Phase.None, openable: true },
    {},
    ["openRound"],
  ],

  [
    "the next round settles a void one, and settling stands by",
    { ...validator, phase: Phase.Settle, isVoid: true, openable: true, published: 0 },
    {},
    ["openRound", "settle"],
  ],
  [
    "a void round is settled where no next one can open",
    { ...validator, phase: Phase.Settle, isVoid: true, published: 0 },
    {},
    ["settle"],
  ],
  [
    "a round that is not void is settled for its bounty",
    { ...validator, phase: Phase.Settle, openable: true },
    {},
    ["settle"],
  ],

  ["a fresh seed is left to the proposers", { ...validator, phase: Phase.Propose, seedsLatched: 0 }, {}, []],
  [
    "an old seed is latched before it is lost",
    { ...validator, phase: Phase.Propose, seedsLatched: 0, seedAge: 129 },
    {},
    ["latchSeed"],
  ],
  ["a latched seed stays", { ...validator, phase: Phase.Propose, seedAge: 129 }, {}, []],
  ["a fresh voters' seed is left to the voters", { ...validator, seats: 0, voterAge: 128 }, {}, []],
  ["an old voters' seed is latched before it is lost", { ...validator, seats: 0, voterAge: 129 }, {}, ["latchSeed"]],
  [
    "nor does it wait for the end of publishing, which may take its grace",
    { ...validator, phase: Phase.Publish, seats: 0, voterAge: 129 },
    {},
    ["latchSeed"],
  ],
  ["a latched voters' seed stays", { ...validator, seats: 0, voterAge: 129, seedsLatched: 2 }, {}, []],

  [
    "absent voters are accused one by one",
    { ...validator, phase: Phase.Reveal, seats: 0, absent: [trainer.operator, other] },
    {},
    ["accuseAbsence", "accuseAbsence"],
  ],

  [
    "a new endpoint is announced",
    trainer,
    { endpoint: "http://10.0.0.2:80", artifact },
    ["announce", "commitProposal"],
  ],
  ["without a store there is nothing to announce", trainer, { endpoint: undefined, artifact }, ["commitProposal"]],
  [
    "without stake nothing is announced",
    { ...trainer, staked: false, role: undefined, seats: 0, endpoint: "" },
    {},
    [],
  ],
];

describe("duties", () => {
  for (const [name, situation, own, expected] of table) {
    test(name, () => assert.deepEqual(kinds(situation, { ...nothing, ...own }), expected));
  }

  const ids = (situation: Situation, own: Partial<Own> = {}) =>
    duties(situation, { ...nothing, ...own }).map(({ id }) => id);

  test("have the same id at every look and after every start", () => {
    assert.deepEqual(ids(trainer), ids({ ...trainer, seedAge: 9 }));
    assert.deepEqual(ids(trainer, { artifact }), ids(trainer, { artifact }));
  });

  test("have another id in another task, round, operator or by another content", () => {
    const all = [
      ids(trainer, { artifact }),
      ids({ ...trainer, task: 2n }, { artifact }),
      ids({ ...trainer, round: 4 }, { artifact }),
      ids({ ...trainer, operator: other }, { artifact }),
      ids(trainer, { artifact: report }),
    ].flat();
    assert.equal(new Set(all).size, all.length);
  });

  test("train anew when the data or the settings were mended", () => {
    assert.notDeepEqual(ids(trainer), ids(trainer, { setup: `0x${"33".repeat(32)}` }));
  });

  test("give everybody another place in the line, drawn anew each round", () => {
    const turn = (situation: Situation) => (duties(situation, nothing)[0] as Duty).turn;
    const settling = { ...trainer, phase: Phase.Settle } as Situation;
    const another = { ...settling, operator: other } as Situation;
    const turns = [turn(settling), turn(another), turn({ ...settling, round: 4 })];
    assert.equal(new Set(turns).size, 3);
    for (const each of turns) assert.ok(each >= 0 && each < 1);
  });

  test("to open after a void round come before those to settle it", () => {
    const [open, settle] = duties({ ...trainer, phase: Phase.Settle, isVoid: true, openable: true }, nothing);
    assert.ok((open as Duty).turn < 0.5 && (settle as Duty).turn >= 0.5);
  });

  test("that are the operator's own do not wait for a turn", () => {
    for (const duty of duties(trainer, { ...nothing, artifact })) assert.equal(duty.turn, 0);
  });
});
