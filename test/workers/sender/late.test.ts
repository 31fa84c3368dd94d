import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Intent } from "../../../workers/sender/intents.ts";
import { startLocalChain } from "../../support/localChain.ts";
import { openOperatorsRoom } from "../../support/operators.ts";

const local = await startLocalChain();
const room = await openOperatorsRoom(local);
after(async () => {
  await room.close();
  await local.stop();
});

test("an act that was mined while the sender was away, in a round that is over by now, stands in nobody's way", async () => {
  const { task, trainers } = await room.staffedTask();
  const [first, second] = trainers;
  assert.ok(first !== undefined && second !== undefined);
  await first.sender.send({ kind: "openRound", task, round: 1 });
  await local.client.mine({ blocks: 2 });
  await second.sender.send({ kind: "commitProposal", task, round: 1, artifact: `0x${"a2".repeat(32)}` });

  // It stops right after the broadcast; the block comes later, and the round ends without it.
  const stop = new AbortController();
  const dying = room.operator(1, {
    onStep: (step) => {
      if (step === "broadcast") stop.abort(new Error("stopped"));
    },
  });
  await local.client.setAutomine(false);
  const sealed: Intent = { kind: "commitProposal", task, round: 1, artifact: `0x${"a1".repeat(32)}` };
  await assert.rejects(dying.sender.send(sealed, { signal: stop.signal }), { name: "AbortError" });
  await local.client.mine({ blocks: 1 });
  await local.client.setAutomine(true);
  await local.pass(100);
  await local.pass(1000);
  await second.sender.send({ kind: "settle", task, round: 1 });

  const again = room.operator(1);
  const sent = await again.sender.send({ kind: "openRound", task, round: 2 });
  assert.equal(sent.state, "final"); // the local chain has no block that could be undone
});
