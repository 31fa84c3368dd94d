import assert from "node:assert/strict";
import test from "node:test";
import { buildSwitched } from "../../tools/mutation/build.ts";
import { explanationProblems, readExplanations } from "../../tools/mutation/explained.ts";
import type { Verdict } from "../../tools/mutation/judge.ts";
import { type Mutant, mutantsOf, textWith } from "../../tools/mutation/mutants.ts";
import { playMutants } from "../../tools/mutation/play.ts";
import { projectOf } from "../../tools/mutation/project.ts";
import { reportOf } from "../../tools/mutation/report.ts";
import { sampleOf } from "../../tools/mutation/sample.ts";
import { compile, errorsOf, readSources } from "../../tools/solidity/compiler.ts";
import { parse } from "../../tools/solidity/syntax.ts";

const path = "contracts/Toy.sol";

/** A file with one function per kind of change; "µ" makes bytes and characters differ. */
const toy = (body: string) => `// µ
pragma solidity 0.8.37;
interface IToy { function f() external; }
contract Toy {
    event Happened(uint256 what);
    uint256 internal a;
    uint256 internal b;
    modifier guarded() { _; }
    function max(uint256 x, uint256 y) internal pure returns (uint256) { return y; }
    function min(uint256 x, uint256 y) internal pure returns (uint256) { return x; }
    ${body}
}
`;

/** The changes of `body`, without those of what surrounds it. */
function changesIn(body: string): string[] {
  const mutants = mutantsOf(parse({ [path]: toy(body) })[0]!);
  return mutants.filter(({ line }) => line >= 11).map(shown);
}

let contracts: Mutant[] | undefined;

function mutantsOfContracts(): Mutant[] {
  contracts ??= parse(readSources("contracts")).flatMap((source) => mutantsOf(source));
  return contracts;
}

function shown({ operator, original, mutated }: Mutant): string {
  return `${operator}: ${original} -> ${mutated}`;
}

test("operators are swapped, steps turned round, and comparisons moved by one or turned", () => {
  assert.deepEqual(changesIn("function f(uint256 x, uint256 y) external { b = x * y - x % y; ++a; }"), [
    "removal: b = x * y - x % y; -> {}",
    "arithmetic: x * y -> x / y",
    "arithmetic: x * y - x % y -> x * y + x % y",
    "arithmetic: x % y -> x * y",
    "arithmetic: ++a -> --a",
    "removal: ++a; -> {}",
  ]);
  assert.deepEqual(changesIn("function f(uint256 x, bool z) external { if (x < b && !z) a |= ~x << x; }"), [
    "relational: x < b -> x <= b",
    "relational: x < b -> x >= b",
    "logical: x < b && !z -> (x < b || !z)",
    "negation: x < b && !z -> !(x < b && !z)",
    "negation: !z -> z",
    "bits: a |= ~x << x -> a &= ~x << x",
    "removal: a |= ~x << x; -> {}",
    "bits: ~x -> x",
    "bits: ~x << x -> ~x >> x",
  ]);
});

test("numbers become one more, one less and 0; requirements are removed or turned; branches are swapped", () => {
  assert.deepEqual(changesIn('function f(bool z) external { require(z, "no"); a = z ? 1e3 : 0x10; }'), [
    'removal: require(z, "no"); -> {}',
    "negation: z -> !(z)",
    "removal: a = z ? 1e3 : 0x10; -> {}",
    "ternary: z ? 1e3 : 0x10 -> z ? 0x10 : 1e3",
    "literal: 1e3 -> 1001",
    "literal: 1e3 -> 999",
    "literal: 1e3 -> 0",
    "literal: 0x10 -> 0x11",
    "literal: 0x10 -> 0xf",
    "literal: 0x10 -> 0x0",
  ]);
});

test("every assignment of a pair is left out alone, and of a loop its step, its continue and its event", () => {
  const body =
    "function f() external { (a, b) = (b, a); for (uint256 i = 0; i != 9; i += b) { continue; } emit Happened(a); }";
  assert.deepEqual(changesIn(body), [
    "removal: (a, b) -> (, b)",
    "removal: (a, b) -> (a, )",
    "removal: (a, b) = (b, a); -> {}",
    "literal: 0 -> 1",
    "relational: i != 9 -> i == 9",
    "literal: 9 -> 10",
    "literal: 9 -> 8",
    "literal: 9 -> 0",
    "removal: i += b -> ",
    "arithmetic: i += b -> i -= b",
    "removal: continue; -> {}",
    "removal: emit Happened(a); -> {}",
  ]);
});

test("results become zeros, extremes the other one, guards vanish, and assembly is changed inside", () => {
  assert.deepEqual(
    changesIn("function f(uint256 x) external guarded returns (uint256, bool) { return (max(x, a), true); }"),
    [
      "modifier: guarded -> ",
      "return: return (max(x, a), true); -> return (0, false);",
      "extremum: max -> min",
      "literal: true -> false",
    ],
  );
  assert.deepEqual(
    changesIn("function f(uint256 x) external pure returns (uint256 y) { assembly { y := shl(2, x) } }"),
    [
      "removal: assembly { y := shl(2, x) } -> {}",
      "assembly: y := shl(2, x) -> {}",
      "assembly: shl -> shr",
      "assembly: 2 -> 3",
      "assembly: 2 -> 1",
      "assembly: 2 -> 0",
    ],
  );
});

test("a zero that is returned is not replaced by a zero of another form", () => {
  assert.deepEqual(changesIn("function f() external pure returns (bytes32) { return 0; }"), ["literal: 0 -> 1"]);
});

test("a mutant keeps its id when the file grows elsewhere, and twins have ids of their own", () => {
  const idsOf = (text: string) => mutantsOf(parse({ [path]: text })[0]!).map(({ id }) => id);
  const ids = idsOf(toy("function f() external { a = 0; a = 0; }"));
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(idsOf(`\n\n${toy("function f() external { a = 0; a = 0; }")}`), ids);
});

test("a sample has its size, is the same for the same seed, and takes of every stratum in proportion", () => {
  const all = mutantsOfContracts();
  assert.deepEqual(sampleOf(all, all.length, "1"), all);
  const half = sampleOf(all, Math.floor(all.length / 2), "1");
  assert.equal(half.length, Math.floor(all.length / 2));
  assert.deepEqual(sampleOf(all, half.length, "1"), half);
  assert.notDeepEqual(sampleOf(all, half.length, "2"), half);
  for (const [stratum, some = []] of Object.entries(Object.groupBy(all, ({ path, operator }) => path + operator))) {
    const picked = half.filter(({ path, operator }) => path + operator === stratum).length;
    assert.ok(Math.abs(picked - some.length / 2) <= 1, `${stratum}: ${picked} of ${some.length}`);
  }
});

const counter = `pragma solidity 0.8.37;
contract Counter {
    uint256 public constant STEP = 2;
    uint256 public count;
    function add(uint256 x) external {
        for (uint256 i = 0; i < x; ++i) count += STEP;
    }
    function root() external pure returns (bytes32 r) {
        if (r == 0) r = 0;
    }
}
`;

const counterTest = (assertion: string) => `pragma solidity 0.8.37;
import {Counter} from "../../contracts/Counter.sol";
contract CounterTest {
    function test_add(uint8 x) public {
        Counter counter = new Counter();
        counter.add(x);
        ${assertion}
    }
}
`;

async function play(assertion: string, { apart = false } = {}): Promise<{ mutants: Mutant[]; verdicts: Verdict[] }> {
  const tests = { "test/contracts/Counter.t.sol": counterTest(assertion) };
  const project = projectOf({ "contracts/Counter.sol": counter }, tests);
  const found = project.contracts.flatMap((source) => mutantsOf(source));
  const mutants = apart ? found.map((mutant) => ({ ...mutant, host: undefined })) : found;
  const effort = { fuzzRuns: 8, invariantRuns: 1, invariantDepth: 1, seed: "0x1" };
  return { mutants, ...(await playMutants({ project, mutants, efforts: { first: effort, last: effort } })) };
}

test("a good test kills what it can; a loop without end runs out of gas; what cannot compile is no mutant", async () => {
  const { mutants, verdicts } = await play("require(counter.count() == 2 * uint256(x));");
  const found = mutants.map((mutant, k) => `${mutant.within} ${shown(mutant)}: ${verdicts[k]?.status}`);
  assert.deepEqual(found, [
    "Counter.STEP literal: 2 -> 3: killed",
    "Counter.STEP literal: 2 -> 1: killed",
    "Counter.STEP literal: 2 -> 0: killed",
    "Counter.add literal: 0 -> 1: killed",
    "Counter.add relational: i < x -> i <= x: killed",
    "Counter.add relational: i < x -> i >= x: killed",
    "Counter.add removal: ++i -> : killed",
    "Counter.add arithmetic: ++i -> --i: killed",
    "Counter.add arithmetic: count += STEP -> count -= STEP: killed",
    "Counter.add removal: count += STEP; -> {}: killed",
    "Counter.root relational: r == 0 -> r != 0: survived",
    "Counter.root literal: 0 -> 1: uncompiled",
    "Counter.root removal: r = 0; -> {}: survived",
    "Counter.root literal: 0 -> 1: uncompiled",
  ]);
  assert.ok(verdicts.every(({ status, by }) => status !== "killed" || by === "CounterTest.test_add"));

  const why = "The word is zero already, whatever is done to it.";
  const [turned, removed] = mutants.filter(
    ({ within }, k) => within === "Counter.root" && verdicts[k]?.status === "survived",
  );
  const explanations = [turned!, removed!].map(({ id, within, original, mutated }) => ({
    id,
    within,
    original,
    mutated,
    why,
  }));
  const report = reportOf(mutants, verdicts, { explanations: explanations.slice(0, 1), leftOut: [] });
  assert.equal(report.score, 90.9, "10 of 11: one survivor is explained, two do not compile");
  assert.deepEqual(explanationProblems(explanations, mutants, verdicts), []);
  const killed = {
    ...explanations[0]!,
    ...{ id: mutants[0]!.id, within: "Counter.STEP", original: "2", mutated: "3" },
  };
  assert.match(explanationProblems([killed], mutants, verdicts)[0] ?? "", /but CounterTest\.test_add does/);
});

test("without its assertion the same test kills only what reverts by itself", async () => {
  const { mutants, verdicts } = await play("");
  const survived = mutants.filter((_, k) => verdicts[k]?.status === "survived").map(shown);
  assert.deepEqual(survived, [
    "literal: 2 -> 3",
    "literal: 2 -> 1",
    "literal: 2 -> 0",
    "literal: 0 -> 1",
    "relational: i < x -> i <= x",
    "removal: count += STEP; -> {}",
    "relational: r == 0 -> r != 0",
    "removal: r = 0; -> {}",
  ]);
});

test("a mutant behind a switch has the fate of the same one compiled by itself", async () => {
  const assertion = "require(counter.count() == 2 * uint256(x));";
  const [switched, apart] = [await play(assertion), await play(assertion, { apart: true })];
  assert.deepEqual(switched.verdicts, apart.verdicts);
});

test("a function whose stack has no place for the number of the mutant is switched all the same", () => {
  for (const [variables, last] of [
    [15, "count += x;"],
    [14, "count = x + count * x;"],
  ] as const) {
    const declared = Array.from({ length: variables }, (_, k) => `uint256 v${k} = x;`).join(" ");
    const full = `pragma solidity 0.8.37;
contract Counter {
    uint256 public count;
    function add(uint256 x) external { ${declared} ${last} }
}
`;
    const project = projectOf({ "contracts/Counter.sol": full }, { "test/contracts/Counter.t.sol": counterTest("") });
    const mutants = project.contracts.flatMap((source) => mutantsOf(source));
    const { numbers, broken } = buildSwitched(project, mutants);
    assert.deepEqual([numbers.size, broken], [mutants.length, []]);
  }
});

test("what the compiler blames on a function's head goes apart, and the other functions stay", () => {
  const headed = `pragma solidity 0.8.37;
contract Counter {
    mapping(uint256 => uint256[]) private all;
    uint256 public count;
    function add(uint256 x) external { count += rows(x).length; }
    function rows(uint256 x) private view returns (uint256[] storage list) { list = all[x]; }
}
`;
  const project = projectOf({ "contracts/Counter.sol": headed }, { "test/contracts/Counter.t.sol": counterTest("") });
  const mutants = project.contracts.flatMap((source) => mutantsOf(source));
  const { numbers, broken } = buildSwitched(project, mutants);
  assert.deepEqual(
    mutants.map((mutant) => [mutant.within, shown(mutant), numbers.has(mutant)]),
    [
      ["Counter.add", "arithmetic: count += rows(x).length -> count -= rows(x).length", true],
      ["Counter.add", "removal: count += rows(x).length; -> {}", true],
      ["Counter.rows", "removal: list = all[x]; -> {}", false],
    ],
  );
  assert.deepEqual(broken, []);
});

const selfMade = `pragma solidity 0.8.37;
import {Counter} from "../../contracts/Counter.sol";
contract CounterTest {
    Counter private counter = new Counter();
    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(this);
    }
    function add(uint8 x) external { counter.add(x); }
    function invariant_even() external view { require(counter.count() % 2 == 0); }
}
`;

test("a contract of tests may be the target of its own invariants", async () => {
  const project = projectOf({ "contracts/Counter.sol": counter }, { "test/contracts/Counter.t.sol": selfMade });
  const mutants = project.contracts.flatMap((source) => mutantsOf(source)).slice(0, 1);
  const effort = { fuzzRuns: 1, invariantRuns: 2, invariantDepth: 8, seed: "0x1" };
  const { verdicts } = await playMutants({ project, mutants, efforts: { first: effort, last: effort } });
  assert.deepEqual(
    mutants.map((mutant, k) => [shown(mutant), verdicts[k]?.by]),
    [["literal: 2 -> 3", "CounterTest.invariant_even"]],
  );
});

test("no mutants are judged while a test fails without them", async () => {
  await assert.rejects(play("revert();"), /CounterTest\.test_add\(uint8\) fails without any mutant/);
});

test("every explained survivor is a mutant of today's contracts", () => {
  assert.deepEqual(explanationProblems(readExplanations(), mutantsOfContracts(), []), []);
});

test("the compiler takes every change of a file, or says what is wrong in it", () => {
  const source = parse({ "contracts/Counter.sol": counter })[0]!;
  for (const mutant of mutantsOf(source)) {
    const sources = { [source.path]: textWith(source, mutant.change) };
    const messages = errorsOf(compile({ sources, select: {} })).map(({ message }) => message);
    assert.ok(
      messages.every((message) => !/Expected/.test(message)),
      `${shown(mutant)}: ${messages}`,
    );
  }
});
