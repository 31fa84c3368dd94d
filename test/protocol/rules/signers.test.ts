import assert from "node:assert/strict";
import { test } from "node:test";
import { zeroAddress } from "viem";
import { mayAct, noSigners, signerIn, signerSet } from "../../../protocol/rules/signers.ts";
import { addressOf } from "../../support/words.ts";

const operator = addressOf(1);
const first = addressOf(2);
const second = addressOf(3);
const third = addressOf(4);

test("an operator that named nobody acts itself, and nobody else for it", () => {
  assert.equal(mayAct(noSigners(), operator, operator, 7), true);
  assert.equal(mayAct(noSigners(), operator, first, 7), false);
  assert.equal(mayAct(noSigners(), operator, zeroAddress, 7), false);
});

test("a signer counts from the next round to open", () => {
  const signers = signerSet(noSigners(), first, 7);
  assert.equal(signerIn(signers, 7), zeroAddress);
  assert.equal(signerIn(signers, 8), first);
  assert.equal(mayAct(signers, operator, first, 8), true);
  assert.equal(mayAct(signers, operator, operator, 8), true);
});

test("the signer before stays until the next one counts", () => {
  const signers = signerSet(signerSet(noSigners(), first, 7), second, 8);
  assert.equal(signerIn(signers, 8), first);
  assert.equal(signerIn(signers, 9), second);
});

test("a signer named twice in one round replaces the one that never counted, not the one in effect", () => {
  const signers = signerSet(signerSet(signerSet(noSigners(), first, 7), second, 9), third, 9);
  assert.equal(signerIn(signers, 9), first);
  assert.equal(signerIn(signers, 10), third);
});
