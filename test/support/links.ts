import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Address, getAddress, type Hex, numberToHex, type PublicClient, sliceHex } from "viem";

type Artifact = { buildInfoId: string; immutableReferences: Record<string, { start: number }[]> };
/** A node of the compiler's syntax tree. */
type Node = { nodeType?: string; id?: number; name?: string; mutability?: string };

/** Storage slots that are looked at: bound addresses are the first variables of a contract. */
const SLOTS = 8n;

/**
 * The addresses that a deployed contract holds: its immutables by name, out of its code, and those that were bound, out of
 * its first slots, in the order of their declaration. `dir` is the project that compiled it.
 */
export async function linksOf(
  client: PublicClient,
  { dir, name, address }: { dir: string; name: string; address: Address },
): Promise<{ immutable: Record<string, Address>; bound: Address[] }> {
  const artifact: Artifact = await readJson(join(dir, `artifacts/contracts/${name}.sol/${name}.json`));
  const { output } = await readJson<{ output: unknown }>(
    join(dir, `artifacts/build-info/${artifact.buildInfoId}.output.json`),
  );
  const names = new Map<string, string>();
  collectImmutables(output, names);

  const code = (await client.getCode({ address })) ?? "0x";
  const immutable: Record<string, Address> = {};
  for (const [id, [place]] of Object.entries(artifact.immutableReferences)) {
    if (place === undefined) continue;
    immutable[names.get(id) ?? id] = toAddress(sliceHex(code, place.start, place.start + 32));
  }
  const bound: Address[] = [];
  for (let slot = 0n; slot < SLOTS; slot++) {
    const value = (await client.getStorageAt({ address, slot: numberToHex(slot) })) ?? "0x0";
    if (BigInt(value) !== 0n) bound.push(toAddress(value));
  }
  return { immutable, bound };
}

function toAddress(word: Hex): Address {
  return getAddress(sliceHex(word, 12));
}

function collectImmutables(value: unknown, names: Map<string, string>): void {
  if (value === null || typeof value !== "object") return;
  const { nodeType, id, name = "", mutability } = value as Node;
  if (nodeType === "VariableDeclaration" && mutability === "immutable") names.set(String(id), name);
  for (const child of Object.values(value)) collectImmutables(child, names);
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, "utf8")) as T;
}
