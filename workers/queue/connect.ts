import { Queue } from "bullmq";
import type { Logger } from "pino";
import { openEndpoint } from "./endpoint.ts";
import { jobEvents } from "./events.ts";
import { ATTEMPTS } from "./failures.ts";
import { jobQueue } from "./queue.ts";
import { type Revived, revive } from "./revive.ts";
import type { QueueConnection, QueueLink } from "./types.ts";
import { jobWorker } from "./worker.ts";

/** Finished jobs are kept for a week: longer than most rounds, so that a duty done is seldom done again. */
const KEEP = { age: 7 * 24 * 3600 };

export type ConnectParameters = {
  /** Begins every queue's name and keeps operators apart; see `queueNamespace`. */
  namespace: string;
  log?: Logger | undefined;
};

/** Connects this process to the queue server. */
export function connectQueue(connection: QueueConnection, { namespace, log }: ConnectParameters): QueueLink {
  const onError = (error: Error) => log?.warn({ reason: error.message }, "the queue server does not answer");
  const endpoint = openEndpoint(connection, onError);
  const queues = new Map<string, Revived<Queue>>();
  const open: { close(): Promise<void> }[] = [];
  const openQueue = (name: string) => {
    const queue = new Queue(
      `${namespace}-${name}`,
      {
        ...endpoint.options,
        defaultJobOptions: {
          attempts: ATTEMPTS,
          backoff: { type: "capped" },
          removeOnComplete: KEEP,
          removeOnFail: KEEP,
        },
      },
      endpoint.factory,
    );
    queue.on("error", onError);
    return queue;
  };

  return {
    queue(name) {
      let queue = queues.get(name);
      if (queue === undefined) {
        queue = revive(() => openQueue(name));
        queues.set(name, queue);
        open.push(queue);
      }
      return jobQueue(queue.current);
    },
    worker(name, processor, options = {}) {
      const worker = jobWorker(endpoint, { name: `${namespace}-${name}`, processor, options, onError });
      open.push(worker);
      return worker;
    },
    events(name) {
      const events = jobEvents(endpoint, { name: `${namespace}-${name}`, onError });
      open.push(events);
      return events;
    },
    async close() {
      // The last opened first: a worker needs its queue to say what it has done.
      for (const member of open.splice(0).reverse()) await member.close();
      await endpoint.close();
    },
  };
}
