import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { abis } from "../../../protocol/generated/abis.ts";
import { Phase, Role, Roles } from "../../../protocol/words.ts";
import { readRound } from "../../../workers/chain/round.ts";
import { type LocalChain, startLocalChain } from "../../support/localChain.ts";
import { type OperatorsRoom, openOperatorsRoom, shortTerms, type TestOperator } from "../../support/operators.ts";

const artifact = `0x${"a1".repeat(32)}` as const;
const terms = { ...shortTerms, roles: Roles.Drawn };

let local: LocalChain;
let room: OperatorsRoom;
let task: bigint;
const operators: TestOperator[] = [];
before(async () => {
  local = await startLocalChain();
  room = await openOperatorsRoom(local);
  const creator = room.operator(0);
  const { result } = await creator.sender.send({
    kind: "createTask",
    id: "drawn",
    terms,
    manifest: `0x${"ab".repeat(32)}`,
  });
  task = BigInt(result.task as string);
  for (let index = 1; index <= 6; index++) {
    const operator = room.operator(index);
    await local.client.writeContract({
      address: local.deployment.addresses.FlockToken,
      abi: abis.FlockToken,
      functionName: "transfer",
      args: [operator.address, terms.seatStake],
    });
    operators.push(operator);
  }
});
after(async () => {
  await room.close();
  await local.stop();
});

const look = ({ address }: TestOperator) => readRound(room.chain, task, address);
const seatsOf = (role: Role, { address }: TestOperator) =>
  local.client.readContract({
    address: local.deployment.addresses.Rounds,
    abi: abis.Rounds,
    functionName: "seats",
    args: [task, role, address],
  });

test("a task that draws roles opens once its one pool holds trainers and a quorum", async () => {
  for (const [index, operator] of operators.entries()) {
    // Two trainers and a quorum of two of three voters: four seats.
    assert.equal((await look(operator)).openable, index >= 4, `${index} staked`);
    const stake = { kind: "stake", id: "first", task, amount: terms.seatStake } as const;
    await assert.rejects(operator.sender.send({ ...stake, role: Role.Trainer }), /has no pool of the kind Trainer/);
    await operator.sender.send({ ...stake, role: Role.Drawn });
  }
  const { pool, role, seats } = await look(operators[0] as TestOperator);
  assert.deepEqual({ pool, role, seats }, { pool: Role.Drawn, role: undefined, seats: 0 });
});

/** Mines the seed's block, again and again until somebody is drawn to train. */
async function drawTrainer(): Promise<TestOperator> {
  for (let seconds = 1; ; seconds++) {
    const id = await local.client.snapshot();
    await local.pass(seconds);
    await local.pass(1);
    for (const operator of operators) {
      const { role, seats } = await look(operator);
      if (role === Role.Trainer && seats === 1) return operator;
    }
    await local.client.revert({ id });
  }
}

test("role and seats are known as soon as their seeds are, and are the contracts'", async () => {
  await operators[0]?.sender.send({ kind: "openRound", task, round: 1 });
  const before = await look(operators[0] as TestOperator);
  assert.deepEqual([before.role, before.seats], [undefined, undefined], "the seed's block is not there yet");
  const trainer = await drawTrainer();
  for (const operator of operators) {
    const { role, seats } = await look(operator);
    if (role === Role.Trainer) assert.equal(seats, await seatsOf(Role.Trainer, operator));
    else {
      assert.deepEqual([role, seats], [Role.Validator, undefined], "a voter's seats are not known yet");
      assert.equal(await seatsOf(Role.Trainer, operator), 0);
    }
  }
  await trainer.sender.send({ kind: "commitProposal", task, round: 1, artifact });
  await local.pass(terms.propose);
  await trainer.sender.send({ kind: "publishProposal", task, round: 1, artifact });
  const early = await look(operators[0] as TestOperator);
  assert.equal(early.phase, Phase.Ballot);
  assert.equal(early.voterSeed, undefined, "the block that the first publication named is not there yet");
  await local.client.mine({ blocks: 2 });
  for (const operator of operators) {
    const { role, seats } = await look(operator);
    if (role === Role.Validator) assert.equal(seats, await seatsOf(Role.Validator, operator));
    else assert.equal(await seatsOf(Role.Validator, operator), 0);
  }
});
