import assert from "node:assert/strict";
import test from "node:test";
import { callMix, mixLines, tooRare } from "../../tools/testing/callMix.ts";

const count = (calls: number, reverts: number, discards = 0) => ({
  calls: BigInt(calls),
  reverts: BigInt(reverts),
  discards: BigInt(discards),
});

test("the call mix sums an act over all campaigns, the rarest accepted first", () => {
  const mix = callMix([
    { "a.t.sol:A.stake": count(10, 1), "a.t.sol:A.settle": count(10, 9) },
    { "a.t.sol:A.settle": count(20, 15, 3) },
  ]);
  assert.deepEqual(mix, [
    { act: "settle", calls: 30, accepted: 3 },
    { act: "stake", calls: 10, accepted: 9 },
  ]);
  assert.deepEqual(mixLines("A", mix), [
    "A: 40 calls, 12 accepted; accepted of called, by act:",
    "  settle 3/30, stake 9/10",
  ]);
});

test("an act accepted in less than a twentieth of its calls is too rare, unless it was hardly called", () => {
  const named = (accepted: number, calls: number) => [{ act: "settle", calls, accepted }];
  assert.deepEqual(tooRare(named(9, 200)), named(9, 200));
  assert.deepEqual(tooRare(named(10, 200)), []);
  assert.deepEqual(tooRare(named(0, 199)), []);
});

test("no line of the mix is longer than 120 characters", () => {
  const mix = Array.from({ length: 40 }, (_, i) => ({ act: `anActWithAName${i}`, calls: 1000, accepted: 999 }));
  for (const line of mixLines("Suite", mix)) assert.ok(line.length <= 120, line);
});
