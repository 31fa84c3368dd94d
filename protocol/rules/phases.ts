import type { Terms } from "../terms.ts";
import { Phase } from "../words.ts";

/**
 * What decides where an open round stands. All times in seconds since 1970.
 * `onTime`: proposals published, and seats revealed, before the deadline without grace.
 */
export type Clock = {
  openedAt: number;
  sealed: number;
  published: number;
  onTime: number;
  lastPublishedAt: number;
  sealedSeats: number;
  revealedSeats: number;
  onTimeSeats: number;
  lastRevealedAt: number;
  /** The seed's block hash was out of reach before anyone latched it. */
  seedMissed: boolean;
};

/** End of each half-open window `[start, end)` as known at `now`; reveal ends where settlement begins. */
export type Deadlines = { propose: number; publish: number; ballot: number; reveal: number };

/** Phases of a round that take grace must fall short of this share of openings at their deadline. */
function short(opened: number, sealed: number): boolean {
  return opened * 3 < sealed * 2;
}

/** End of publishing without grace: before it, a publication is on time. */
export function publishDeadline(terms: Terms, openedAt: number): number {
  return openedAt + terms.propose + terms.publish;
}

/** Grace that publishing took: with fewer than three proposals none, or one trainer of two could delay every round. */
function publishGrace(terms: Terms, clock: Clock, now: number): number {
  const decided = now >= publishDeadline(terms, clock.openedAt);
  return decided && clock.sealed >= 3 && short(clock.onTime, clock.sealed) ? terms.grace : 0;
}

/** End of revealing without grace: before it, a reveal is on time. Known from the end of publishing on. */
export function revealDeadline(terms: Terms, clock: Clock, now: number): number {
  return publishDeadline(terms, clock.openedAt) + publishGrace(terms, clock, now) + terms.ballot + terms.reveal;
}

/** Every deadline of an open round. Each is final once it has passed; before that it is what holds if nobody acts. */
export function deadlines(terms: Terms, clock: Clock, now: number): Deadlines {
  const propose = clock.openedAt + terms.propose;
  const publishBase = publishDeadline(terms, clock.openedAt) + publishGrace(terms, clock, now);
  let publish = publishBase;
  if (clock.sealed === 0) publish = propose;
  else if (clock.published === clock.sealed) publish = clock.lastPublishedAt;

  const ballot = publishBase + terms.ballot; // an early end of publishing does not move it
  const revealBase = ballot + terms.reveal;
  let reveal = revealBase;
  if (clock.sealedSeats === 0) reveal = ballot;
  else if (clock.revealedSeats === clock.sealedSeats) reveal = clock.lastRevealedAt;
  else if (now >= revealBase && short(clock.onTimeSeats, clock.sealedSeats)) reveal = revealBase + terms.grace;
  return { propose, publish, ballot, reveal: Math.max(reveal, ballot + Math.floor(terms.reveal / 2)) };
}

/** The phase of an open round at `now`, and when it ends if nobody acts (0 for Settle, which lasts until it is done). */
export function phaseAt(terms: Terms, clock: Clock, now: number): { phase: Phase; endsAt: number } {
  if (clock.seedMissed) return { phase: Phase.Settle, endsAt: 0 };
  const end = deadlines(terms, clock, now);
  if (now < end.propose) return { phase: Phase.Propose, endsAt: end.propose };
  if (now < end.publish) return { phase: Phase.Publish, endsAt: end.publish };
  if (clock.published === 0) return { phase: Phase.Settle, endsAt: 0 };
  if (now < end.ballot) return { phase: Phase.Ballot, endsAt: end.ballot };
  if (now < end.reveal) return { phase: Phase.Reveal, endsAt: end.reveal };
  return { phase: Phase.Settle, endsAt: 0 };
}
