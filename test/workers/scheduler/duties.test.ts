import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Phase, Role } from "../../../protocol/words.ts";
import { type Duty, duties, type Own, type Situation } from "../../../workers/scheduler/duties.ts";

const artifact = `0x${"a1".repeat(32)}` as const;
const report = `0x${"b2".repeat(32)}` as const;

const trainer: Situation = {
  task: 1n,
  operator: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  role: Role.Trainer,
  round: 3,
  phase: Phase.Propose,
  openable: false,
  seedAge: 2,
  seedLatched: true,
  seats: 2,
  proposal: "none",
  ballot: "none",
  published: 0,
  headId: `0x${"11".repeat(32)}`,
  endpoint: "http://10.0.0.1:80",
};
const validator: Situation = { ...trainer, role: Role.Validator, phase: Phase.Ballot, published: 2 };
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
    "a lost report is measured again to be revealed",
    { ...validator, phase: Phase.Reveal, ballot: "sealed" },
    {},
    ["validate"],
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
    { ...trainer, role: undefined, phase: Phase.None, openable: true },
    {},
    ["openRound"],
  ],

  ["a fresh seed is left to the proposers", { ...validator, phase: Phase.Propose, seedLatched: false }, {}, []],
  [
    "an old seed is latched before it is lost",
    { ...validator, phase: Phase.Propose, seedLatched: false, seedAge: 129 },
    {},
    ["latchSeed"],
  ],
  ["a latched seed stays", { ...validator, phase: Phase.Propose, seedAge: 129 }, {}, []],

  [
    "a new endpoint is announced",
    trainer,
    { endpoint: "http://10.0.0.2:80", artifact },
    ["announce", "commitProposal"],
  ],
  ["without a store there is nothing to announce", trainer, { endpoint: undefined, artifact }, ["commitProposal"]],
  ["without stake nothing is announced", { ...trainer, role: undefined, seats: 0, endpoint: "" }, {}, []],
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
      ids({ ...trainer, operator: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC" }, { artifact }),
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
    const other = { ...settling, operator: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC" } as Situation;
    const turns = [turn(settling), turn(other), turn({ ...settling, round: 4 })];
    assert.equal(new Set(turns).size, 3);
    for (const each of turns) assert.ok(each >= 0 && each < 1);
  });

  test("that are the operator's own do not wait for a turn", () => {
    for (const duty of duties(trainer, { ...nothing, artifact })) assert.equal(duty.turn, 0);
  });
});
