import type { InferenceSession } from "onnxruntime-node";
import type { Graph, Value } from "../graph/ir.ts";
import { serialize } from "../graph/serialize.ts";
import { openSession, type SessionOptions } from "../graph/session.ts";

/** A graph and what it gives, in order. */
export type Part = { graph: Graph; outputs: readonly Value[] };

/** Loaded graphs, of which those that come first stay, as long as they are small together; the others are given back after each use. */
export type Sessions = {
  use<T>(key: string, build: () => Part, run: (session: InferenceSession) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

/** Bytes of the graphs that stay, with their weights, where nobody says how many may: a small model is loaded once, and a large one never as a whole. */
export const STAYING = 1 << 30;

export function openSessions(options: Omit<SessionOptions, "mapped" | "packed">, staying = STAYING): Sessions {
  const kept = new Map<string, InferenceSession>();
  let bytes = 0;
  return {
    async use(key, build, run) {
      const known = kept.get(key);
      if (known !== undefined) return run(known);
      const { graph, outputs } = build();
      const model = serialize(graph, outputs);
      const size = graph.externals.reduce((sum, external) => sum + external.bytes, model.length);
      const packed = graph.nodes.some(({ op }) => op === "MatMulNBits");
      const session = await openSession(model, { ...options, mapped: true, packed });
      if (bytes + size <= staying) {
        bytes += size;
        kept.set(key, session);
        return run(session);
      }
      try {
        return await run(session);
      } finally {
        await session.release();
      }
    },
    async close() {
      for (const session of kept.values()) await session.release();
      kept.clear();
    },
  };
}
