import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { abis } from "../../../protocol/generated/abis.ts";
import { Role } from "../../../protocol/words.ts";
import type { Intent } from "../../../workers/sender/intents.ts";
import { type LocalChain, startLocalChain } from "../../support/localChain.ts";
import { type OperatorsRoom, openOperatorsRoom, shortTerms } from "../../support/operators.ts";

let local: LocalChain;
let room: OperatorsRoom;
before(async () => {
  local = await startLocalChain();
  room = await openOperatorsRoom(local);
});
after(async () => {
  await room.close();
  await local.stop();
});

test("a hundred acts that two holders of one key are asked for at once are all mined, each once", async () => {
  const [one, other] = [room.operator(0), room.operator(0)];
  const terms = { ...shortTerms, seatStake: 1n };
  const manifest = `0x${"ab".repeat(32)}` as const;
  const { result } = await one.sender.send({ kind: "createTask", id: "task", terms, manifest });
  const task = BigInt(result.task as string);
  await one.sender.send({ kind: "allow", id: "all", amount: 10n ** 30n });
  const before = await local.client.getTransactionCount({ address: one.address });

  const asked = Array.from({ length: 100 }, (_, i) => {
    const intent: Intent = { kind: "stake", id: `s${i}`, task, role: Role.Trainer, amount: BigInt(i + 1) };
    return (i % 2 === 0 ? one : other).sender.send(intent);
  });
  const states = new Set((await Promise.all(asked)).map(({ state }) => state));
  assert.deepEqual([...states], ["final"]);

  assert.equal((await local.client.getTransactionCount({ address: one.address })) - before, 100);
  const { active } = await local.client.readContract({
    address: local.deployment.addresses.Staking,
    abi: abis.Staking,
    functionName: "account",
    args: [task, one.address],
  });
  assert.equal(active, 5050n, "1 + 2 + ... + 100: none lost, none twice");
});
