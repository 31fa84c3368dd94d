import assert from "node:assert/strict";
import { zeroAddress } from "viem";
import { partsOf } from "../../protocol/replay/stakes.ts";
import { accountOf, delegationOf } from "../../protocol/replay/state.ts";
import { availableIn } from "../../protocol/rules/delegation.ts";
import { longestRound } from "../../protocol/terms.ts";
import { Phase, Role } from "../../protocol/words.ts";
import type { Game } from "./game.ts";
import * as moves from "./moves.ts";
import { creator, delegators, signers } from "./players.ts";
import * as rounds from "./roundMoves.ts";
import { evenTask, few, type Scene, SEAT, trainers, voters } from "./scene.ts";
import { anyone, Stage } from "./stage.ts";

async function paidRoundsEnd(game: Game): Promise<void> {
  const stage = await evenTask(game, { ...few, rounds: 1 });
  await stage.openRound();
  await stage.must(moves.fund(anyone, stage.id, 5n));
  await stage.sealProposal(trainers[0]!, 1n);
  await stage.publishAll([trainers[0]!]);
  for (const each of voters) await stage.sealBallot(each, [300]);
  await stage.reveal(voters);
  await stage.refuse(moves.close(anyone, stage.id));
  await stage.refuse(rounds.openRound(anyone, stage.id, game.state), stage.starts(Phase.Settle)); // it is not void
  await stage.settle();
  await stage.refuse(moves.fund(creator, stage.id, 5n));
  await stage.refuse(rounds.openRound(anyone, stage.id, game.state));
  await stage.must(moves.close(anyone, stage.id));
  await stage.must(moves.claim(anyone, creator, stage.id));
  await stage.must(moves.claim(anyone, anyone, stage.id)); // what it got for settling
  await stage.refuse(moves.stake(trainers[0]!, stage.id, Role.Trainer, 1n));
  await stage.refuse(moves.acceptDelegation(trainers[0]!, stage.id, 0));
  await stage.refuse(moves.setSigner(trainers[0]!, stage.id, anyone));
  await stage.refuse(moves.close(anyone, stage.id));
}

async function notice(game: Game): Promise<void> {
  const stage = await evenTask(game);
  await stage.refuse(moves.announceClose(stage.id, anyone));
  await stage.must(moves.announceClose(stage.id, creator));
  const { closableAt } = stage.task;
  await stage.openRound();
  await stage.refuse(moves.close(anyone, stage.id), closableAt); // a round is open
  await stage.refuse(rounds.openRound(anyone, stage.id, game.state)); // void, but the notice is over
  await stage.settle();
  await stage.refuse(rounds.openRound(anyone, stage.id, game.state));
  await stage.must(moves.close(anyone, stage.id));
  await stage.must(moves.sweepBurn(anyone)).catch(() => undefined);
}

async function idle(game: Game): Promise<void> {
  const penniless = await Stage.open(game, few, 0n);
  const stage = await evenTask(game);
  const { idleSince } = stage.task.purse;
  await stage.refuse(moves.close(anyone, stage.id), idleSince + few.idleAfter - 1);
  await stage.must(moves.close(anyone, stage.id));
  await penniless.refuse(moves.close(anyone, penniless.id));
  await penniless.must(moves.announceClose(penniless.id, creator));
  await penniless.must(moves.close(anyone, penniless.id), penniless.task.closableAt);
}

async function exits(game: Game): Promise<void> {
  const stage = await evenTask(game);
  const [bad, good] = [trainers[0]!, trainers[1]!];
  const [ann, bob] = [delegators[0]!, delegators[1]!];
  const { id } = stage;
  await stage.must(moves.acceptDelegation(bad, id, 0));
  await stage.must(moves.acceptDelegation(good, id, 1000));
  for (const operator of [bad, good]) await stage.must(moves.delegate(ann, operator, id, SEAT));
  await stage.refuse(moves.acceptDelegation(good, id, 0));
  await stage.refuse(moves.delegate(good, good, id, 1n));
  await stage.refuse(moves.delegate(ann, trainers[2]!, id, 1n));
  await stage.weigh(Role.Trainer, trainers, 3n * SEAT);
  await stage.openRound();
  await stage.must(moves.stake(good, id, Role.Trainer, 7n));
  await stage.must(moves.delegate(bob, bad, id, 9n));
  await stage.must(moves.requestExit(good, id, 2n * SEAT + 3n)); // all that is active, and some that joins
  await stage.must(moves.requestExit(bad, id, SEAT));
  await stage.must(moves.requestExit(bad, id, SEAT / 2n, ann));
  await stage.must(moves.requestExit(good, id, SEAT / 3n, ann)); // earns nothing of what the round pays
  await stage.must(moves.requestExit(bad, id, 4n, bob));
  await stage.refuse(moves.requestExit(bad, id, 6n, bob));
  await stage.sealProposal(bad, 1n);
  await stage.sealProposal(good, 2n);
  await stage.publishAll([bad, good]);
  for (const each of voters) await stage.sealBallot(each, [-500, 300]);
  await stage.reveal(voters);
  await stage.settle();
  await stage.refuse(moves.withdraw(anyone, bad, id, ann));
  await stage.must(moves.claim(anyone, good, id));
  await stage.must(moves.claim(anyone, good, id, ann));
  await stage.refuse(moves.claim(anyone, bad, id, ann));
  await stage.must(moves.requestExit(bad, id, 12_345n, ann)); // of shares that are worth less than a wei
  const free = Math.max(accountOf(stage.task, bad).unlockAt, stage.game.now);
  await stage.must(moves.withdraw(anyone, bad, id), free);
  await stage.must(moves.withdraw(anyone, bad, id, ann), partsOf(stage.task, bad, ann).position.unlockAt);
  await stage.must(moves.withdraw(anyone, bad, id, bob), partsOf(stage.task, bad, bob).position.unlockAt);
  await stage.must(moves.sweepBurn(anyone));
  await stage.refuse(moves.sweepBurn(anyone));
}

async function escapes(game: Game): Promise<void> {
  const stage = await evenTask(game);
  const { id } = stage;
  const operator = trainers[0]!;
  const [ann, bob, cat] = delegators as [(typeof delegators)[0], ...typeof delegators];
  await stage.must(moves.acceptDelegation(operator, id, 0));
  for (const owner of [ann, bob!]) await stage.must(moves.delegate(owner, operator, id, SEAT / 20n));
  await stage.weigh(Role.Trainer, trainers, 2n * SEAT + 2n * (SEAT / 20n));
  await stage.openRound();
  await stage.sealProposal(operator, 1n);
  await stage.settle(); // a slash makes shares worth less than a wei, so that they are rounded
  await stage.must(moves.stake(operator, id, Role.Trainer, SEAT));
  await stage.openRound();
  await stage.sealProposal(operator, 2n);
  for (const owner of [ann, bob!]) {
    await stage.must(moves.requestExit(operator, id, availableIn(partsOf(stage.task, operator, owner)), owner));
  }
  const free = stage.round.openedAt + longestRound(few) + few.unbonding;
  const total = stage.task.trainerTotal;
  await stage.refuse(moves.withdraw(anyone, operator, id, ann), free - 1);
  await stage.must(moves.withdraw(anyone, operator, id, ann), free);
  assert.equal(stage.task.trainerTotal, total + 1n, "two parts are rounded down more than their sum");
  await stage.must(moves.requestExit(operator, id, accountOf(stage.task, operator).active));
  await stage.refuse(moves.withdraw(anyone, operator, id));
  await stage.must(moves.withdraw(anyone, operator, id), stage.game.now + few.unbonding);
  await stage.settle(); // the fault falls on what is left: all of bob's
  assert.equal(delegationOf(stage.task, operator).mark.generation, 1);
  await stage.must(moves.delegate(cat!, operator, id, 77n));
  await stage.refuse(moves.requestExit(operator, id, 1n, bob));
  await stage.must(moves.requestExit(operator, id, 77n, cat));
  await stage.must(moves.withdraw(anyone, operator, id, cat), stage.game.now + few.unbonding);
  await stage.must(moves.stake(operator, id, Role.Validator, SEAT)); // it is free to take another role
}

async function keys(game: Game): Promise<void> {
  const stage = await evenTask(game);
  const { id } = stage;
  const [hot, next] = signers as [(typeof signers)[0], (typeof signers)[0]];
  const [proposer, other] = [trainers[0]!, trainers[1]!];
  await stage.must(moves.setSigner(proposer, id, hot));
  await stage.must(moves.setSigner(voters[0]!, id, hot));
  await stage.openRound();
  await stage.must(moves.setSigner(proposer, id, next)); // counts from the next round
  await stage.must(moves.setSigner(other, id, hot));
  await stage.refuse(await stage.proposalOf(proposer, 1n, next));
  await stage.refuse(await stage.proposalOf(other, 2n, hot));
  await stage.refuse(moves.requestExit(proposer, id, 1n, hot)); // it moves no stake
  await stage.must(moves.setSigner(trainers[2]!, id, zeroAddress));
  await stage.refuse(await stage.proposalOf(trainers[2]!, 3n, anyone));
  await stage.sealProposal(proposer, 1n, hot);
  game.saw("a proposal sealed by a signer");
  await stage.publishAll([proposer]);
  await stage.refuse(await stage.ballotOf(voters[1]!, [300], { from: hot }), stage.starts(Phase.Ballot));
  await stage.must(await stage.ballotOf(voters[0]!, [300], { from: hot }));
  game.saw("a ballot sealed by a signer");
  await stage.must(moves.revokeSigner(voters[1]!, id));
  for (const each of voters.slice(1)) await stage.sealBallot(each, [300]);
  await stage.reveal(voters);
  await stage.settle();
  await stage.openRound();
  await stage.must(moves.revokeSigner(proposer, id)); // at once
  await stage.refuse(await stage.proposalOf(proposer, 4n, next));
  await stage.sealProposal(proposer, 4n);
  await stage.must(moves.revokeSigner(anyone, 0xdeadn)); // of no task at all
}

/** Stake, delegation, signers and task accounts: each shows what it says, whatever the seeds. */
export const moneyScenes: readonly Scene[] = [
  {
    name: "the last paid round",
    shows: ["close after all rounds", "funds while a round is open", "refused fund", "refused close", "claim"],
    play: paidRoundsEnd,
  },
  { name: "the creator's notice", shows: ["close by the creator", "refused announceClose"], play: notice },
  { name: "a task that nobody plays", shows: ["close of an idle task"], play: idle },
  {
    name: "stake that joins and leaves around a round",
    shows: [
      ...["stake while a round is open", "delegation while a round is open", "exit exposed to the open round"],
      ...["exit of stake that was joining", "exit exposed to the open round of a delegator"],
      ...["exit of stake that was joining of a delegator", "slash of leaving stake", "slash of delegated stake"],
      ...["reward of delegators", "claim of a delegator", "withdraw", "sweepBurn", "refused sweepBurn"],
      ...["refused withdraw", "refused claim", "refused delegate", "refused acceptDelegation", "refused requestExit"],
    ],
    play: exits,
  },
  {
    name: "stake that leaves although nobody settles, and a pool that loses everything",
    shows: [
      ...["withdrawal although nobody settles", "a delegator's withdrawal although nobody settles"],
      "shares counted anew",
    ],
    play: escapes,
  },
  {
    name: "signers named, in effect and revoked",
    shows: [
      ...["signer named while a round is open", "a proposal sealed by a signer", "a ballot sealed by a signer"],
      ...["setSigner", "revokeSigner", "refused commitProposal", "refused commitBallot"],
    ],
    play: keys,
  },
];
