import assert from "node:assert/strict";
import test, { after, beforeEach } from "node:test";
import hre from "hardhat";
import { type Address, concat, type Hex, numberToHex, pad, size, sliceHex } from "viem";
import { compiledContracts } from "../../ignition/tasks/compiled.ts";
import { boundLinks } from "../../ignition/tasks/links.ts";
import { verifyDeployment } from "../../ignition/tasks/verifyDeployment.ts";
import { type ContractName, contractNames, type Deployment } from "../../protocol/deployment.ts";
import { startFlockChain } from "../support/flockChain.ts";

const compiled = await compiledContracts(hre.artifacts);
const chain = await startFlockChain();
after(() => chain.close());
const { client, deployment } = chain;
const { addresses } = deployment;
const other: Address = "0x00000000000000000000000000000000000000AA";
const [deployer] = (await chain.request("eth_accounts")) as [Address];

await chain.mark();
beforeEach(() => chain.rewind());

const verify = (changed: Partial<Deployment> = {}, parameters = {}) =>
  verifyDeployment(client, { ...deployment, ...changed }, { compiled, parameters });
const at = (changed: Partial<Deployment["addresses"]>) => verify({ addresses: { ...addresses, ...changed } });

/** Replaces bytes of a contract's code. */
async function patch(name: ContractName, start: number, bytes: Hex): Promise<void> {
  const code = (await client.getCode({ address: addresses[name] })) as Hex;
  const parts = [sliceHex(code, 0, start), bytes];
  if (start + size(bytes) < size(code)) parts.push(sliceHex(code, start + size(bytes)));
  await chain.request("hardhat_setCode", [addresses[name], concat(parts)]);
}

function places(name: ContractName, variable: string): number[] {
  const found = compiled[name].immutables.find((each) => each.name === variable);
  assert.ok(found !== undefined, `${name} has no ${variable}`);
  return found.places;
}

test("a deployment of this repository is what it must be, before its first task and after", async () => {
  const fresh = await verify();
  assert.deepEqual(fresh.differences, []);
  assert.equal(fresh.deployer?.toLowerCase(), deployer);
  assert.ok(fresh.contracts.every(({ code }) => code === "same"));
  const linked = fresh.contracts.flatMap(({ links }) => Object.values(links));
  // Every contract is known to another one, as is the deployer.
  assert.deepEqual(new Set(linked), new Set([...Object.values(addresses), fresh.deployer]));

  await chain.endow("0x00000000000000000000000000000000000000bb", 5n);
  assert.deepEqual((await verify()).differences, []);
});

test("what a contract has in storage does not disturb the reading of its code", async () => {
  const supply = compiled.FlockToken.storage.find(({ label }) => label === "_totalSupply");
  const slot = numberToHex(BigInt(supply?.slot ?? "0"));
  await chain.request("hardhat_setStorageAt", [addresses.FlockToken, slot, `0x${"ff".repeat(32)}`]);
  assert.deepEqual((await verify()).differences, []);
});

test("every contract that bind takes is looked at", () => {
  for (const name of contractNames) {
    for (const item of compiled[name].abi) {
      if (item.type !== "function" || item.name !== "bind") continue;
      assert.equal(boundLinks(name, compiled[name]).length, item.inputs.length, name);
    }
  }
});

for (const name of contractNames) {
  test(`other code of ${name} is a difference`, async () => {
    await patch(name, 40, "0xfe");
    const { differences, contracts } = await verify();
    const [first = ""] = differences;
    assert.match(
      first,
      new RegExp(`^${name} at ${addresses[name]} is not this repository's code: it differs from byte 40`),
    );
    assert.deepEqual(
      contracts.filter(({ code }) => code === "other").map((contract) => contract.name),
      [name],
    );
  });

  test(`a wrong address of ${name} is a difference, also that of another contract`, async () => {
    const nowhere = await at({ [name]: other });
    assert.equal(nowhere.differences[0], `${name}: there is no contract at ${other}.`);
    const neighbour = addresses[contractNames.find((each) => each !== name) as ContractName];
    const mistaken = await at({ [name]: neighbour });
    assert.match(mistaken.differences[0] ?? "", new RegExp(`^${name} at ${neighbour} is not this repository's code: `));
  });

  for (const { name: variable } of compiled[name].immutables) {
    test(`${name} with another ${variable} is a difference`, async () => {
      for (const place of places(name, variable)) await patch(name, place, pad(other));
      const { differences, contracts } = await verify();
      assert.equal(contracts.find((each) => each.name === name)?.code, "same");
      assert.equal(differences.length, 1);
      assert.match(differences[0] ?? "", new RegExp(`^${name}: ${variable} is 0x0*AA, but must be 0x`, "i"));
    });
  }

  for (const { label, slot, contract } of boundLinks(name, compiled[name])) {
    test(`${name} with another ${label}, or none, is a difference`, async () => {
      const wanted = `but must be bound to ${addresses[contract]} (${contract}).`;
      const put = (value: Hex) => chain.request("hardhat_setStorageAt", [addresses[name], slot, value]);
      await put(pad(other));
      assert.deepEqual((await verify()).differences, [`${name}: ${label} is bound to ${other}, ${wanted}`]);
      await put(numberToHex(0, { size: 32 }));
      assert.deepEqual((await verify()).differences, [`${name}: ${label} is not bound, ${wanted}`]);
    });
  }
}

test("an immutable variable that differs in one of its places only is a difference", async () => {
  await patch("Staking", places("Staking", "token").at(-1) as number, pad(other));
  const wanted = `Staking: token is ${other}, but must be ${addresses.FlockToken} (FlockToken).`;
  assert.deepEqual((await verify()).differences, [wanted]);
});

test("other metadata alone, as other comments leave it, is told and no difference", async () => {
  const { Rounds } = addresses;
  const code = (await client.getCode({ address: Rounds })) as Hex;
  await patch("Rounds", size(code) - 12, "0x99");
  const { differences, contracts } = await verify();
  assert.deepEqual(differences, []);
  assert.equal(contracts.find(({ name }) => name === "Rounds")?.code, "other metadata");
});

test("a block that created no contract is a difference, and so is one before the token's time", async () => {
  const sentence = (block: number) =>
    `Block ${block} created none of the contracts: logs would be read from the wrong block.`;
  for (const block of [0, deployment.block + contractNames.length, 1_000_000]) {
    const { differences } = await verify({ block });
    assert.ok(differences.includes(sentence(block)), `${block}: ${differences}`);
  }
});

test("the holder of the supply is the one of the parameters, or else the deployer", async () => {
  const { contracts, differences } = await verify({}, { FlockToken: { holder: deployer } });
  assert.deepEqual(differences, []);
  const [token] = contracts;
  assert.equal(token?.parameters.holder?.toLowerCase(), deployer);
  const wrong = await verify({}, { FlockToken: { holder: other } });
  assert.match(
    wrong.differences[0] ?? "",
    new RegExp(`^FlockToken: its supply went to 0x\\w+, but must go to ${other}`),
  );
});

test("a token that the network names may have any code, but must be the one that is named", async () => {
  await patch("FlockToken", 40, "0xfe");
  const named = await verify({}, { NamedToken: { address: other } });
  const sentence = `FlockToken is at ${addresses.FlockToken}, but the parameters name ${other}.`;
  assert.equal(named.differences[0], sentence);
  assert.equal(named.contracts[0]?.code, "named by the network");
});
