import assert from "node:assert/strict";
import { test } from "node:test";
import { contractNames, parseDeployment } from "../../protocol/deployment.ts";
import { PermanentError } from "../../protocol/errors.ts";

const addresses = Object.fromEntries(contractNames.map((name, i) => [name, `0x${String(i + 1).repeat(40)}`]));

test("a deployment is read, its addresses in their checksummed spelling", () => {
  const mixed = { ...addresses, Rounds: "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266" };
  const deployment = parseDeployment(JSON.stringify({ chainId: 31337, block: 4, addresses: mixed }), "x.json");
  assert.equal(deployment.chainId, 31337);
  assert.equal(deployment.block, 4);
  assert.equal(deployment.addresses.Rounds, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
});

test("a wrong deployment names its file and every wrong field", () => {
  const text = JSON.stringify({ chainId: 0, addresses: { ...addresses, Staking: "0x12" } });
  assert.throws(
    () => parseDeployment(text, "x.json"),
    (error: unknown) => {
      assert.ok(error instanceof PermanentError);
      assert.match(
        error.message,
        /^The deployment in x\.json is wrong: chainId: .*; block: .*; addresses\.Staking: not an address\.$/,
      );
      return true;
    },
  );
  assert.throws(() => parseDeployment("{", "x.json"), /x\.json is not JSON/);
});
