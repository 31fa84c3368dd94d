/** Draws of a random game, all from one seed, so that a failing game is named by one number. */
export class Chance {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 32 random bits (mulberry32, public domain, Tommy Ettinger). */
  private next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (bits ^ (bits >>> 14)) >>> 0;
  }

  /** An integer from 0 to n - 1. */
  below(n: number): number {
    return this.next() % n;
  }

  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** An amount from 1 to `most`; often one of the ends. */
  wei(most: bigint): bigint {
    const kind = this.below(16);
    if (kind === 0 || most <= 1n) return 1n;
    if (kind === 1) return most;
    const bits = [1, 2, 3].reduce((sum) => (sum << 32n) | BigInt(this.next()), 0n);
    return 1n + (bits % most);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}
