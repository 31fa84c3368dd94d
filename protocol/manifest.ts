import { createHash } from "node:crypto";
import type { Hex } from "viem";
import { z } from "zod";
import { PermanentError } from "./errors.ts";
import { findDuplicateKey, parseJson } from "./json.ts";

/** Largest manifest, in bytes of UTF-8: a manifest comes from a stranger and is read before anything is trusted. */
export const MAX_MANIFEST_BYTES = 64 * 1024;

/** The linear layers that an adapter may train, in their canonical order. */
export const targetNames = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;

const hex32 = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/, "must be 0x and 64 lower-case hex digits")
  .transform((value) => value as Hex);
const label = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$/, "must be 1 to 100 letters, digits, spaces, dots, dashes or underscores");
const domain = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, "must be 1 to 64 lower-case letters, digits, dashes or underscores");
const positive = z.number().positive();
const ratio = z.strictObject({ num: z.int().min(1).max(1_000_000), den: z.int().min(1).max(1_000_000) });

/** A relative path that stays inside its folder on every system: plain segments, none of them "." or "..". */
const safePath = z
  .string()
  .max(200)
  .refine(
    (path) => path.split("/").every((segment) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(segment)),
    "must be a relative path of letters, digits, dots, dashes and underscores, no part of it beginning with a dot",
  );

function unique(values: readonly string[]): boolean {
  return new Set(values.map((value) => value.toLowerCase())).size === values.length;
}

/** What is learned and how it is judged: the whole recipe of a task, frozen by its sha256 on chain. */
export const manifestSchema = z
  .strictObject({
    format: z.literal("flock.manifest.1"),
    name: label,
    base: z.strictObject({
      name: label,
      files: z
        .array(z.strictObject({ path: safePath, sha256: hex32, bytes: z.int().positive() }))
        .min(1)
        .refine((files) => unique(files.map((file) => file.path)), "must not name a path twice"),
    }),
    adapter: z.strictObject({
      rank: z.int().min(1).max(256),
      alpha: positive.max(65_536),
      targets: z.array(z.enum(targetNames)).min(1).refine(unique, "must not name a layer twice"),
      seed: hex32, // of the fixed factor A
      exponent: z.int().min(8).max(30), // the head is fixed point in units of 2^-exponent
      maxNorm: positive, // bound on the Frobenius norm of scale * B * A over all modules
    }),
    aggregation: z.strictObject({ cap: ratio, rate: ratio }),
    scoring: z.strictObject({
      unit: positive.max(1), // nats a token that one score unit stands for
      examples: z.int().min(1).max(1_000_000),
      perDomain: z.int().min(1).max(1_000_000), // at least so many of them from each domain
      confidence: z.number().min(0).max(10), // z of the one-sided bounds
      scan: z.strictObject({
        prompts: z.int().min(1).max(10_000),
        tokens: z.int().min(1).max(1_000_000),
        margin: positive, // nats by which a trigger must raise the loss
      }),
    }),
    domains: z.array(domain).min(1).max(256).refine(unique, "must not name a domain twice"),
    public: z.array(z.strictObject({ domain, sha256: hex32, rows: z.int().min(1) })).min(1),
    maxTokens: z.int().min(2).max(1_048_576),
  })
  .superRefine((manifest, context) => {
    const rule = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    const held = manifest.public.map((set) => set.domain);
    if (
      !unique(held) ||
      held.length !== manifest.domains.length ||
      held.some((name) => !manifest.domains.includes(name))
    ) {
      rule(["public"], "must name exactly one file for each of the domains");
    }
    const { examples, perDomain } = manifest.scoring;
    if (perDomain * manifest.domains.length > examples) {
      rule(
        ["scoring", "perDomain"],
        `must be at most examples / domains = ${Math.floor(examples / manifest.domains.length)}`,
      );
    }
  });
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * A manifest from its JSON text; `file` names where it is from, if anywhere.
 * @throws PermanentError if it is too long, not JSON, names a key twice or has a wrong field: one line for each.
 */
export function parseManifest(text: string, file?: string): Manifest {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_MANIFEST_BYTES) {
    throw new PermanentError(`The manifest has ${bytes} bytes, but at most ${MAX_MANIFEST_BYTES} are read.`);
  }
  const json = parseJson(text, { what: file === undefined ? "The manifest" : `The manifest ${file}` });
  const twice = findDuplicateKey(text);
  if (twice !== undefined)
    throw new PermanentError(`The manifest has the key ${JSON.stringify(twice)} twice in one object.`);
  const parsed = manifestSchema.safeParse(json, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new PermanentError(parsed.error.issues.map(sentence).join("\n"));
}

function sentence(issue: z.core.$ZodIssue): string {
  const field = issue.path.length === 0 ? "The manifest" : `Manifest field "${issue.path.join(".")}"`;
  if (issue.code === "unrecognized_keys") return `${field} has the unknown key ${JSON.stringify(issue.keys[0])}.`;
  const message = issue.message.replace(/^Invalid input: /, "");
  if (issue.code === "custom" || (typeof issue.input === "object" && issue.input !== null))
    return `${field}: ${message}.`;
  return `${field} is ${JSON.stringify(issue.input)?.slice(0, 60) ?? "absent"}: ${message}.`;
}

/** The one spelling of a manifest: JSON with sorted keys and no spaces (RFC 8785). */
export function canonicalManifest(manifest: Manifest): string {
  return JSON.stringify(manifest, (_, value: unknown) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** sha256 of the canonical manifest: on chain it names the task's recipe and, as `headId`, its all-zero first head. */
export function manifestDigest(manifest: Manifest): Hex {
  return `0x${createHash("sha256").update(canonicalManifest(manifest)).digest("hex")}`;
}
