import type { InferenceSession } from "onnxruntime-node";

/** Loaded graphs by name, one in use at a time: those used last stay, the others are given back. */
export type LoadedGraphs = {
  /** The graph of that name, opened if it is not loaded. It may be given back when another one is asked for. */
  get(key: string, open: () => Promise<InferenceSession>): Promise<InferenceSession>;
  close(): Promise<void>;
};

/** Each loaded graph has its own copy of the weights in the order of its kernels, so `most` decides the memory. */
export function loadedGraphs(most: number): LoadedGraphs {
  const sessions = new Map<string, Promise<InferenceSession>>(); // the one that was used last comes last
  const giveBack = async (key: string): Promise<void> => {
    const session = sessions.get(key);
    sessions.delete(key);
    await session?.then((s) => s.release());
  };
  return {
    async get(key, open) {
      const known = sessions.get(key);
      if (known === undefined) {
        for (const oldest of [...sessions.keys()].slice(0, Math.max(0, sessions.size + 1 - most))) {
          await giveBack(oldest);
        }
      }
      const session = known ?? open();
      sessions.delete(key);
      sessions.set(key, session);
      session.catch(() => sessions.delete(key));
      return session;
    },
    async close() {
      for (const key of [...sessions.keys()]) await giveBack(key);
    },
  };
}
