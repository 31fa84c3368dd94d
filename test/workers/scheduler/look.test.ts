import assert from "node:assert/strict";
import { test } from "node:test";
import { PassingError } from "../../../protocol/errors.ts";
import { type Look, lookAgain } from "../../../workers/scheduler/look.ts";

/** A look that tells nothing but when it was. */
const lookOf = (now: number) => ({ now }) as Look;

test("looks once for all who ask at the same time, and again for those who ask later", async () => {
  let looks = 0;
  const again = lookAgain(async () => lookOf(++looks), lookOf(0));
  assert.deepEqual(await Promise.all([again(), again(), again()]), [lookOf(1), lookOf(1), lookOf(1)]);
  assert.deepEqual(await again(), lookOf(2));
});

test("gives what was seen last while looking fails", async () => {
  let up = false;
  const look = async () => {
    if (!up) throw new PassingError("the chain does not answer");
    return lookOf(1);
  };
  const again = lookAgain(look, lookOf(0));
  assert.deepEqual(await again(), lookOf(0));
  up = true;
  assert.deepEqual(await again(), lookOf(1));
  up = false;
  assert.deepEqual(await again(), lookOf(1));
});
