/**
 * A worker process to be killed: `node queueWorker.ts CONNECTION NAMESPACE FILE`. It takes one job, says so in the file, and
 * never finishes it.
 */
import { appendFileSync } from "node:fs";
import { connectQueue } from "../../workers/queue/connect.ts";

const [connection, namespace, file] = process.argv.slice(2) as [string, string, string];

connectQueue(JSON.parse(connection), { namespace }).worker(
  "duties",
  async (job) => {
    appendFileSync(file, `${job.id}\n`);
    return new Promise(() => {});
  },
  { lockDurationMs: 2_000, stalledIntervalMs: 1_000 },
);
