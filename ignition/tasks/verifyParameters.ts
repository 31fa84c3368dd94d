import { type Address, formatEther, isAddressEqual, type PublicClient, parseAbi, zeroAddress } from "viem";
import type { ContractName, Deployment } from "../../protocol/deployment.ts";
import { abis } from "../../protocol/generated/abis.ts";
import type { Parameters } from "./parameters.ts";

/** In these blocks after the first transaction the token must have been created. */
const BLOCKS = 1000n;

const token = parseAbi(["function decimals() view returns (uint8)"]);
const transfer = parseAbi(["event Transfer(address indexed from, address indexed to, uint256 value)"])[0];

/** Parameters as found, by contract, and a sentence for each that is not what it must be. */
export type CheckedParameters = { found: Partial<Record<ContractName, Record<string, string>>>; differences: string[] };

/** Compares the parameters of a deployment with those of its network. */
export async function checkParameters(
  client: PublicClient,
  { block, addresses }: Deployment,
  { parameters, deployer }: { parameters: Parameters; deployer: Address | undefined },
): Promise<CheckedParameters> {
  const delay = await client.readContract({
    address: addresses.BlockhashBeacon,
    abi: abis.BlockhashBeacon,
    functionName: "DELAY",
  });
  const found: CheckedParameters["found"] = { BlockhashBeacon: { delay: String(delay) } };

  const address = addresses.FlockToken;
  if (parameters.NamedToken !== undefined) {
    const decimals = await client.readContract({ address, abi: token, functionName: "decimals" });
    found.FlockToken = { decimals: String(decimals) };
    const wrong = decimals === 18 ? [] : [`FlockToken: the token has ${decimals} decimals, but must have 18.`];
    return { found, differences: wrong };
  }
  const [first, last] = [BigInt(block), BigInt(block) + BLOCKS - 1n];
  const newest = await client.getBlockNumber();
  const range = { fromBlock: first, toBlock: newest < last ? newest : last };
  const [mint] = await client.getLogs({ address, event: transfer, args: { from: zeroAddress }, ...range });
  if (mint?.args.to === undefined || mint.args.value === undefined) {
    const where = `the ${BLOCKS} blocks from ${block} on`;
    return {
      found,
      differences: [`FlockToken: its supply was not made in ${where}: the deployment's block is wrong.`],
    };
  }
  const { to, value } = mint.args;
  found.FlockToken = { holder: to, supply: formatEther(value) };
  const holder = (parameters.FlockToken?.holder as Address | undefined) ?? deployer;
  const isRight = holder === undefined || isAddressEqual(holder, to);
  const wrong = isRight ? [] : [`FlockToken: its supply went to ${to}, but must go to ${holder} (parameter holder).`];
  return { found, differences: wrong };
}
