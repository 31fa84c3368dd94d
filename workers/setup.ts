import { createHash } from "node:crypto";
import type { Hex } from "viem";
import type { OperatorConfig } from "./config.ts";
import { sha256OfFolder } from "./files.ts";

/** Digest of the data and settings that training and validation would use now: whoever mends them gets another job. */
export async function setupOf({
  data,
  training,
  compute,
}: Pick<OperatorConfig, "data" | "training" | "compute">): Promise<Hex> {
  const digests = await Promise.all([data.public, data.train, data.private].map(digestOf));
  return `0x${createHash("sha256")
    .update(JSON.stringify([digests, training, compute]))
    .digest("hex")}`;
}

async function digestOf(folder: string | undefined): Promise<string> {
  return folder === undefined ? "none" : sha256OfFolder(folder, ".jsonl").catch(() => "absent");
}
