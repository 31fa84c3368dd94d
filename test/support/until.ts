import { setTimeout as sleep } from "node:timers/promises";

/** Asks again and again until the answer is neither undefined nor false, and returns it. */
export async function until<T>(
  ask: () => T | Promise<T>,
  everyMs = 20,
): Promise<Exclude<Awaited<T>, undefined | false>> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<Awaited<T>, undefined | false>;
    await sleep(everyMs);
  }
}
