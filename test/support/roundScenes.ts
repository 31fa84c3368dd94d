import { seatsIn } from "../../protocol/replay/rounds.ts";
import { mix, voterSeed } from "../../protocol/rules/sortition.ts";
import { ABSTAIN, MISSING, Payout, Phase, Role, Roles } from "../../protocol/words.ts";
import type { Game } from "./game.ts";
import * as moves from "./moves.ts";
import { delegators } from "./players.ts";
import * as rounds from "./roundMoves.ts";
import { evenTask, few, POT, type Scene, SEAT, trainers, voters } from "./scene.ts";
import { anyone, Stage, trainer, voter } from "./stage.ts";
import { wordOf } from "./words.ts";

async function crowd(game: Game): Promise<void> {
  const terms = {
    ...few,
    propose: 120,
    publish: 90,
    ballot: 120,
    reveal: 120,
    unbonding: 1000,
    expectedTrainers: 8,
    expectedVoters: 40,
  };
  const stage = await Stage.open(game, { ...terms, payout: Payout.Ranked }, POT);
  const proposers = Array.from({ length: 16 }, (_, i) => trainer(i));
  const panel = Array.from({ length: 40 }, (_, i) => voter(i));
  await stage.weigh(Role.Trainer, proposers, SEAT);
  await stage.weigh(Role.Validator, panel, SEAT);
  let lucky: typeof proposers = [];
  // Each trainer has one seat or none, by luck; a round with too few is left void.
  while (lucky.length <= 8) {
    await stage.must(
      rounds.openRound(anyone, stage.id, game.state),
      stage.task.round?.open ? stage.starts(Phase.Settle) : 0,
    );
    const seeded = { ...stage.round, seed: await stage.value() };
    lucky = proposers.filter((each) => seatsIn(game.state, stage.task, seeded, Role.Trainer, each) > 0);
  }
  for (const [i, each] of lucky.entries()) await stage.sealProposal(each, BigInt(i + 1));
  await stage.publishAll(lucky);
  // Accepted twice at the same median, rejected, undecided, missing, and so on around.
  const honest = lucky.map((_, slot) => [300, 300, -500, 0, MISSING][slot % 5]!);
  for (const [i, each] of panel.entries()) {
    const scores = i < 32 ? honest : i < 36 ? honest.map((score) => (score === MISSING ? 9 : -score)) : [...honest];
    await stage.sealBallot(each, scores, i === 31 ? 2 : 1);
  }
  await stage.reveal(panel);
  await stage.settle();
}

async function outage(game: Game): Promise<void> {
  const stage = await evenTask(game);
  await stage.openRound();
  const { openedAt } = stage.round;
  for (const [i, each] of trainers.entries()) await stage.sealProposal(each, BigInt(i + 1));
  await stage.publish(trainers[0]!, stage.starts(Phase.Publish));
  await stage.publish(trainers[1]!, openedAt + few.propose + few.publish);
  const scores = [300, -400];
  for (const each of voters) await stage.sealBallot(each, scores);
  await stage.reveal(voters.slice(0, 2));
  const deadline = openedAt + few.propose + few.publish + few.grace + few.ballot + few.reveal;
  await stage.reveal(voters.slice(2, 3), deadline);
  await stage.settle();
}

async function voids(game: Game): Promise<void> {
  const stage = await Stage.open(game, { ...few, maxVoids: 5 }, POT);
  await stage.weigh(Role.Trainer, trainers.slice(0, 1), 9n * SEAT); // alone it has seats however often it is slashed
  await stage.weigh(Role.Validator, voters, 2n * SEAT);
  const again = () => rounds.openRound(anyone, stage.id, game.state);
  await stage.openRound();
  await stage.refuse(again());
  await stage.must(again(), stage.starts(Phase.Settle)); // nothing was sealed, and no seed latched
  await stage.must(rounds.latchSeed(anyone, stage.id, await stage.value()));
  await stage.sealProposal(trainers[0]!, 1n);
  await stage.must(again(), stage.starts(Phase.Settle)); // nothing was published
  await stage.sealProposal(trainers[0]!, 2n);
  await stage.publishAll([trainers[0]!]);
  await stage.must(again(), stage.starts(Phase.Settle)); // nobody voted
  await stage.sealProposal(trainers[0]!, 3n);
  await stage.publishAll([trainers[0]!]);
  for (const each of voters) await stage.sealBallot(each, [300]);
  await stage.reveal(voters.slice(0, 2));
  await stage.settle(); // no quorum
  await stage.openRound();
  await stage.settle();
  await stage.refuse(again());
  await stage.must(moves.close(anyone, stage.id));
}

const secretOfNobody = { scores: [], report: wordOf(1), head: `0x${"0".repeat(40)}`, salt: wordOf(2) } as const;

async function absence(game: Game): Promise<void> {
  const terms = { ...few, expectedVoters: 5 };
  const stage = await Stage.open(game, terms, POT);
  const panel = [0, 1, 2, 3, 4].map(voter);
  const absent = panel[4]!;
  const accuse = (operator: typeof absent) => rounds.accuseAbsence(anyone, operator, stage.id);
  await stage.weigh(Role.Trainer, trainers, SEAT);
  await stage.weigh(Role.Validator, panel, SEAT);
  for (const few of [true, false]) {
    await stage.openRound();
    await stage.sealProposal(trainers[0]!, few ? 1n : 2n);
    await stage.publishAll([trainers[0]!]);
    const voting = panel.slice(0, few ? 2 : 4);
    for (const each of voting) await stage.sealBallot(each, [300]);
    await stage.refuse(accuse(absent));
    if (few)
      await stage.refuse(accuse(absent), stage.starts(Phase.Reveal)); // no quorum is sealed
    else {
      await stage.must(accuse(absent), stage.starts(Phase.Reveal));
      for (const one of [absent, panel[0]!, trainers[0]!, anyone]) await stage.refuse(accuse(one));
      await stage.refuse(rounds.revealBallot(anyone, absent, stage.id, secretOfNobody));
    }
    await stage.reveal(voting);
    await stage.settle();
  }
  await stage.must(moves.claim(anyone, anyone, stage.id));
}

async function seeds(game: Game): Promise<void> {
  const stage = await evenTask(game);
  const { id } = stage;
  const latch = (value: `0x${string}`) => rounds.latchSeed(anyone, id, value);
  await stage.refuse(latch(wordOf(1)));
  await stage.openRound();
  await stage.refuse(latch(wordOf(1))); // the block of the seed is this one
  await stage.must(latch(await stage.value()));
  await stage.refuse(latch(await stage.value())); // nothing is published that names the voters' block
  await stage.sealProposal(trainers[0]!, 1n);
  await stage.refuse(rounds.accuseAbsence(anyone, voters[0]!, id));
  await stage.publishAll([trainers[0]!]);
  const value = await stage.value(stage.round.voterBlock);
  const ballot = stage.starts(Phase.Ballot);
  await stage.must(latch(value), ballot);
  await stage.refuse(latch(value));
  await stage.refuse(await stage.ballotOf(voters[0]!, [300], { copy: `0x${"ab".repeat(161)}` }));
  await stage.must(await stage.ballotOf(voters[0]!, [300], { copy: `0x${"ab".repeat(160)}` }));
  for (const each of voters.slice(1)) await stage.sealBallot(each, [ABSTAIN], 0);
  await stage.refuse(await stage.ballotOf(voters[1]!, [ABSTAIN], { head: 0 }));
  await stage.reveal(voters);
  await stage.settle();
}

async function drawing(game: Game): Promise<void> {
  const terms = { ...few, roles: Roles.Drawn, payout: Payout.Ranked, propose: 90, publish: 60 };
  const stage = await Stage.open(game, terms, POT);
  const all = Array.from({ length: 14 }, (_, i) => trainer(i));
  await stage.refuse(moves.stake(all[0]!, stage.id, Role.Trainer, SEAT));
  await stage.weigh(Role.Drawn, all.slice(0, 5), SEAT);
  await stage.refuse(rounds.openRound(anyone, stage.id, game.state)); // three trainers and a quorum of three
  await stage.weigh(Role.Drawn, all, SEAT);
  await stage.must(moves.acceptDelegation(all[13]!, stage.id, 0)); // before it stakes again, in the same pool
  await stage.must(moves.delegate(delegators[0]!, all[13]!, stage.id, SEAT));
  for (let settled = false; !settled; ) {
    await stage.must(
      rounds.openRound(anyone, stage.id, game.state),
      stage.task.round?.open ? stage.starts(Phase.Settle) : 0,
    );
    const seed = await stage.value();
    const able = (role: 0 | 1, seeds: { seed: `0x${string}`; voterSeed?: `0x${string}` }) =>
      all.filter(
        (each) => seatsIn(game.state, stage.task, { ...stage.round, voterSeed: undefined, ...seeds }, role, each) > 0,
      );
    const proposers = able(Role.Trainer, { seed });
    if (proposers.length < 2) continue;
    for (const [i, each] of proposers.entries()) await stage.sealProposal(each, BigInt(i + 1));
    const idle = all.find((each) => !proposers.includes(each))!;
    await stage.refuse(await stage.proposalOf(idle, 99n));
    await stage.publishAll(proposers);
    const value = await stage.value(stage.round.voterBlock);
    const panel = able(Role.Validator, { seed, voterSeed: voterSeed(seed, mix(stage.round.accumulator, value)) });
    for (const each of panel)
      await stage.sealBallot(
        each,
        proposers.map((_, slot) => 300 + slot),
      );
    await stage.refuse(await stage.ballotOf(proposers[0]!, []));
    await stage.reveal(panel);
    await stage.settle();
    settled = !stage.task.history.at(-1)!.isVoid;
  }
}

/** Rounds of every kind: each shows what it says, whatever the seeds. */
export const roundScenes: readonly Scene[] = [
  {
    name: "a crowd with every verdict, paid by rank",
    shows: [
      ...["Undecided", "Accepted", "Rejected", "Missing", "more than eight slots", "forty seats or more"],
      ...["a reference head", "another head than the reference", "paid and slashed in one round"],
      ...["two accepted proposals paid by rank", "bounty of a settler"],
    ],
    play: crowd,
  },
  {
    name: "an outage in publish and in reveal",
    shows: ["publication in grace", "reveal in grace", "some unpublished", "some unrevealed"],
    play: outage,
  },
  {
    name: "void rounds until the task may be closed",
    shows: [
      ...["void: nothing sealed", "void: nothing published", "void: no quorum revealed", "no seed latched"],
      ...["a round opened over a void one", "close after void rounds", "refused openRound"],
    ],
    play: voids,
  },
  {
    name: "an absence and its accuser",
    shows: ["accuseAbsence", "refused accuseAbsence", "bounty of an accuser", "refused revealBallot"],
    play: absence,
  },
  { name: "both seeds latched by hand", shows: ["latchSeed", "refused latchSeed"], play: seeds },
  {
    name: "roles drawn in each round",
    shows: ["a settled round with drawn roles", "stake in a drawn pool", "refused stake"],
    play: drawing,
  },
];
