import { createPostgresBackend, type QueueBaseOptions } from "bullmq";
import { PatientRedis } from "./patientRedis.ts";
import type { QueueConnection } from "./types.ts";

/** Postgres connections of each queue, worker or listener, besides the one that listens. */
const POOL_SIZE = 2;

/** What BullMQ's classes take as connection and as backend; `close` ends what they share. */
export type Endpoint = {
  options: QueueBaseOptions;
  factory: undefined;
  close(): Promise<void>;
};

/**
 * Opens the way to the queue server. The Redis client is shared by all queues of the process (BullMQ duplicates it where it must
 * block) and waits through an outage; on Postgres every class keeps its own small pool.
 */
export function openEndpoint(connection: QueueConnection, onError: (error: Error) => void): Endpoint {
  if ("postgres" in connection) {
    // BullMQ types its classes by backend; we use only what both have, so the Redis types stand for both.
    return {
      options: { connection: { connectionString: connection.postgres, max: POOL_SIZE } },
      factory: createPostgresBackend as unknown as undefined,
      close: async () => {},
    };
  }
  const client = new PatientRedis(connection.redis.replace(/^unix:\/\//, ""), {
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(100 * times, 2_000),
  });
  client.on("error", onError);
  return {
    options: { connection: client },
    factory: undefined,
    close: async () => client.disconnect(),
  };
}
