import { readFile } from "node:fs/promises";
import { join } from "node:path";
import hre from "hardhat";
import { type ContractName, contractNames } from "../../protocol/deployment.ts";
import { root } from "../../tools/files.ts";

/** The function that the instruction at a program counter was written for; undefined for what the compiler adds itself. */
export type FunctionAt = (pc: number) => string | undefined;

type Node = { nodeType?: string; name?: string; kind?: string; src?: string; nodes?: Node[] };
type Built = {
  output: {
    contracts: Record<string, Record<string, { evm: { deployedBytecode: { object: string; sourceMap: string } } }>>;
    sources: Record<string, { id: number; ast: Node }>;
  };
};
/** Where a function stands in its file, in bytes. */
type Span = { file: number; from: number; to: number; name: string };

/** For every contract, its functions by program counter, from the source maps of the newest build. */
export async function readFunctions(): Promise<Map<ContractName, FunctionAt>> {
  const builds = new Map<string, Built["output"]>();
  const functions = new Map<ContractName, FunctionAt>();
  for (const name of contractNames) {
    const { buildInfoId, inputSourceName } = await hre.artifacts.readArtifact(name);
    if (buildInfoId === undefined || inputSourceName === undefined) continue;
    const file = join(root, "artifacts", "build-info", `${buildInfoId}.output.json`);
    const output = builds.get(buildInfoId) ?? (JSON.parse(await readFile(file, "utf8")) as Built).output;
    builds.set(buildInfoId, output);
    const spans = Object.values(output.sources).flatMap(({ id, ast }) => spansOf(ast, id, ""));
    const { object, sourceMap } = output.contracts[inputSourceName]![name]!.evm.deployedBytecode;
    functions.set(name, functionsOf(Buffer.from(object, "hex"), sourceMap, spans));
  }
  return functions;
}

/** The map has an entry `start:length:file` an instruction; a part left out is that of the entry before. */
function functionsOf(code: Buffer, map: string, spans: readonly Span[]): FunctionAt {
  const names: (string | undefined)[] = [];
  let [start, length, file] = [0, 0, -1];
  let pc = 0;
  for (const entry of map.split(";")) {
    const [s, l, f] = entry.split(":");
    [start, length, file] = [s ? Number(s) : start, l ? Number(l) : length, f ? Number(f) : file];
    const holds = (span: Span) => span.file === file && span.from <= start && start + length <= span.to;
    names[pc] = spans.find(holds)?.name;
    const op = code[pc] ?? 0;
    const isPush = op >= 0x60 && op <= 0x7f;
    pc += isPush ? op - 0x5e : 1;
  }
  return (at) => names[at];
}

function spansOf(node: Node, file: number, owner: string): Span[] {
  const inner = (node.nodes ?? []).flatMap((child) => spansOf(child, file, node.name ?? owner));
  if (node.nodeType !== "FunctionDefinition") return inner;
  const [from = 0, length = 0] = (node.src ?? "").split(":").map(Number);
  return [{ file, from, to: from + length, name: `${owner}.${node.name || node.kind}` }];
}
