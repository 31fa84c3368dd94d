import { InferenceSession } from "onnxruntime-node";
import { PermanentError } from "../../protocol/errors.ts";

export type Device = "cpu" | "cuda";

/**
 * Where the weights of a base lie that is whole in memory: copied into the order of the kernels, or as they are in the mapped files, which processes and
 * graphs share. The bits differ.
 */
export type Weights = "packed" | "mapped";

/** What computes, and with how much of it. */
export type Computing = {
  device: Device;
  /** Number of the GPU, where CUDA computes; 0 by default. */
  gpu?: number | undefined;
  /** Threads within an operator; the results do not depend on them. */
  threads: number;
  /** Whether waiting threads keep their cores; they sleep by default, for several workers may share a machine. */
  spinning?: boolean | undefined;
  /** Packed by default. */
  weights?: Weights | undefined;
};

export type SessionOptions = Computing & {
  /** Folder of the files that hold external tensors. */
  folder?: string | undefined;
  /**
   * External tensors stay in their files' memory, which processes share, instead of being widened or copied into the order of the kernels when the graph is
   * loaded; and what a run took is given back after it. Slower, and other bits.
   */
  mapped?: boolean | undefined;
  /**
   * Where weights are mapped: copies those in 4 bits into the order of the kernels all the same. Without it the runtime decodes each of them as a whole, one
   * after the other, which takes four times as long, and more memory than the copy.
   */
  packed?: boolean | undefined;
};

/**
 * Loads a serialised graph into ONNX Runtime.
 *
 * @throws PermanentError if CUDA is asked for and not there; there is no fall-back to the processor.
 */
export async function openSession(model: Uint8Array, options: SessionOptions): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model, {
      executionProviders: [providerOf(options)],
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      ...(options.mapped === true ? { enableCpuMemArena: false } : {}),
      extra: {
        ...(options.mapped === true ? { optimization: { disable_specified_optimizers: "ConstantFolding" } } : {}),
        session: {
          "intra_op.allow_spinning": options.spinning === true ? "1" : "0",
          ...(copies(options) ? {} : { disable_prepacking: "1" }),
          ...(options.folder === undefined ? {} : { model_external_initializers_file_folder_path: options.folder }),
        },
      },
    });
  } catch (cause) {
    if (options.device !== "cuda") throw cause;
    throw new PermanentError(
      "CUDA was asked for, but ONNX Runtime cannot use it here; run `npm run install:cuda` on a machine with an NVIDIA GPU or choose the cpu.",
      { cause },
    );
  }
}

/** Whether matrices are copied into the order of the kernels. */
function copies({ mapped = false, packed = false, weights = "packed" }: SessionOptions): boolean {
  return mapped ? packed : weights === "packed";
}

/** What the runtime is asked to compute with. */
export function providerOf({
  device,
  gpu = 0,
}: Pick<Computing, "device" | "gpu">): InferenceSession.ExecutionProviderConfig {
  return device === "cuda" ? { name: "cuda", deviceId: gpu } : "cpu";
}
