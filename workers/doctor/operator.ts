import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { OperatorConfig } from "../config.ts";
import { openFolder } from "../files.ts";
import { checkModel, readMaterials } from "../materials.ts";
import { openOperatorChain, openTask } from "../operator.ts";
import { checkRedis } from "../queue/redis.ts";
import { openResults } from "../results.ts";
import { attempt, type Check } from "./check.ts";

/** What a worker needs at its start: folders, key, queue, chain, and the model that the task's manifest names. Opens no key. */
export async function checkOperator(config: OperatorConfig): Promise<Check[]> {
  return [
    await checkWork(config),
    ...(await checkKeys(config)),
    await checkQueue(config),
    await checkModelFiles(config),
    await checkChain(config),
  ];
}

function checkWork({ work }: OperatorConfig): Promise<Check> {
  return attempt("work folder", async () => {
    await openFolder(work, { what: "work folder", setting: "work" });
    return { state: "ok", found: work };
  });
}

/** Whether others can read what is secret. */
export async function checkKeys({ key, secret }: Pick<OperatorConfig, "key" | "secret">): Promise<Check[]> {
  const files = "keystore" in key ? [key.keystore, key.passwordFile, secret] : [secret];
  const checks: Check[] = [];
  for (const file of files) {
    if (file === undefined) continue;
    checks.push(
      await attempt("key", async () => {
        const { mode } = await stat(file);
        const open = (mode & 0o077) !== 0;
        return {
          state: open ? "warning" : "ok",
          found: `${file}, mode ${(mode & 0o777).toString(8)}`,
          advice: open ? `Others on this machine can read it: chmod 600 ${file}` : undefined,
        };
      }),
    );
  }
  return checks;
}

function checkQueue({ queue: { url = process.env.REDIS_URL } }: OperatorConfig): Promise<Check> {
  return attempt("queue", async () => {
    if (url === undefined) return { state: "ok", found: "none named: the worker finds or starts one" };
    if (!/^(rediss?|unix):/.test(url)) return { state: "ok", found: "Postgres, which the worker asks when it starts" };
    await checkRedis(url);
    return { state: "ok", found: "Redis answers" };
  });
}

function checkModelFiles(config: OperatorConfig): Promise<Check> {
  return attempt("base model", async () => {
    const { manifest } = await readMaterials(config);
    await checkModel(manifest, config.model, openResults(join(config.work, "results")));
    return { state: "ok", found: `${manifest.base.name}, the manifest's ${manifest.base.files.length} files` };
  });
}

function checkChain(config: OperatorConfig): Promise<Check> {
  return attempt("chain", async () => {
    const chain = await openOperatorChain(config);
    const { materials } = await openTask(chain, config);
    return {
      state: "ok",
      found: `${chain.chainId} answers; task ${config.task} is of this manifest, ${materials.digest}`,
    };
  });
}
