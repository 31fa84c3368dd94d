import { splitFlat } from "../graph/flat.ts";
import { BLOCK } from "../graph/fourBit.ts";
import type { Graph, Value } from "../graph/ir.ts";
import { cast } from "../graph/rules/cast.ts";
import type { QuantisedMatrix } from "../graph/rules/quantisedGemm.ts";
import { type AdapterSpec, adapterLayout, adapterScale, factorA, factorAToFloat } from "./adapter.ts";
import type { Checkpoint, StoredWeight } from "./checkpoint.ts";
import type { ModelConfig } from "./config.ts";
import type { LlamaParameters } from "./llama.ts";
import { scalesName, weightShapes } from "./weights.ts";

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
    quantised: quantisedWeights(graph, checkpoint),
    adapter: (layer, target) => factors.get(`${layer} ${target}`),
    trained,
  };
}

/** The layers from `first` to before `end`. */
export type LayerGroup = { first: number; end: number };

function inGroup(layer: number, group: LayerGroup | undefined): boolean {
  return group === undefined || (layer >= group.first && layer < group.end);
}

/** What decides the parameters of `adapterParameters` in a graph: the shape of the model, where its weights lie, and the adapter. */
export function baseFacts({ config, weights }: Checkpoint, spec: AdapterSpec): object {
  return { config, weights: [...weights], spec };
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
  return once((name) => widened(graph, storedTensor(graph, name, weights.get(name) as StoredWeight)));
}

/** The linear layers that are stored in 4 bits, and stay it. */
function quantisedWeights(graph: Graph, { weights }: Checkpoint): (name: string) => QuantisedMatrix | undefined {
  return once((name) => {
    const weight = weights.get(name) as StoredWeight;
    if (weight.scales === undefined) return undefined;
    const { shape, file, offset, bytes } = weight;
    const [rows, blocks] = weight.scales.shape as [number, number];
    const place = { file, offset, bytes };
    return {
      bytes: graph.external(name, "uint8", shape, place),
      codes: once(() => graph.external(`${name}.codes`, "uint4", [rows, blocks * BLOCK], place)),
      scales: widened(graph, storedTensor(graph, scalesName(name), weight.scales)),
    };
  });
}

/** Makes each thing once. */
function once<A extends string[], T>(make: (...name: A) => T): (...name: A) => T {
  const made = new Map<string | undefined, T>();
  return (...name) => {
    if (!made.has(name[0])) made.set(name[0], make(...name));
    return made.get(name[0]) as T;
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
