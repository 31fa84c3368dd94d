import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import json5 from "json5";
import { isAddress, zeroAddress } from "viem";
import { z } from "zod";
import { PermanentError } from "../../protocol/errors.ts";

const address = z
  .string({ error: "must be an address in quotes" })
  .refine((value) => isAddress(value), "must be an address: 0x and 40 hex digits, with a right checksum if it has one")
  .refine((value) => value !== zeroAddress, "must not be the zero address");

/** Parameters of a deployment, by module; ignition/parameters has one file a network. */
const parametersSchema = z.strictObject({
  FlockToken: z.strictObject({ holder: address.optional() }).optional(),
  NamedToken: z.strictObject({ address }).optional(),
});
export type Parameters = z.infer<typeof parametersSchema>;

/**
 * Parameters from the text of a JSON5 file; `where` names it.
 * @throws PermanentError with one line for each wrong field.
 */
export function parseParameters(text: string, where: string): Parameters {
  let json: unknown;
  try {
    json = json5.parse(text);
  } catch (cause) {
    throw new PermanentError(`The parameters ${where} are not JSON5: ${(cause as Error).message}.`, { cause });
  }
  const parsed = parametersSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const path = issue.path.join(".");
    if (issue.code === "unrecognized_keys") {
      const known = path === "" ? "modules with parameters are FlockToken and NamedToken" : "see ignition/parameters";
      return `${where}: there is no parameter ${[...issue.path, issue.keys[0]].join(".")}; ${known}.`;
    }
    return `${where}: ${path || "the whole"} ${issue.message}.`;
  });
  throw new PermanentError(lines.join("\n"));
}

/** The parameters in a file. */
export async function readParameters(file: string): Promise<Parameters> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new PermanentError(`The parameters ${file} cannot be read: ${(cause as Error).message}.`, { cause });
  }
  return parseParameters(text, file);
}

/** The file of the network in use, if it has one. */
export function ownParameters(hre: HardhatRuntimeEnvironment): string | undefined {
  const { network } = hre.globalOptions;
  if (network === undefined) return undefined;
  const file = join(hre.config.paths.ignition, "parameters", `${network}.json5`);
  return existsSync(file) ? file : undefined;
}
