import { type Address, getAddress, type Hex, isAddressEqual, type PublicClient, sliceHex } from "viem";
import { type ContractName, contractNames, type Deployment } from "../../protocol/deployment.ts";
import { compareCode } from "./compareCode.ts";
import type { Compiled } from "./compiled.ts";
import { bare, boundLinks, contractOf, type Given, readLink, wantedCode } from "./links.ts";
import type { Parameters } from "./parameters.ts";
import { checkParameters } from "./verifyParameters.ts";

/** What was found of a contract, and a sentence for each thing that is not as it must be. */
export type ContractCheck = {
  name: ContractName;
  address: Address;
  code: "same" | "other metadata" | "other" | "none" | "named by the network";
  /** Address by variable: the immutable ones and those that were bound. */
  links: Record<string, Address | undefined>;
  parameters: Record<string, string>;
};
export type Verification = {
  /** Who sent the first transaction. */
  deployer: Address | undefined;
  contracts: ContractCheck[];
  /** The gravest first: code, then links, then parameters. */
  differences: string[];
};

/** The graver first: the rest means little where the code is other code. */
type Differences = { code: string[]; links: string[]; others: string[] };
type Wanted = { compiled: Record<ContractName, Compiled>; parameters: Parameters };

/**
 * Compares a deployment with what `compiled` and `parameters` (of its network) say: the code of every contract with its
 * immutable variables, every link between them, and the parameters.
 */
export async function verifyDeployment(
  client: PublicClient,
  deployment: Deployment,
  { compiled, parameters }: Wanted,
): Promise<Verification> {
  const deployer = await deployerOf(client, deployment);
  const differences: Differences = { code: [], links: [], others: [] };
  if (deployer === undefined) {
    const message = `Block ${deployment.block} created none of the contracts: logs would be read from the wrong block.`;
    differences.others.push(message);
  }
  const contracts: ContractCheck[] = [];
  for (const name of contractNames) {
    const check: ContractCheck = { name, address: deployment.addresses[name], code: "none", links: {}, parameters: {} };
    contracts.push(check);
    await checkCode(client, check, { compiled, parameters, deployment, deployer, differences });
    if (check.code !== "none") await checkBound(client, check, { compiled, deployment, differences });
  }
  const { code, links, others } = differences;
  if (code.length === 0) {
    const checked = await checkParameters(client, deployment, { parameters, deployer });
    for (const check of contracts) check.parameters = checked.found[check.name] ?? {};
    others.push(...checked.differences);
  }
  return { deployer, contracts, differences: [...code, ...links, ...others] };
}

type CodeContext = Wanted & { deployment: Deployment; deployer: Address | undefined; differences: Differences };

async function checkCode(
  client: PublicClient,
  check: ContractCheck,
  { compiled, parameters, deployment: { addresses }, deployer, differences }: CodeContext,
): Promise<void> {
  const { name, address } = check;
  const found = await client.getCode({ address });
  if (found === undefined) {
    differences.code.push(`${name}: there is no contract at ${address}.`);
    return;
  }
  if (name === "FlockToken" && parameters.NamedToken !== undefined) {
    const named = parameters.NamedToken.address as Address;
    check.code = "named by the network";
    if (isAddressEqual(named, address)) return;
    differences.code.push(`FlockToken is at ${address}, but the parameters name ${named}.`);
    return;
  }
  const ofModule = (parameters as Record<string, Given["parameters"] | undefined>)[name] ?? {};
  const from = deployer ?? deployerIn(found, compiled[name]) ?? address;
  const given: Given = { addresses, parameters: ofModule, deployer: from };
  const wanted = await wantedCode(client, compiled[name], { address, found, given });
  const compared = compareCode(found, wanted, compiled[name].immutables);
  check.code = compared.code;
  if (compared.code === "other") {
    const [is, should] = compared.bytes;
    const where = `it differs from byte ${compared.byte} on (${is} bytes, must be ${should})`;
    differences.code.push(`${name} at ${address} is not this repository's code: ${where}.`);
    return;
  }
  check.links = immutableLinks(found, compiled[name]);
  for (const each of compared.immutables) differences.links.push(immutableSentence(name, each));
}

async function checkBound(
  client: PublicClient,
  { name, address, links }: ContractCheck,
  { compiled, deployment: { addresses }, differences }: Omit<CodeContext, "parameters" | "deployer">,
): Promise<void> {
  for (const link of boundLinks(name, compiled[name])) {
    const { label, contract } = link;
    const bound = await readLink(client, address, link);
    links[label] = bound;
    if (bound === addresses[contract]) continue;
    const is = bound === undefined ? "not bound" : `bound to ${bound}`;
    differences.links.push(`${name}: ${label} is ${is}, but must be bound to ${addresses[contract]} (${contract}).`);
  }
}

/** Who sent the transaction in the deployment's block that created one of its contracts. */
async function deployerOf(client: PublicClient, { block, addresses }: Deployment): Promise<Address | undefined> {
  const [blockNumber, own] = [BigInt(block), Object.values(addresses)];
  const found = await client.getBlock({ blockNumber, includeTransactions: true }).catch(() => undefined);
  for (const { hash, to, from } of found?.transactions ?? []) {
    if (to !== null) continue;
    const { contractAddress } = await client.getTransactionReceipt({ hash });
    if (contractAddress && own.some((address) => isAddressEqual(address, contractAddress))) return getAddress(from);
  }
  return undefined;
}

/** The immutable variables that hold contracts, by name, and the deployer. */
function immutableLinks(code: Hex, { immutables }: Compiled): Record<string, Address> {
  const links = immutables.filter(({ name }) => isLink(name));
  return Object.fromEntries(links.map(({ name, places: [start = 0] }) => [name, addressAt(code, start)]));
}

function deployerIn(code: Hex, { immutables }: Compiled): Address | undefined {
  const start = immutables.find(({ name }) => name === "_deployer")?.places[0];
  return start === undefined || code.length < 2 * (start + 33) ? undefined : addressAt(code, start);
}

const addressAt = (code: Hex, start: number): Address => getAddress(sliceHex(code, start + 12, start + 32));
const isLink = (variable: string): boolean => whoIs(variable) !== undefined;

/** Whose address a variable holds: `registry` that of the TaskRegistry. */
function whoIs(variable: string): string | undefined {
  return variable === "_deployer" ? "the deployer" : contractOf({ name: bare(variable), type: "address" });
}

function immutableSentence(
  name: ContractName,
  { name: variable, found, wanted }: { name: string; found: Hex; wanted: Hex },
) {
  const who = whoIs(variable);
  const shown = (word: Hex) => (who === undefined ? word : getAddress(sliceHex(word, 12)));
  return `${name}: ${variable} is ${shown(found)}, but must be ${shown(wanted)}${who === undefined ? "" : ` (${who})`}.`;
}
