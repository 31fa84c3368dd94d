import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Clock, phaseAt, publishDeadline, revealDeadline } from "../../../protocol/rules/phases.ts";
import { longestRound } from "../../../protocol/terms.ts";
import { Phase } from "../../../protocol/words.ts";
import { holds } from "../../support/property.ts";
import { someTerms } from "../../support/terms.ts";

// Opened at 1000: propose until 1100, publish until 1200, ballot until 1300, reveal until 1400; grace 50.
const terms = someTerms({ propose: 100, publish: 100, ballot: 100, reveal: 100, grace: 50 });
const fresh: Clock = {
  openedAt: 1000,
  sealed: 0,
  published: 0,
  onTime: 0,
  lastPublishedAt: 0,
  sealedSeats: 0,
  revealedSeats: 0,
  onTimeSeats: 0,
  lastRevealedAt: 0,
  seedMissed: false,
};
const at = (now: number, clock: Partial<Clock>) => {
  const { phase, endsAt } = phaseAt(terms, { ...fresh, ...clock }, now);
  return [phase, endsAt];
};
const { Propose, Publish, Ballot, Reveal, Settle } = Phase;

test("windows are half open", () => {
  const clock = { sealed: 2, published: 1, onTime: 1, lastPublishedAt: 1150, sealedSeats: 3 };
  assert.deepEqual(at(1099, clock), [Propose, 1100]);
  assert.deepEqual(at(1100, clock), [Publish, 1200]);
  assert.deepEqual(at(1199, clock), [Publish, 1200]);
  assert.deepEqual(at(1200, clock), [Ballot, 1300]);
  assert.deepEqual(at(1299, clock), [Ballot, 1300]);
  assert.deepEqual(at(1300, clock), [Reveal, 1400]);
});

test("with nothing sealed publish ends as it begins, and the round can be settled", () => {
  assert.deepEqual(at(1099, {}), [Propose, 1100]);
  assert.deepEqual(at(1100, {}), [Settle, 0]);
});

test("publish ends with the last publication, without moving a later deadline", () => {
  const clock = { sealed: 2, published: 2, onTime: 2, lastPublishedAt: 1120 };
  assert.deepEqual(at(1120, clock), [Ballot, 1300]);
  assert.deepEqual(at(1299, clock), [Ballot, 1300]);
});

test("publish takes grace if less than two thirds of three or more are published, and every later deadline moves", () => {
  const short = { sealed: 4, published: 2, onTime: 2, lastPublishedAt: 1150, sealedSeats: 9 };
  assert.deepEqual(at(1199, short), [Publish, 1200]);
  assert.deepEqual(at(1200, short), [Publish, 1250]);
  assert.deepEqual(at(1250, short), [Ballot, 1350]);
  assert.deepEqual(at(1350, { ...short, onTimeSeats: 9, revealedSeats: 8 }), [Reveal, 1450]);
  const enough = { sealed: 3, published: 2, onTime: 2, lastPublishedAt: 1150 };
  assert.deepEqual(at(1200, enough), [Ballot, 1300]);
});

test("grace once taken stays taken when the rest is published within it", () => {
  const late = { sealed: 4, published: 4, onTime: 2, lastPublishedAt: 1210 };
  assert.deepEqual(at(1210, late), [Ballot, 1350]);
});

test("one trainer of two cannot delay a round", () => {
  assert.deepEqual(at(1200, { sealed: 2, published: 1, onTime: 1, lastPublishedAt: 1150 }), [Ballot, 1300]);
  assert.deepEqual(at(1200, { sealed: 2 }), [Settle, 0]);
});

test("if nothing was published the round can be settled when publish ends, grace included", () => {
  assert.deepEqual(at(1249, { sealed: 3 }), [Publish, 1250]);
  assert.deepEqual(at(1250, { sealed: 3 }), [Settle, 0]);
});

test("reveal ends with the last ballot, but not before half of its length", () => {
  const published = { sealed: 1, published: 1, onTime: 1, lastPublishedAt: 1110 };
  const all = { ...published, sealedSeats: 4, revealedSeats: 4, onTimeSeats: 4 };
  assert.deepEqual(at(1310, { ...all, lastRevealedAt: 1310 }), [Reveal, 1350]);
  assert.deepEqual(at(1350, { ...all, lastRevealedAt: 1310 }), [Settle, 0]);
  assert.deepEqual(at(1370, { ...all, lastRevealedAt: 1370 }), [Settle, 0]);
  assert.deepEqual(at(1349, published), [Reveal, 1350]);
  assert.deepEqual(at(1350, published), [Settle, 0]);
});

test("half of an odd length is rounded down", () => {
  const odd = { ...terms, reveal: 5 };
  const clock = { ...fresh, sealed: 1, published: 1, onTime: 1, lastPublishedAt: 1110 };
  assert.deepEqual(phaseAt(odd, clock, 1301), { phase: Reveal, endsAt: 1302 });
  assert.deepEqual(phaseAt(odd, clock, 1302), { phase: Settle, endsAt: 0 });
});

test("reveal takes grace by seats, of however few ballots", () => {
  const published = { sealed: 1, published: 1, onTime: 1, lastPublishedAt: 1110 };
  const short = { ...published, sealedSeats: 3, revealedSeats: 1, onTimeSeats: 1 };
  assert.deepEqual(at(1399, short), [Reveal, 1400]);
  assert.deepEqual(at(1400, short), [Reveal, 1450]);
  assert.deepEqual(at(1450, short), [Settle, 0]);
  assert.deepEqual(at(1400, { ...short, revealedSeats: 2, onTimeSeats: 2 }), [Settle, 0]);
});

test("what is revealed before the deadline without grace is on time; a grace of publishing moves that deadline", () => {
  const clock = { ...fresh, sealed: 4, published: 2, onTime: 2, lastPublishedAt: 1150 };
  assert.equal(revealDeadline(terms, { ...clock, onTime: 4, published: 4 }, 1300), 1400);
  assert.equal(revealDeadline(terms, clock, 1350), 1450);
});

test("a missed seed can be settled at once", () => {
  assert.deepEqual(at(1001, { seedMissed: true }), [Settle, 0]);
});

test("phases only move forward, each ends when it said, and none lasts beyond the longest round", () => {
  const steps = fc.array(fc.record({ wait: fc.integer({ min: 0, max: 60 }), acts: fc.integer({ min: 0, max: 3 }) }), {
    maxLength: 80,
  });
  const lengths = fc.integer({ min: 1, max: 150 });
  const someLengths = fc.record({
    propose: lengths,
    publish: lengths,
    ballot: lengths,
    reveal: lengths,
    grace: fc.integer({ min: 0, max: 150 }),
  });
  holds(fc.record({ steps, lengths: someLengths }), ({ steps, lengths }) => {
    const terms = someTerms(lengths);
    const clock = { ...fresh };
    let now = clock.openedAt;
    let last: Phase = Propose;
    for (const { wait, acts } of steps) {
      now += wait;
      for (let act = 0; act <= acts; act++) {
        const { phase, endsAt } = phaseAt(terms, clock, now);
        assert.ok(phase >= last, `phase ${phase} after ${last}`);
        assert.ok(phase === Settle ? endsAt === 0 : endsAt > now);
        assert.ok(endsAt <= clock.openedAt + longestRound(terms));
        last = phase;
        if (act === acts) break;
        if (phase === Propose && clock.sealed < 16) clock.sealed += 1;
        else if (phase === Publish) {
          clock.published += 1;
          if (now < publishDeadline(terms, clock.openedAt)) clock.onTime += 1;
          clock.lastPublishedAt = now;
        } else if (phase === Ballot) clock.sealedSeats += 2;
        else if (phase === Reveal && clock.revealedSeats < clock.sealedSeats) {
          if (now < revealDeadline(terms, clock, now)) clock.onTimeSeats += 2;
          clock.revealedSeats += 2;
          clock.lastRevealedAt = now;
        }
      }
    }
    assert.equal(phaseAt(terms, clock, clock.openedAt + longestRound(terms)).phase, Settle);
  });
});
