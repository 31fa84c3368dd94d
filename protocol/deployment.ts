import { readFile } from "node:fs/promises";
import { type Address, getAddress, isAddress } from "viem";
import { z } from "zod";
import { PermanentError } from "./errors.ts";

/** The contracts of one deployment, in the order in which they depend on each other. */
export const contractNames = [
  "FlockToken",
  "BlockhashBeacon",
  "TaskRegistry",
  "Staking",
  "Rounds",
  "ValidatorVoting",
  "RewardDistributor",
] as const;
export type ContractName = (typeof contractNames)[number];

/** Where a suite of contracts lives: its chain, the block from which its logs begin, and each address. */
export type Deployment = {
  chainId: number;
  block: number;
  addresses: Record<ContractName, Address>;
};

const address = z
  .custom<string>((value) => typeof value === "string" && isAddress(value, { strict: false }), "not an address")
  .transform((value) => getAddress(value.toLowerCase()));

const deploymentSchema = z.object({
  chainId: z.int().positive(),
  block: z.int().nonnegative(),
  addresses: z.object({
    FlockToken: address,
    BlockhashBeacon: address,
    TaskRegistry: address,
    Staking: address,
    Rounds: address,
    ValidatorVoting: address,
    RewardDistributor: address,
  }),
});

/**
 * Reads a deployment from JSON: `{chainId, block, addresses: {FlockToken, ...}}`.
 * @throws PermanentError naming the file and each wrong field.
 */
export async function readDeployment(file: string): Promise<Deployment> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new PermanentError(`The deployment file ${file} cannot be read as JSON: ${(cause as Error).message}.`, {
      cause,
    });
  }
  const parsed = deploymentSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`);
  throw new PermanentError(`The deployment file ${file} is not a deployment: ${wrong.join("; ")}.`);
}
