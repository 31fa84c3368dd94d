import type { Terms } from "../terms.ts";

/**
 * The money of a task, wei. `incoming`: what came while a round was open, and joins `pot` when that is settled.
 * `deposited`: by the creator, `paid`: to operators and settlers, both ever. `idleSince`: time of the first funding, then
 * of the newest settlement, seconds since 1970.
 */
export type Purse = { pot: bigint; incoming: bigint; idleSince: number; deposited: bigint; paid: bigint };

export function emptyPurse(): Purse {
  return { pot: 0n, incoming: 0n, idleSince: 0, deposited: 0n, paid: 0n };
}

/** The ledgers' range. Only `paid` can reach it, for one token may come back and be paid many times. */
const MAX_LEDGER = 2n ** 96n - 1n;

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** Adds a deposit; while a round is open it waits, so that nobody raises the pot of a round that is being played. */
export function funded(
  purse: Purse,
  { amount, refundable }: { amount: bigint; refundable: boolean },
  roundIsOpen: boolean,
  now: number,
): Purse {
  return {
    ...purse,
    pot: purse.pot + (roundIsOpen ? 0n : amount),
    incoming: purse.incoming + (roundIsOpen ? amount : 0n),
    idleSince: purse.idleSince === 0 ? now : purse.idleSince,
    deposited: purse.deposited + (refundable ? amount : 0n),
  };
}

/** The pot of the next round: an even share of what is left. 0 when no round is left. */
export function roundPot({ pot }: Purse, terms: Terms, paidRounds: number): bigint {
  return paidRounds < terms.rounds ? pot / BigInt(terms.rounds - paidRounds) : 0n;
}

/** The purse after a settlement that paid operators and the settler and got `returned` of the slashed stake. */
export function settled(purse: Purse, paid: bigint, returned: bigint, now: number): Purse {
  return {
    pot: purse.pot - paid + purse.incoming + returned,
    incoming: 0n,
    idleSince: now,
    deposited: purse.deposited,
    paid: least(purse.paid + paid, MAX_LEDGER),
  };
}

/** Whether no round was settled for so long that anyone may close the task. */
export function isIdle({ idleSince }: Purse, terms: Terms, now: number): boolean {
  return idleSince !== 0 && now >= idleSince + terms.idleAfter;
}

/** What the creator gets back at close: at most what it deposited and was not paid out. The rest burns. */
export function closing({ pot, incoming, deposited, paid }: Purse): { refund: bigint; burned: bigint } {
  const left = pot + incoming;
  const unpaid = deposited > paid ? deposited - paid : 0n;
  const refund = least(left, unpaid);
  return { refund, burned: left - refund };
}
