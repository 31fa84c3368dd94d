import type { Deployment } from "../../protocol/deployment.ts";
import { abis } from "../../protocol/generated/abis.ts";

/**
 * The text of a TypeScript module that tells a program all it needs of a deployment: `flock.chainId`, `flock.block`,
 * `flock.addresses` and `flock.abis`, as constants, so that viem knows every function, event and error by name.
 */
export function deploymentModule({ chainId, block, addresses }: Deployment): string {
  const interfaces = Object.entries(abis).flatMap(([name, items]) => [
    `    ${name}: [`,
    ...items.map((item) => `      ${JSON.stringify(item)},`),
    "    ],",
  ]);
  return [
    `/** Flock's contracts on chain ${chainId}, written by \`npx hardhat flock addresses\`; logs begin at \`block\`. */`,
    "export const flock = {",
    `  chainId: ${chainId},`,
    `  block: ${block},`,
    "  addresses: {",
    ...Object.entries(addresses).map(([name, address]) => `    ${name}: "${address}",`),
    "  },",
    "  abis: {",
    ...interfaces,
    "  },",
    "} as const;",
    "",
  ].join("\n");
}
