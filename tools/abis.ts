import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { contractNames } from "../protocol/deployment.ts";
import { root } from "./files.ts";

/** Where the interfaces of the contracts stand for TypeScript. */
export const abisFile = join(root, "protocol", "generated", "abis.ts");

/** The text of that file as the compiled contracts say: one line for each function, event and error. */
export async function abisText(): Promise<string> {
  const lines = [
    "/** The contracts' interfaces, written by tools/abis.ts from what the compiler says. */",
    "export const abis = {",
  ];
  for (const name of contractNames) {
    const artifact = JSON.parse(
      await readFile(join(root, "artifacts", "contracts", `${name}.sol`, `${name}.json`), "utf8"),
    );
    lines.push(
      `  ${name}: [`,
      ...(artifact as { abi: unknown[] }).abi.map((item) => `    ${JSON.stringify(item)},`),
      "  ],",
    );
  }
  return [...lines, "} as const;", ""].join("\n");
}

// After `npx hardhat build`: node tools/abis.ts
if (import.meta.main) await writeFile(abisFile, await abisText());
