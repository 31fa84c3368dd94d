import { createRequire } from "node:module";
import { root } from "../files.ts";
import type { Compiled } from "./compiler.ts";

/** How much random input a test gets. */
export type Effort = { fuzzRuns: number; invariantRuns: number; invariantDepth: number; seed: string };

/** What a run may choose beside its input. */
export type Scene = {
  /** Address of the blocks' producer. */
  producer?: Uint8Array | undefined;
  /** What a test may use; without it as much as any of ours needs. */
  gas?: bigint | undefined;
  /** Called with the tags of the instrumented statements that ran. */
  onCovered?: ((tags: Uint8Array[]) => void) | undefined;
};

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
/** What is used of Hardhat's engine; it says more of itself. */
type Edr = {
  addStatementCoverageInstrumentation(text: string, path: string, version: string): Instrumented;
  latestSupportedSolidityVersion(): string;
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

/** A test that goes round in circles ends here: counted work, the same on every machine. */
const gasOfATest = 1n << 28n;

/** What the compiler has to give for the suites in `files`. */
export function suiteSelection(files: readonly string[]): Record<string, Record<string, string[]>> {
  // The engine finds a contract that is a target of its own invariants by its deployed code.
  const outputs = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"];
  return Object.fromEntries(files.map((path) => [path, { "*": outputs }]));
}

/** The contracts of a compilation that have tests. */
export function suitesOf(contracts: Record<string, Record<string, Compiled>>): Suite[] {
  return Object.entries(contracts).flatMap(([path, named]) =>
    Object.entries(named)
      .filter(([, { abi, evm }]) => evm.bytecode.object !== "" && abi.some(isTest))
      .map(([name, { abi, evm }]) => {
        const [bytecode, deployedBytecode] = [`0x${evm.bytecode.object}`, `0x${evm.deployedBytecode.object}`];
        const contract = { abi: JSON.stringify(abi), bytecode, deployedBytecode };
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

/** `metadata` says where the statement of each tag is in the original text, in characters. */
type Instrumented = {
  source: string;
  metadata: { tag: Uint8Array; kind: string; startUtf16: number; endUtf16: number }[];
};

type EdrCoverage = { getCoverageLibrary(): { filename: string; content: string } };

type Engine = { edr: Edr; context: InstanceType<Edr["EdrContext"]> };

/** There may be one in a process. */
let engine: Promise<Engine> | undefined;

/** Hardhat's own dependencies. */
const hardhat = createRequire(createRequire(import.meta.url).resolve("hardhat"));

/** A source that reports its statements as they run; `library` is the file that it imports for that. */
export function instrument(
  path: string,
  text: string,
): Instrumented & { library: { filename: string; content: string } } {
  const edr = hardhat("@nomicfoundation/edr") as Edr;
  const { getCoverageLibrary } = hardhat("@nomicfoundation/edr/coverage") as EdrCoverage;
  const version = edr.latestSupportedSolidityVersion();
  return { ...edr.addStatementCoverageInstrumentation(text, path, version), library: getCoverageLibrary() };
}

async function startEngine(): Promise<Engine> {
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

  /** Runs `suites` to their end, tests that fail included. */
  async run(suites: readonly Suite[], effort: Effort, scene: Scene = {}): Promise<Run> {
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
    const config = this.#config(effort, scene);
    const { edr, context } = this.#engine;
    await context.runSolidityTests(edr.L1_CHAIN_TYPE, artifacts, ids, config, { buildInfos: [] }, done);
    await finished.promise;
    return { failures, took };
  }

  #config(effort: Effort, { producer, gas = gasOfATest, onCovered }: Scene): Record<string, unknown> {
    const { fuzzRuns, invariantRuns, invariantDepth, seed } = effort;
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
      gasLimit: gas,
      blockCoinbase: producer,
      observability: onCovered && {
        codeCoverage: { onCollectedCoverageCallback: async (tags: Uint8Array[]) => onCovered(tags) },
      },
      excludeTestPattern: this.#without,
    };
  }
}
