import type { Terms } from "../terms.ts";

/**
 * The money of a task, wei. `incoming`: what came while a round was open, and joins `pot` when that is settled.
 * `deposited`: by the creator, `paid`: to operators, both ever. `closableAt`: end of the creator's notice, 0 without one.
 */
export type Purse = { pot: bigint; incoming: bigint; deposited: bigint; paid: bigint; closableAt: number };

export function emptyPurse(): Purse {
  return { pot: 0n, incoming: 0n, deposited: 0n, paid: 0n, closableAt: 0 };
}

/** The ledgers' range. Only `paid` can reach it, for one token may come back and be paid many times. */
const MAX_LEDGER = 2n ** 96n - 1n;

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** Adds a deposit; while a round is open it waits, so that nobody raises the pot of a round that is being played. */
export function funded(purse: Purse, amount: bigint, refundable: boolean, roundIsOpen: boolean): Purse {
  return {
    ...purse,
    pot: purse.pot + (roundIsOpen ? 0n : amount),
    incoming: purse.incoming + (roundIsOpen ? amount : 0n),
    deposited: purse.deposited + (refundable ? amount : 0n),
  };
}

/** The pot of the next round: an even share of what is left. 0 when no round is left. */
export function roundPot({ pot }: Purse, terms: Terms, paidRounds: number): bigint {
  return paidRounds < terms.rounds ? pot / BigInt(terms.rounds - paidRounds) : 0n;
}

/** The purse after a settlement that paid operators and got `returned` of the slashed stake. */
export function settled(purse: Purse, paid: bigint, returned: bigint): Purse {
  return {
    ...purse,
    pot: purse.pot - paid + purse.incoming + returned,
    incoming: 0n,
    paid: least(purse.paid + paid, MAX_LEDGER),
  };
}

/** What the creator gets back at close: at most what it deposited and was not paid out. The rest burns. */
export function closing({ pot, incoming, deposited, paid }: Purse): { refund: bigint; burned: bigint } {
  const left = pot + incoming;
  const unpaid = deposited > paid ? deposited - paid : 0n;
  const refund = least(left, unpaid);
  return { refund, burned: left - refund };
}
