import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "./files.ts";

/** What a result follows from: plain facts, so that the same work has the same inputs on every start. */
export type Inputs = { kind: string } & Record<string, string | number>;

export type Results = {
  /** The kept result of these inputs, if there is one that the schema accepts. */
  get<T>(inputs: Inputs, schema: z.ZodType<T>): Promise<T | undefined>;
  put(inputs: Inputs, result: unknown): Promise<void>;
};

const keptSchema = z.object({ result: z.unknown() });

/** Finished work, kept by the hash of its inputs, one file each: what was done once is found, not done again. */
export function openResults(dir: string): Results {
  return {
    async get(inputs, schema) {
      let text: string;
      try {
        text = await readFile(fileOf(dir, inputs), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
      const kept = keptSchema.safeParse(parseOrNothing(text));
      const result = schema.safeParse(kept.data?.result);
      return result.success ? result.data : undefined;
    },
    put: (inputs, result) => writeFileAtomic(fileOf(dir, inputs), `${JSON.stringify({ inputs, result }, null, 2)}\n`),
  };
}

function fileOf(dir: string, inputs: Inputs): string {
  const canonical = JSON.stringify(Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1)));
  return join(dir, `${createHash("sha256").update(canonical).digest("hex")}.json`);
}

/** A file that a stranger's hand broke counts as none: the work is done again. */
function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
