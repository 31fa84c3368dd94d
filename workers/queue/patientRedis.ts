import { Redis, type RedisOptions } from "ioredis";

/**
 * A Redis client that waits through an outage, and can be closed during one: ioredis 6 does not tell its end, nor that of its
 * waiting commands, when it is disconnected while it waits to reconnect, and who waits for them would wait for ever.
 */
export class PatientRedis extends Redis {
  override disconnect(reconnect = false): void {
    const waits = this.status === "reconnecting";
    super.disconnect(reconnect);
    if (!waits || reconnect) return;
    const { setStatus, flushQueue } = this as unknown as Internals;
    setStatus.call(this, "end");
    flushQueue.call(this, new Error("Connection is closed."));
  }

  /** BullMQ duplicates the client for the commands that block. */
  override duplicate: Redis["duplicate"] = (override) => {
    const { replyMapping: _, ...options }: RedisOptions = { ...this.options, ...override };
    return new PatientRedis(options) as never;
  };
}

type Internals = { setStatus(status: "end"): void; flushQueue(error: Error): void };
