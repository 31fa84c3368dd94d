import { FlockError } from "../../protocol/errors.ts";
import { type Shape, sameShape, sizeOf } from "./shapes.ts";

/**
 * Bytes an element. float64 serves the checks of the derivatives; models run in float32; weights may be stored in 16 bits, or in 4: two of them a byte, the
 * first in its low half.
 */
export const DTYPE_BYTES = {
  ...{ float32: 4, float64: 8, float16: 2, bfloat16: 2 },
  ...{ int32: 4, int64: 8, uint8: 1, uint4: 0.5, bool: 1 },
} as const;
export type Dtype = keyof typeof DTYPE_BYTES;

/** A tensor in a graph: known by its name, its shape fixed. Compared by identity. */
export type Value = { readonly name: string; readonly dtype: Dtype; readonly shape: Shape };

/** A number is an integer attribute, `{ float }` a floating-point one, `{ dtype }` the format's number of an element type. */
export type Attribute = number | readonly number[] | string | { readonly float: number } | { readonly dtype: Dtype };

export type Node = {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
};

export type Constant = { readonly value: Value; readonly data: Uint8Array };

/** A tensor that stays in a file: the runtime maps `bytes` bytes from `offset` of `file`. */
export type External = {
  readonly value: Value;
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
};

/** How the gradient of an output becomes that of one of its inputs. */
export type Derivation = readonly [input: Value, derive: (gradient: Value) => Value];

type Output = { dtype?: Dtype | undefined; shape: Shape; attributes?: Record<string, Attribute> | undefined };

/**
 * A graph of ONNX operators under construction. Names count up, so the same calls give the same bytes. Operators are added by the
 * functions in `rules/`, which also put down how to differentiate them.
 */
export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs: Value[] = [];
  readonly constants: Constant[] = [];
  readonly externals: External[] = [];
  /** What `differentiate` walks backwards. */
  readonly tape: { readonly output: Value; readonly derivations: readonly Derivation[] }[] = [];

  readonly #tracked = new Set<Value>();
  readonly #shared = new Map<string, Value>();

  input(name: string, dtype: Dtype, shape: Shape): Value {
    const value = { name, dtype, shape };
    this.inputs.push(value);
    return value;
  }

  external(name: string, dtype: Dtype, shape: Shape, place: Omit<External, "value">): Value {
    const value = { name, dtype, shape };
    this.externals.push({ value, ...place });
    return value;
  }

  /** A tensor of numbers, written into the graph. Equal small constants are one. */
  constant(dtype: Dtype, shape: Shape, numbers: ArrayLike<number>): Value {
    if (numbers.length !== sizeOf(shape)) throw new FlockError(`${numbers.length} numbers do not fill [${shape}].`);
    const data = bytesOf(dtype, numbers);
    const key = data.length <= 256 ? `${dtype} [${shape}] ${data.toString("hex")}` : undefined;
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known !== undefined) return known;
    const value = { name: `constant_${this.constants.length}`, dtype, shape };
    this.constants.push({ value, data });
    if (key !== undefined) this.#shared.set(key, value);
    return value;
  }

  /** A scalar of the dtype of its partner. */
  scalar(number: number, { dtype }: { dtype: Dtype }): Value {
    return this.constant(dtype, [], [number]);
  }

  /** A vector of int64, the form in which operators take axes and shapes. */
  integers(numbers: readonly number[]): Value {
    return this.constant("int64", [numbers.length], numbers);
  }

  /** Adds an operator with one output, by default of its first input's dtype. */
  emit(op: string, inputs: readonly Value[], output: Output): Value {
    return this.emitAll(op, inputs, [output], output.attributes)[0] as Value;
  }

  /** Adds an operator with several outputs. */
  emitAll(
    op: string,
    inputs: readonly Value[],
    outputs: readonly Output[],
    attributes: Record<string, Attribute> = {},
  ): Value[] {
    const name = `${op}_${this.nodes.length}`;
    const values = outputs.map(({ dtype, shape }, i) => ({
      name: i === 0 ? name : `${name}_${i}`,
      dtype: dtype ?? inputs[0]?.dtype ?? "float32",
      shape: [...shape],
    }));
    this.nodes.push({ op, inputs, outputs: values, attributes });
    return values;
  }

  /** Marks a value by which the loss will be differentiated. */
  track(value: Value): void {
    this.#tracked.add(value);
  }

  /** Puts down how to differentiate an output; nothing if none of its inputs leads back to a tracked value. */
  derive(output: Value, ...derivations: Derivation[]): Value {
    const needed = derivations.filter(([input]) => this.#tracked.has(input));
    if (needed.length > 0) {
      this.#tracked.add(output);
      this.tape.push({ output, derivations: needed });
    }
    return output;
  }
}

/** Guards the rules against a gradient of the wrong shape, the commonest mistake in one. */
export function expectShape(value: Value, shape: Shape): Value {
  if (!sameShape(value.shape, shape)) throw new FlockError(`${value.name} is [${value.shape}], not [${shape}].`);
  return value;
}

function bytesOf(dtype: Dtype, numbers: ArrayLike<number>): Buffer {
  const array = typedArray(dtype, numbers);
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

function typedArray(dtype: Dtype, numbers: ArrayLike<number>): Exclude<NodeJS.TypedArray, Float16Array> {
  switch (dtype) {
    case "float32":
      return Float32Array.from(numbers);
    case "float64":
      return Float64Array.from(numbers);
    case "int32":
      return Int32Array.from(numbers);
    case "int64":
      return BigInt64Array.from(numbers, BigInt);
    case "uint8":
    case "bool":
      return Uint8Array.from(numbers);
    case "uint4":
      return Uint8Array.from({ length: numbers.length / 2 }, (_, i) => {
        return (numbers[2 * i] as number) | ((numbers[2 * i + 1] as number) << 4);
      });
    case "float16":
    case "bfloat16":
      throw new FlockError(`Constants in ${dtype} are not needed.`);
  }
}
