import assert from "node:assert/strict";
import test from "node:test";
import { gapProblems } from "../../tools/coverage/explained.ts";
import { coverageOf } from "../../tools/coverage/lines.ts";

const path = "contracts/Toy.sol";
const toy = `// µ
pragma solidity 0.8.37;
contract Toy {
    uint256 public count;
    modifier small(uint256 x) {
        require(x < 100);
        _;
    }
    function add(uint256 x) external small(x) {
        if (x == 7) {
            count += 1000;
        } else count += x;
    }
    function twice(uint256 x) external pure returns (uint256) {
        return 2 * x;
    }
}
`;
const effort = { seed: "0x1", fuzzRuns: 1, invariantRuns: 1, invariantDepth: 1 };

async function gapsOf(body: string) {
  const tests = {
    "test/contracts/Toy.t.sol": `pragma solidity 0.8.37;
import {Toy} from "../../contracts/Toy.sol";
contract ToyTest {
    Toy private toy = new Toy();
    ${body}
}
`,
  };
  const [file] = await coverageOf({ [path]: toy }, tests, effort);
  return file?.gaps;
}

const branch = { path, line: 10, code: "if (x == 7) {" };
const rare = { path, line: 11, code: "count += 1000;" };
const usual = { path, line: 12, code: "} else count += x;" };
const unused = { path, line: 15, code: "return 2 * x;" };

test("the lines that no test runs are found, in branches and in functions of their own", async () => {
  assert.deepEqual(await gapsOf("function test_add() external { toy.add(1); }"), [branch, rare, unused]);
  assert.deepEqual(await gapsOf("function test_add() external { toy.add(7); assert(toy.twice(2) == 4); }"), [usual]);
  assert.deepEqual(await gapsOf("function test_all() external { toy.add(1); toy.add(7); toy.twice(2); }"), []);
});

test("nothing is covered by tests that fail", async () => {
  await assert.rejects(gapsOf("function test_add() external { toy.add(100); }"), /ToyTest\.test_add\(\) fails/);
});

test("a gap without an explanation is a problem, and so is an explanation without a gap or a reason", () => {
  const why = "The compiler needs the line, and nothing gets there.";
  assert.deepEqual(gapProblems([rare], [{ path, code: rare.code, why }]), []);
  assert.deepEqual(gapProblems([rare], []), [`${path}:11 is run by no test: count += 1000;`]);
  assert.deepEqual(gapProblems([], [{ path, code: rare.code, why }]), [
    `tools/coverage/explained.json explains a line of ${path} that is run or gone: count += 1000;`,
  ]);
  assert.equal(gapProblems([rare], [{ path, code: rare.code, why: "Because." }]).length, 1);
  assert.equal(gapProblems([rare, rare], [{ path, code: rare.code, why }]).length, 1, "one for each line");
});
