import type { Graph, Value } from "../ir.ts";
import { mul } from "./mul.ts";
import { reshape } from "./reshape.ts";

/**
 * y [n] = -log softmax(logits)[label], in nats, for logits [n, v] and labels [n] (int32). dLogits = dy * (softmax(logits) - one-hot(label)).
 */
export function crossEntropy(graph: Graph, logits: Value, labels: Value): Value {
  const [n, v] = logits.shape as [number, number];
  const logs = graph.emit("LogSoftmax", [logits], { shape: [n, v], attributes: { axis: -1 } });
  const column = graph.emit("Reshape", [labels, graph.integers([n, 1])], { shape: [n, 1] });
  const picked = graph.emit("GatherElements", [logs, column], { shape: [n, 1], attributes: { axis: 1 } });
  const y = graph.emit("Neg", [graph.emit("Reshape", [picked, graph.integers([n])], { shape: [n] })], { shape: [n] });
  return graph.derive(y, [
    logits,
    (dy) => {
      const softmax = graph.emit("Exp", [logs], { shape: [n, v] });
      const minusOne = graph.emit("Expand", [graph.scalar(-1, logits), graph.integers([n, 1])], { shape: [n, 1] });
      // One label a row, so no two additions meet.
      const difference = graph.emit("ScatterElements", [softmax, column, minusOne], {
        shape: [n, v],
        attributes: { axis: 1, reduction: "add" },
      });
      return mul(graph, difference, reshape(graph, dy, [n, 1]));
    },
  ]);
}
