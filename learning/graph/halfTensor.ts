import { Tensor } from "onnxruntime-node";

/**
 * A float16 tensor of these bits. ONNX Runtime's binding reads float16 from a Uint16Array only, but its Tensor shows a Float16Array wherever JavaScript has
 * one; so this one shows the bits.
 */
export function halfTensor(bits: Uint16Array, dims: readonly number[]): Tensor {
  const tensor = new Tensor("float16", bits, dims);
  Object.defineProperty(tensor, "data", { value: bits });
  return tensor;
}

/** A copy of a float16 tensor's bits. */
export function halfBits({ data }: Tensor): Uint16Array {
  const { buffer, byteOffset, length } = data as Uint16Array;
  return new Uint16Array(buffer, byteOffset, length).slice();
}
