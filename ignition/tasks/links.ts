import {
  type Address,
  concat,
  decodeAbiParameters,
  encodeAbiParameters,
  getAddress,
  type Hex,
  numberToHex,
  type PublicClient,
  sliceHex,
} from "viem";
import { type ContractName, contractNames } from "../../protocol/deployment.ts";
import { PermanentError } from "../../protocol/errors.ts";
import type { Compiled } from "./compiled.ts";

type Input = { name?: string | undefined; type: string };

/** The contract that an argument of a constructor or of `bind` names: `registry` is the TaskRegistry. */
export function contractOf({ name = "", type }: Input): ContractName | undefined {
  if (type !== "address" || name === "") return undefined;
  return contractNames.find((contract) => contract.toLowerCase().endsWith(bare(name).toLowerCase()));
}

/** A name without the underscore that keeps it apart from another one. */
export function bare(name = ""): string {
  return name.replace(/^_|_$/g, "");
}

/** What a constructor's argument must be if it is no contract. */
export type Given = {
  addresses: Record<ContractName, Address>;
  /** The parameters of the contract's module, by argument. */
  parameters: Readonly<Record<string, unknown>>;
  deployer: Address;
};

/**
 * The code that a contract must have at its address, immutable variables and all: its constructor is run there, on empty
 * storage, in a call that changes nothing. An argument that nobody fixes is taken from `found`, the code that is there.
 */
export async function wantedCode(
  client: PublicClient,
  { abi, creation, immutables }: Compiled,
  { address, found, given }: { address: Address; found: Hex; given: Given },
): Promise<Hex> {
  const { addresses, parameters, deployer } = given;
  const inputs: readonly Input[] = abi.find((item) => item.type === "constructor")?.inputs ?? [];
  const values = inputs.map((input) => {
    const contract = contractOf(input);
    if (contract !== undefined) return addresses[contract];
    const place = immutables.find(({ name }) => bare(name) === bare(input.name))?.places[0];
    const there = place === undefined ? undefined : sliceHex(concat([found, EMPTY]), place, place + 32);
    return parameters[input.name ?? ""] ?? (there === undefined ? standIn(input, deployer) : decoded(input, there));
  });
  const code = concat([creation, encodeAbiParameters(inputs, values)]);
  // Replaces all of the storage; viem leaves an empty list out.
  const state = [{ slot: sliceHex(EMPTY, 0, 32), value: sliceHex(EMPTY, 0, 32) }];
  const stateOverride = [{ address, code, state }];
  const { data } = await client.call({ account: deployer, to: address, stateOverride });
  return data ?? "0x";
}

/** Longer than any code may be. */
const EMPTY: Hex = `0x${"00".repeat(49_152)}`;

/** For an argument that leaves no trace in the code. */
function standIn(input: Input, deployer: Address): unknown {
  return input.type === "address" ? deployer : decoded(input, sliceHex(EMPTY, 0, 32));
}

function decoded(input: Input, word: Hex): unknown {
  return decodeAbiParameters([input], word)[0];
}

/** A contract that `bind` told another one: where it is kept, and which one it must be. */
export type BoundLink = { label: string; slot: Hex; offset: number; contract: ContractName };

/**
 * The links that `bind` makes in a contract; none if it has no `bind`.
 * @throws PermanentError if an argument of `bind` is no contract, or not kept in a variable of its name.
 */
export function boundLinks(name: ContractName, { abi, storage }: Compiled): BoundLink[] {
  const bind = abi.find((item) => item.type === "function" && item.name === "bind");
  return (bind?.type === "function" ? bind.inputs : []).map((input) => {
    const [contract, kept] = [contractOf(input), storage.find(({ label }) => bare(label) === bare(input.name))];
    if (contract === undefined || kept === undefined) {
      throw new PermanentError(
        `${name}.bind takes "${input.name}", which is no contract, or is kept under another name.`,
      );
    }
    return { label: kept.label, slot: numberToHex(BigInt(kept.slot)), offset: kept.offset, contract };
  });
}

/** The address that a contract keeps for a link; undefined if it is not bound yet. */
export async function readLink(
  client: PublicClient,
  address: Address,
  { slot, offset }: BoundLink,
): Promise<Address | undefined> {
  const word = BigInt((await client.getStorageAt({ address, slot })) ?? "0x0");
  const value = (word >> BigInt(8 * offset)) & (2n ** 160n - 1n);
  return value === 0n ? undefined : getAddress(numberToHex(value, { size: 20 }));
}
