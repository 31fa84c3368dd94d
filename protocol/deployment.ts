import { type Address, getAddress, isAddress } from "viem";
import { z } from "zod";
import { PermanentError } from "./errors.ts";
import { parseJson } from "./json.ts";

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
 * A deployment from its JSON text: `{chainId, block, addresses: {FlockToken, ...}}`; `where` names its source.
 * @throws PermanentError naming the source and each wrong field.
 */
export function parseDeployment(text: string, where: string): Deployment {
  const parsed = deploymentSchema.safeParse(parseJson(text, { what: `The deployment in ${where}` }));
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join(".") || "the whole"}: ${issue.message}`);
  throw new PermanentError(`The deployment in ${where} is wrong: ${wrong.join("; ")}.`);
}
