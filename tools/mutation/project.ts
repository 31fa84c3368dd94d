import { readSources, type Sources } from "../solidity/compiler.ts";
import { parse, rangeOf, type Source } from "../solidity/syntax.ts";

/** What is mutated, and the tests that should notice. */
export type Project = {
  /** Files to mutate. */
  contracts: Source[];
  tests: Sources;
  /** Files with tests, and what each of them imports of this project, directly or not. */
  suites: Map<string, Set<string>>;
};

/** The contracts and Solidity tests of this repository. */
export function readProject(): Project {
  return projectOf(readSources("contracts"), readSources("test/contracts"));
}

/** Parses contracts and tests together. Throws the compiler's first error. */
export function projectOf(contracts: Sources, tests: Sources): Project {
  const all = parse({ ...contracts, ...tests });
  const imports = new Map(all.map((source) => [source.path, importsOf(source)]));
  const files = Object.keys(tests).filter((path) => path.endsWith(".t.sol"));
  return {
    contracts: all.filter(({ path }) => path in contracts),
    tests: Object.fromEntries(all.filter(({ path }) => path in tests).map((test) => [test.path, unrepeatable(test)])),
    suites: new Map(files.map((path) => [path, reachedFrom(path, imports)])),
  };
}

function importsOf({ tree }: Source): string[] {
  return (tree.nodes as { nodeType: string; absolutePath?: string }[])
    .filter(({ nodeType }) => nodeType === "ImportDirective")
    .flatMap(({ absolutePath }) => absolutePath ?? []);
}

function reachedFrom(path: string, imports: ReadonlyMap<string, string[]>, reached = new Set<string>()): Set<string> {
  for (const next of imports.get(path) ?? []) {
    if (reached.has(next) || !imports.has(next)) continue;
    reached.add(next);
    reachedFrom(next, imports, reached);
  }
  return reached;
}

const clock = `
interface __Clock { function unixTime() external view returns (uint256); }
__Clock constant __clock = __Clock(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
`;

/**
 * A test's file whose contracts read the wall clock when they are made. The engine runs a failed test again to say
 * where it failed, which takes many times as long as the test; it spares what the clock may have changed.
 */
function unrepeatable(source: Source): string {
  if (!source.path.endsWith(".t.sol")) return source.slice(0, source.length);
  let [text, position] = ["", 0];
  const nodes = source.tree.nodes as { nodeType: string; contractKind?: string; abstract?: boolean; src: string }[];
  for (const [k, node] of nodes.entries()) {
    if (node.nodeType !== "ContractDefinition" || node.contractKind !== "contract") continue;
    const end = rangeOf(node)[1] - 1;
    text += `${source.slice(position, end)} uint256 private immutable __born${k} = __clock.unixTime(); `;
    position = end;
  }
  return text + source.slice(position, source.length) + clock;
}
