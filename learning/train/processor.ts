import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";

/** The processor of this machine. Kernels are chosen by its vector instructions, so results are the same bits only on processors that have the same. */
export type Processor = {
  model: string;
  /** The widest vector instructions that ONNX Runtime's kernels know; elsewhere than on x86, the architecture. */
  vectors: "AVX-512" | "AVX2" | "none" | string;
  /** That this process may use. */
  cores: number;
};

export function readProcessor(): Processor {
  const model = cpus()[0]?.model.trim() || process.arch;
  return { model, vectors: vectorsOf(flags()), cores: availableParallelism() };
}

function vectorsOf(flags: ReadonlySet<string> | undefined): Processor["vectors"] {
  if (flags === undefined) return process.arch;
  if (flags.has("avx512f")) return "AVX-512";
  return flags.has("avx2") ? "AVX2" : "none";
}

/** What the first core can do, as Linux lists it on x86; undefined elsewhere. */
function flags(): Set<string> | undefined {
  try {
    const line = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1];
    return line === undefined ? undefined : new Set(line.trim().split(/\s+/));
  } catch {
    return undefined;
  }
}
