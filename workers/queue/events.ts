import { QueueEvents } from "bullmq";
import type { Endpoint } from "./endpoint.ts";
import { fromFailedReason } from "./failures.ts";
import { revive } from "./revive.ts";
import type { JobEvent, JobEvents, Json } from "./types.ts";

export type EventsParameters = { name: string; onError: (error: Error) => void };

/** Our face of one queue's events, from whichever process they come. */
export function jobEvents(endpoint: Endpoint, { name, onError }: EventsParameters): JobEvents {
  const listeners = new Set<(event: JobEvent) => void>();
  const tell = (event: JobEvent) => {
    for (const listener of listeners) listener(event);
  };
  const make = () => {
    const events = new QueueEvents(name, endpoint.options, endpoint.factory);
    events.on("error", onError);
    events.on("completed", ({ jobId, returnvalue }) =>
      tell({ event: "completed", id: jobId, value: returnvalue as unknown as Json }),
    );
    events.on("failed", ({ jobId, failedReason }) =>
      tell({ event: "failed", id: jobId, ...fromFailedReason(failedReason) }),
    );
    events.on("progress", ({ jobId, data }) => tell({ event: "progress", id: jobId, value: data as Json }));
    return events;
  };
  const events = revive(make);

  return {
    ready: () => events.ready,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => events.close(),
  };
}
