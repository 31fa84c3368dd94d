import type { Effort, Failure, Runner, Suite } from "../solidity/engine.ts";
import type { Mutant } from "./mutants.ts";
import { producerOf } from "./switches.ts";

/** What became of a mutant. */
export type Verdict = {
  id: string;
  status: "killed" | "survived" | "uncompiled";
  /** The test that failed, as "Suite.test". */
  by?: string | undefined;
};

/** Little input first; what survives that plays again with more. */
export type Efforts = { first: Effort; last: Effort };

/** How many suites run before the others are tried, and the milliseconds from which a suite comes last. */
const firstSuites = 3;
const slow = 100;

/** Runs suites against mutants until one fails, those first that killed neighbours. */
export class Judge {
  readonly #runner: Runner;
  readonly #efforts: Efforts;
  readonly #costs: ReadonlyMap<string, number>;
  /** Kills by suite, of mutants within a function or file, or of all. */
  readonly #kills = new Map<string, number>();

  /** `took` are the milliseconds of each suite without a mutant. */
  constructor(runner: Runner, efforts: Efforts, took: ReadonlyMap<Suite, number>) {
    this.#runner = runner;
    this.#efforts = efforts;
    this.#costs = new Map([...took].map(([{ name }, milliseconds]) => [name, milliseconds]));
  }

  /** The first failure of `suites` under mutant `number` of their program; undefined if all pass. */
  async firstFailure(mutant: Mutant, suites: readonly Suite[], number: number): Promise<Failure | undefined> {
    const ordered = suites.toSorted((a, b) => this.#scoreOf(b, mutant) - this.#scoreOf(a, mutant));
    const others = ordered.slice(firstSuites);
    const { first, last } = this.#efforts;
    for (const [some, effort] of [
      [ordered.slice(0, firstSuites), first],
      [others.filter((suite) => this.#costOf(suite) < slow), first],
      [others.filter((suite) => this.#costOf(suite) >= slow), first],
      [ordered, last],
    ] as const) {
      const { failures } = await this.#runner.run(some, effort, { producer: producerOf(number) });
      const [failure] = failures.sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
      if (failure === undefined) continue;
      for (const place of placesOf(mutant)) this.#count(place, failure.suite);
      return failure;
    }
    return undefined;
  }

  /** Kills of neighbours, near ones first, for the time they take. */
  #scoreOf(suite: Suite, mutant: Mutant): number {
    const kills = placesOf(mutant)
      .map((place, k) => (this.#kills.get(`${place} ${suite.name}`) ?? 0) * [10_000, 100, 1][k]!)
      .reduce((sum, score) => sum + score, 0);
    return (1 + kills) / (10 + this.#costOf(suite));
  }

  #costOf({ name }: Suite): number {
    return this.#costs.get(name) ?? 0;
  }

  #count(place: string, suite: Suite): void {
    const key = `${place} ${suite.name}`;
    this.#kills.set(key, (this.#kills.get(key) ?? 0) + 1);
  }
}

/** The verdict on a mutant that a test failed under, or that none did. */
export function verdictOf({ id }: Mutant, failure: Failure | undefined): Verdict {
  if (failure === undefined) return { id, status: "survived" };
  return { id, status: "killed", by: nameOf(failure) };
}

/** "Suite.test" without its parameters. */
export function nameOf({ suite, test }: Failure): string {
  return `${suite.name}.${test.replace(/\(.*/, "")}`;
}

function placesOf({ path, within }: Mutant): string[] {
  return [within, path, ""];
}
