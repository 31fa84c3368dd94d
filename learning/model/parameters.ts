import { splitFlat } from "../graph/flat.ts";
import type { Graph, Value } from "../graph/ir.ts";
import { cast } from "../graph/rules/cast.ts";
import { type AdapterSpec, adapterLayout, adapterScale, factorA, factorAToFloat } from "./adapter.ts";
import type { Checkpoint, StoredWeight } from "./checkpoint.ts";
import type { ModelConfig } from "./config.ts";
import type { LlamaParameters } from "./llama.ts";
import { weightShapes } from "./weights.ts";

/**
 * A frozen base, read by the runtime from its files, with an adapter whose factors B come from the flat vector. `trained` are those factors, in order.
 * Of a group of layers, the vector holds their factors only.
 */
export function adapterParameters(
  graph: Graph,
  checkpoint: Checkpoint,
  spec: AdapterSpec,
  flat: Value,
  group?: LayerGroup,
): LlamaParameters & { trained: Value[] } {
  const layout = adapterLayout(checkpoint.config, spec).filter(({ layer }) => inGroup(layer, group));
  const trained = splitFlat(
    graph,
    flat,
    layout.map(({ rows, columns }) => [rows, columns]),
  );
  const scale = adapterScale(spec);
  const factors = new Map(
    layout.map((tensor, i) => {
      const a = graph.constant("float32", [spec.rank, tensor.inputs], factorAToFloat(factorA(spec, tensor)));
      return [`${tensor.layer} ${tensor.target}`, { a, b: trained[i] as Value, scale }];
    }),
  );
  return {
    weight: frozenWeights(graph, checkpoint),
    adapter: (layer, target) => factors.get(`${layer} ${target}`),
    trained,
  };
}

/** The layers from `first` to before `end`. */
export type LayerGroup = { first: number; end: number };

function inGroup(layer: number, group: LayerGroup | undefined): boolean {
  return group === undefined || (layer >= group.first && layer < group.end);
}

/** A model all of whose weights come from the flat vector, in the order of `weightShapes`. */
export function fullParameters(graph: Graph, config: ModelConfig, flat: Value): LlamaParameters & { trained: Value[] } {
  const shapes = weightShapes(config);
  const trained = splitFlat(
    graph,
    flat,
    shapes.map(({ shape }) => shape),
  );
  const byName = new Map(shapes.map(({ name }, i) => [name, trained[i] as Value]));
  return { weight: (name) => byName.get(name) as Value, trained };
}

/** Weights as float32; those stored in 16 bits are widened, once a graph is loaded or each time it runs. */
export function frozenWeights(graph: Graph, { weights }: Checkpoint): (name: string) => Value {
  const values = new Map<string, Value>();
  return (name) => {
    const known = values.get(name);
    if (known !== undefined) return known;
    const value = widened(graph, storedTensor(graph, name, weights.get(name) as StoredWeight));
    values.set(name, value);
    return value;
  };
}

/** The rows from `first` to before `end` of a frozen matrix, as they are stored. */
export function frozenRows(
  graph: Graph,
  { weights }: Checkpoint,
  name: string,
  { first, end }: { first: number; end: number },
): Value {
  const { shape, offset, bytes, ...weight } = weights.get(name) as StoredWeight;
  const [rows, width] = shape as [number, number];
  const row = bytes / rows;
  const part = { ...weight, shape: [end - first, width], offset: offset + first * row, bytes: (end - first) * row };
  return storedTensor(graph, first === 0 && end === rows ? name : `${name}[${first}:${end}]`, part);
}

export function widened(graph: Graph, stored: Value): Value {
  return stored.dtype === "float32" ? stored : cast(graph, stored, "float32");
}

function storedTensor(graph: Graph, name: string, { dtype, shape, file, offset, bytes }: StoredWeight): Value {
  return graph.external(name, STORED_AS[dtype as keyof typeof STORED_AS], shape, { file, offset, bytes });
}

const STORED_AS = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;
