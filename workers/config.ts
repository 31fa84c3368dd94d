import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Address, getAddress, isAddress } from "viem";
import { z } from "zod";
import { ExitCode, PermanentError } from "../protocol/errors.ts";

/** What one worker process may do; a process without a list does all of them. */
export const roleNames = ["scheduler", "trainer", "validator", "sender"] as const;
export type RoleName = (typeof roleNames)[number];

const path = z.string().min(1, "must name a file or a folder");
const seconds = (fallback: number) => z.number().positive().default(fallback);
const web = z.url({ protocol: /^https?$/, error: "must be a URL that begins with http:// or https://" });

const address = z
  .custom<string>((value) => typeof value === "string" && isAddress(value, { strict: false }), {
    error: "must be an address: 0x and 40 hex digits",
  })
  .transform((value): Address => getAddress(value.toLowerCase()));

const task = z
  .union([z.int().positive(), z.string().regex(/^[1-9][0-9]{0,18}$/)], { error: "must be the number of a task" })
  .transform(BigInt);

const key = z.union(
  [
    z.strictObject({ keystore: path, passwordFile: path.optional() }),
    z.strictObject({ env: z.string().regex(/^[A-Za-z_]\w*$/) }),
  ],
  { error: 'must be {"keystore": FILE, "passwordFile": FILE} or {"env": NAME}; a key itself never stands here' },
);

/** One operator's configuration: every knob of a worker, with its default. */
export const configSchema = z.strictObject({
  // The chain
  rpcUrls: z.array(web).min(1, "must name at least one server"),
  chainId: z.int().positive(),
  deployment: path, // JSON file of the contracts' addresses
  task,

  // The operator
  operator: address,
  key,

  // What is learned, from what
  manifest: path,
  model: path, // folder of the base model
  data: z.strictObject({
    public: path, // folder of the held-out sets that the manifest names
    train: path.optional(), // a trainer's own examples
    private: path.optional(), // a validator's own held-out examples
  }),

  // What it keeps and serves
  work: path.default("work"), // outbox, results, heads, logs
  store: z
    .strictObject({
      dir: path.default("store"), // artifacts by digest
      host: z.string().min(1).default("127.0.0.1"), // address to serve from
      port: z.int().min(0).max(65_535).default(0), // 0: any free one
      url: web.optional(), // how others reach it, when not http://host:port
      allowLoopback: z.boolean().default(false), // fetch from this machine too: local networks only
      patience: z.number().positive().optional(), // most seconds to keep asking for an artifact; none: half of the phase
    })
    .prefault({}),

  // How it works
  queue: z.strictObject({ url: z.string().min(1).optional() }).prefault({}), // a Redis server; else found or embedded
  compute: z
    .strictObject({
      program: path.optional(), // another program that speaks the compute protocol
      device: z.enum(["cpu", "cuda"]).default("cpu"),
      threads: z.int().min(1).max(1024).default(1),
      silence: seconds(900), // seconds without a sign of life before the child is stopped
      limit: seconds(6 * 3600), // longest one piece of work may take, in seconds
      memory: z.int().positive().optional(), // MiB of resident memory before the child is stopped
    })
    .prefault({}),
  training: z
    .strictObject({
      steps: z.int().min(1).default(40),
      batch: z.int().min(1).default(32), // examples a step
      learningRate: z.number().positive().default(2e-3),
      warmup: z.int().min(0).default(0), // steps over which the rate rises
      decay: z.enum(["constant", "cosine"]).default("constant"), // of the rate afterwards
      weightDecay: z.number().min(0).default(0),
    })
    .prefault({}),
  pollSeconds: seconds(5), // between two looks at the chain
  stagger: z.number().min(0).default(30), // seconds over which operators spread what any of them may do
});

/** A configuration as read: paths are absolute, the task is a bigint, defaults are filled in. */
export type OperatorConfig = z.output<typeof configSchema>;

/**
 * Reads an operator's configuration; relative paths are relative to the file.
 * @throws PermanentError (usage) with one sentence (one line) for each wrong field.
 */
export async function readConfig(file: string): Promise<OperatorConfig> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new PermanentError(`The configuration ${file} cannot be read as JSON: ${reason}.`, {
      cause,
      exitCode: ExitCode.usage,
    });
  }
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const sentences = parsed.error.issues.map((issue) => sentence(file, issue));
    throw new PermanentError(sentences.join("\n"), { exitCode: ExitCode.usage });
  }
  return withAbsolutePaths(parsed.data, dirname(resolve(file)));
}

function sentence(file: string, issue: z.core.$ZodIssue): string {
  const field = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const at = field === "" ? "" : ` in "${field}"`;
    return `The configuration ${file} has the unknown key "${issue.keys[0]}"${at}.`;
  }
  const message = issue.message.replace(/^Invalid input: /, "").replace(/^Too (small|big): /, "");
  return `The configuration ${file} is wrong at "${field || "the top"}": ${message}.`;
}

function withAbsolutePaths(config: OperatorConfig, folder: string): OperatorConfig {
  const at = (relative: string) => resolve(folder, relative);
  const atIf = (relative: string | undefined) => (relative === undefined ? undefined : at(relative));
  return {
    ...config,
    deployment: at(config.deployment),
    manifest: at(config.manifest),
    model: at(config.model),
    work: at(config.work),
    key:
      "keystore" in config.key
        ? { keystore: at(config.key.keystore), passwordFile: atIf(config.key.passwordFile) }
        : config.key,
    data: {
      public: at(config.data.public),
      train: atIf(config.data.train),
      private: atIf(config.data.private),
    },
    store: { ...config.store, dir: at(config.store.dir) },
    compute: { ...config.compute, program: atIf(config.compute.program) },
  };
}

/**
 * The roles named by a comma-separated list.
 * @throws PermanentError (usage) on a name that is no role.
 */
export function parseRoles(list: string): RoleName[] {
  const names = list.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !roleNames.some((role) => role === name));
  if (wrong !== undefined) {
    throw new PermanentError(`There is no role "${wrong}"; the roles are ${roleNames.join(", ")}.`, {
      exitCode: ExitCode.usage,
    });
  }
  return roleNames.filter((role) => names.includes(role));
}
