import type { Graph, Value } from "../ir.ts";
import { reduced } from "../shapes.ts";
import { mul } from "./mul.ts";
import { reduceMean } from "./reduceMean.ts";
import { sub } from "./sub.ts";
import { sumTo } from "./sumTo.ts";

/**
 * y = w * x / sqrt(mean(x^2) + epsilon) over the last axis (Zhang and Sennrich 2019), as the runtime's one fused operator, which also gives
 * r = 1 / sqrt(...). With n = x * r:  dx = r * (w * dy - n * mean(w * dy * n)),  dw = sum of dy * n over the rows.
 */
export function rmsNorm(graph: Graph, x: Value, weight: Value, epsilon: number): Value {
  const last = x.shape.length - 1;
  const [y, r] = graph.emitAll(
    "SimplifiedLayerNormalization",
    [x, weight],
    [{ shape: x.shape }, { shape: reduced(x.shape, [last]) }],
    { axis: -1, epsilon: { float: epsilon }, stash_type: 1 },
  ) as [Value, Value];
  const normalised = () => mul(graph, x, r);
  return graph.derive(
    y,
    [
      x,
      (dy) => {
        const n = normalised();
        const wdy = mul(graph, dy, weight);
        return mul(graph, sub(graph, wdy, mul(graph, n, reduceMean(graph, mul(graph, wdy, n), [last]))), r);
      },
    ],
    [weight, (dy) => sumTo(graph, mul(graph, dy, normalised()), weight.shape)],
  );
}
