import { createRequire } from "node:module";
import { root } from "../files.ts";
import type { Compiled } from "../solidity/compiler.ts";
import { producerOf } from "./switches.ts";

/** How much random input a test gets. */
export type Effort = { fuzzRuns: number; invariantRuns: number; invariantDepth: number; seed: string };

/** A contract with tests, ready to run. */
export type Suite = { name: string; path: string; artifact: Artifact };

/** One test that failed; `test` with its parameters. */
export type Failure = { suite: Suite; test: string; reason: string };

/** What a run found, and the milliseconds of each suite with tests that took part. */
export type Run = { failures: Failure[]; took: Map<Suite, number> };

type Artifact = {
  id: { name: string; source: string; solcVersion: string };
  contract: Record<string, unknown>;
};
type SuiteResult = {
  id: { name: string; source: string };
  durationNs: bigint;
  testResults: { name: string; status: string; reason?: string | undefined }[];
};
type Edr = {
  EdrContext: new () => {
    registerSolidityTestRunnerFactory(chain: string, factory: unknown): Promise<void>;
    runSolidityTests(
      chain: string,
      artifacts: Artifact[],
      suites: Artifact["id"][],
      config: Record<string, unknown>,
      tracing: Record<string, unknown>,
      done: (result: SuiteResult) => void,
    ): Promise<unknown>;
  };
  L1_CHAIN_TYPE: string;
  l1SolidityTestRunnerFactory(): unknown;
  l1HardforkLatest(): unknown;
  l1HardforkToString(hardfork: unknown): string;
  l1GenesisState(hardfork: unknown): unknown[];
};

/** A test that a mutant sends round in circles ends here: counted work, the same on every machine. */
const gasOfATest = 1n << 28n;

/** The contracts of a compilation that have tests. */
export function suitesOf(contracts: Record<string, Record<string, Compiled>>): Suite[] {
  return Object.entries(contracts).flatMap(([path, named]) =>
    Object.entries(named)
      .filter(([, { abi, evm }]) => evm.bytecode.object !== "" && abi.some(isTest))
      .map(([name, { abi, evm }]) => {
        const code = `0x${evm.bytecode.object}`;
        const contract = { abi: JSON.stringify(abi), bytecode: code, deployedBytecode: "0x" };
        const artifact = {
          id: { name, source: path, solcVersion: "0.8.37" },
          contract: { ...contract, linkReferences: {}, deployedLinkReferences: {} },
        };
        return { name, path, artifact };
      }),
  );
}

function isTest({ type, name }: Compiled["abi"][number]): boolean {
  return type === "function" && name !== undefined && /^(test|invariant)/.test(name);
}

type Engine = { edr: Edr; context: InstanceType<Edr["EdrContext"]> };

/** There may be one in a process. */
let engine: Promise<Engine> | undefined;

async function startEngine(): Promise<Engine> {
  // The engine is Hardhat's own dependency.
  const hardhat = createRequire(createRequire(import.meta.url).resolve("hardhat"));
  const edr = hardhat("@nomicfoundation/edr") as Edr;
  const context = new edr.EdrContext();
  await context.registerSolidityTestRunnerFactory(edr.L1_CHAIN_TYPE, edr.l1SolidityTestRunnerFactory());
  return { edr, context };
}

/** Runs suites on Hardhat's engine, without Hardhat: no files, no printing. */
export class Runner {
  readonly #engine: Engine;
  /** Tests that are left out, by regular expression. */
  #without: string | undefined;

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  static async start(): Promise<Runner> {
    engine ??= startEngine();
    return new Runner(await engine);
  }

  leaveOut(tests: readonly string[]): void {
    this.#without = tests.length === 0 ? undefined : `^(${tests.join("|")})\\(`;
  }

  /** Runs `suites` with mutant `number` chosen. */
  async run(suites: readonly Suite[], number: number, effort: Effort): Promise<Run> {
    const failures: Failure[] = [];
    const took = new Map<Suite, number>();
    if (suites.length === 0) return { failures, took };
    const finished = Promise.withResolvers<void>();
    let left = suites.length;
    const done = ({ id, durationNs, testResults }: SuiteResult) => {
      const suite = suites.find(({ path, name }) => path === id.source && name === id.name) as Suite;
      if (testResults.length > 0) took.set(suite, Number(durationNs) / 1e6);
      for (const { name, status, reason } of testResults) {
        if (status === "Failure") failures.push({ suite, test: name, reason: reason ?? "" });
      }
      left--;
      if (left === 0) finished.resolve();
    };
    const artifacts = suites.map(({ artifact }) => artifact);
    const ids = artifacts.map(({ id }) => id);
    const config = this.#config(number, effort);
    const { edr, context } = this.#engine;
    await context.runSolidityTests(edr.L1_CHAIN_TYPE, artifacts, ids, config, { buildInfos: [] }, done);
    await finished.promise;
    return { failures, took };
  }

  #config(number: number, { fuzzRuns, invariantRuns, invariantDepth, seed }: Effort): Record<string, unknown> {
    const { edr } = this.#engine;
    const hardfork = edr.l1HardforkLatest();
    return {
      projectRoot: root,
      hardfork: edr.l1HardforkToString(hardfork),
      localPredeploys: edr.l1GenesisState(hardfork),
      fuzz: { runs: fuzzRuns, seed },
      invariant: { runs: invariantRuns, depth: invariantDepth, shrinkRunLimit: 0 },
      disableBlockGasLimit: true,
      disableTransactionGasCap: true,
      gasLimit: gasOfATest,
      blockCoinbase: producerOf(number),
      excludeTestPattern: this.#without,
    };
  }
}
