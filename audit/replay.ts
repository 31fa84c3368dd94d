import type { Deployment } from "../protocol/deployment.ts";
import { replayEvents } from "../protocol/replay/apply.ts";
import { ReplayError, show } from "../protocol/replay/error.ts";
import type { FlockEvent } from "../protocol/replay/events.ts";
import type { State } from "../protocol/replay/state.ts";
import type { Difference } from "./difference.ts";

/** The state that events lead to, or the first of them that the rules do not allow. */
export function replay(
  deployment: Deployment,
  events: readonly FlockEvent[],
): { state: State } | { state: undefined; difference: Difference } {
  try {
    return { state: replayEvents(deployment, events) };
  } catch (error) {
    if (!(error instanceof ReplayError)) throw error;
    const where = `${error.event} in block ${error.block}, log ${error.logIndex}: ${error.what}`;
    return { state: undefined, difference: { where, expected: show(error.expected), found: show(error.found) } };
  }
}
