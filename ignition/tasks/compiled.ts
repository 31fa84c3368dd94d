import { readFile } from "node:fs/promises";
import type { ArtifactManager } from "hardhat/types/artifacts";
import type { Abi, Hex } from "viem";
import { type ContractName, contractNames } from "../../protocol/deployment.ts";

/** What the compiler says of a contract. Places are bytes from the beginning of the deployed code. */
export type Compiled = {
  abi: Abi;
  /** What creates it, without the constructor's arguments. */
  creation: Hex;
  /** Variables that the constructor writes into the code, 32 bytes at each of their places. */
  immutables: { name: string; places: number[] }[];
  storage: StorageVariable[];
};
/** `offset`: bytes from the low end of the slot. */
export type StorageVariable = { label: string; slot: string; offset: number; type: string };

type BuildInfo = {
  output: {
    contracts: Record<string, Record<string, { storageLayout?: { storage: StorageVariable[] } | undefined }>>;
    sources: unknown;
  };
};
/** A node of the compiler's syntax tree. */
type Node = { nodeType?: string; id?: number; name?: string; mutability?: string };

/** The contracts of a deployment as this repository compiled them last. */
export async function compiledContracts(artifacts: ArtifactManager): Promise<Record<ContractName, Compiled>> {
  const builds: Record<string, Awaited<ReturnType<typeof readBuild>>> = {};
  const contracts = {} as Record<ContractName, Compiled>;
  for (const name of contractNames) {
    const artifact = await artifacts.readArtifact(name);
    const { buildInfoId = "", inputSourceName = "", immutableReferences = {} } = artifact;
    builds[buildInfoId] ??= await readBuild(artifacts, buildInfoId);
    const { build, names } = builds[buildInfoId];
    contracts[name] = {
      abi: artifact.abi as Abi,
      creation: artifact.bytecode as Hex,
      immutables: Object.entries(immutableReferences).map(([id, places]) => ({
        name: names.get(id) ?? id,
        places: places.map(({ start }) => start),
      })),
      storage: build.output.contracts[inputSourceName]?.[name]?.storageLayout?.storage ?? [],
    };
  }
  return contracts;
}

async function readBuild(artifacts: ArtifactManager, id: string) {
  const file = await artifacts.getBuildInfoOutputPath(id);
  const build = JSON.parse(await readFile(file ?? "", "utf8")) as BuildInfo;
  const names = new Map<string, string>();
  collectImmutables(build.output.sources, names);
  return { build, names };
}

/** Names of immutable variables by the compiler's number of them. */
function collectImmutables(value: unknown, names: Map<string, string>): void {
  if (value === null || typeof value !== "object") return;
  const { nodeType, id, name = "", mutability } = value as Node;
  if (nodeType === "VariableDeclaration" && mutability === "immutable") names.set(String(id), name);
  for (const child of Object.values(value)) collectImmutables(child, names);
}
