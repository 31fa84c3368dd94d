import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Address, getAddress, isAddress } from "viem";
import { z } from "zod";
import { ExitCode, PermanentError } from "../protocol/errors.ts";
import { parseJson } from "../protocol/json.ts";

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

const worthOfToken = "must be true, false, or what a token is worth in ETH";

/** One operator's configuration: every knob of a worker, with its default. */
export const configSchema = z.strictObject({
  // The chain
  rpcUrls: z.array(web).min(1, "must name at least one server"),
  chainId: z.int().positive(),
  deployment: path, // JSON file of the contracts' addresses
  task,

  // The operator
  operator: address,
  key, // its own, a signer's, or a delegator's
  secret: path.optional(), // a signer's: file with the operator's secret

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
      gpu: z // number of the GPU, or of several, the first free one of which is taken
        .union([z.int().min(0), z.array(z.int().min(0)).min(1)], {
          error: "must be the number of a GPU, or a list of them",
        })
        .default(0),
      threads: z.int().min(1).max(1024).default(1),
      spinning: z.boolean().default(false), // whether waiting threads keep their cores
      weights: z.enum(["packed", "mapped"]).default("packed"), // of the base: copied, or shared with other processes
      silence: seconds(900), // seconds without a sign of life before the child is stopped
      limit: seconds(6 * 3600), // longest one piece of work may take, in seconds
      memory: z.int().positive().optional(), // MiB of resident memory before the child is stopped
    })
    .prefault({}),
  training: z
    .strictObject({
      steps: z.int().min(1).default(40),
      batch: z.int().min(1).default(32), // examples a batch
      accumulate: z.int().min(1).default(1), // batches a step, whose gradients are summed
      packing: z.boolean().default(false), // whether the examples of a batch share rows
      learningRate: z.number().positive().default(2e-3),
      warmup: z.int().min(0).default(0), // steps over which the rate rises
      decay: z.enum(["constant", "cosine"]).default("constant"), // of the rate afterwards
      weightDecay: z.number().min(0).default(0),
      clipNorm: z.number().positive().optional(), // longest gradient
      every: z.int().min(1).default(50), // steps between two saved states and two looks at what is held out
      heldOut: z.int().min(0).default(0), // examples of each domain that are not trained on
      patience: z.int().min(1).default(3), // looks in a row that find nothing better and end the training
      errorFeedback: z.boolean().default(false), // whether what rounding takes from an update is added to a later one
    })
    .prefault({}),
  pollSeconds: seconds(5), // between two looks at the chain
  stagger: z.number().min(0).default(30), // seconds over which operators spread what any of them may do
  accuse: z // absent voters: the ETH that a token is worth, to weigh bounties against gas; or always, or never
    .union([z.boolean(), z.number().positive(worthOfToken)], { error: worthOfToken })
    .default(false),
});

/** What verbs that only read the chain or sign need of a configuration; a delegator's has no more. */
export const accountSchema = configSchema.partial({ manifest: true, model: true, data: true });

/** A configuration as read: paths are absolute, the task is a bigint, defaults are filled in. */
export type OperatorConfig = z.output<typeof configSchema>;
export type AccountConfig = z.output<typeof accountSchema>;

/**
 * Reads an operator's configuration; relative paths are relative to the file.
 * @throws PermanentError (usage) with one sentence (one line) for each wrong field.
 */
export async function readConfig(file: string): Promise<OperatorConfig> {
  const config = await read(file, configSchema);
  const at = (relative: string) => resolve(dirname(resolve(file)), relative);
  const atIf = (relative: string | undefined) => (relative === undefined ? undefined : at(relative));
  const { data } = config;
  return {
    ...config,
    ...placesOf(config, at),
    manifest: at(config.manifest),
    model: at(config.model),
    data: { public: at(data.public), train: atIf(data.train), private: atIf(data.private) },
  };
}

/** The same for a verb that needs no model and no data, which may be left out. */
export async function readAccountConfig(file: string): Promise<AccountConfig> {
  const config = await read(file, accountSchema);
  return { ...config, ...placesOf(config, (relative) => resolve(dirname(resolve(file)), relative)) };
}

async function read<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  const exitCode = ExitCode.usage;
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new PermanentError(`The configuration ${file} cannot be read: ${(cause as Error).message}.`, {
      cause,
      exitCode,
    });
  }
  const parsed = schema.safeParse(parseJson(text, { what: `The configuration ${file}`, exitCode }));
  if (!parsed.success) {
    const sentences = parsed.error.issues.map((issue) => sentence(file, issue));
    throw new PermanentError(sentences.join("\n"), { exitCode: ExitCode.usage });
  }
  return parsed.data;
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

/** The files and folders that every configuration names, or leaves at their defaults. */
function placesOf({ deployment, work, key, secret, store, compute }: AccountConfig, at: (relative: string) => string) {
  const atIf = (relative: string | undefined) => (relative === undefined ? undefined : at(relative));
  return {
    deployment: at(deployment),
    work: at(work),
    key: "keystore" in key ? { keystore: at(key.keystore), passwordFile: atIf(key.passwordFile) } : key,
    secret: atIf(secret),
    store: { ...store, dir: at(store.dir) },
    compute: { ...compute, program: atIf(compute.program) },
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
