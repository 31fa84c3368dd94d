import type { InferenceSession, Tensor } from "onnxruntime-node";

/** The numbers of one output of a run. */
export function numbersOf(results: InferenceSession.ReturnType, name: string): number[] {
  return Array.from((results[name] as Tensor).data as Float32Array);
}
