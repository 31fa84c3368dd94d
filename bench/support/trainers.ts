import { execFile } from "node:child_process";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The same training for both: an adapter on all linear layers, sequences of one length, AdamW. */
export type TrainTask = {
  folder: string;
  batch: number;
  length: number;
  rank: number;
  /** Counted, after `warm` others. */
  steps: number;
  warm: number;
  threads: number;
};

/** The mean of the counted steps, and the most memory that the process ever held. */
export type Run = { secondsPerStep: number; peakBytes: number };

/** A Python with PyTorch. */
export type Torch = { python: string; version: string; environment: Record<string, string> };

const run = promisify(execFile);
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Trains in a process of its own. */
export async function trainHere(task: TrainTask): Promise<Run> {
  const { stdout } = await run(process.execPath, [here("trainProgram.ts"), JSON.stringify(task)]);
  return JSON.parse(stdout) as Run;
}

export async function trainWithTorch({ python, environment }: Torch, task: TrainTask): Promise<Run> {
  const { stdout } = await run(python, [here("train_torch.py"), JSON.stringify(task)], {
    env: { ...process.env, ...environment },
  });
  return JSON.parse(stdout) as Run;
}

/**
 * Looks for PyTorch, and gives it the best kernels that the processor has: Debian's OpenBLAS does not choose AVX-512 by itself on every one.
 * Nothing if there is none.
 */
export async function findTorch(threads: number): Promise<Torch | undefined> {
  const ask = "import torch; print(torch.__version__)";
  for (const python of ["/usr/bin/python3", "python3"]) {
    try {
      const { stdout } = await run(python, ["-c", ask]);
      const environment: Record<string, string> = { OMP_NUM_THREADS: String(threads) };
      const [wide, openblas] = [await hasAvx512(), await hasOpenBlas()];
      if (wide) environment.OPENBLAS_CORETYPE = "SKYLAKEX";
      const blas = openblas ? `OpenBLAS${wide ? ", AVX-512" : ""}` : "no OpenBLAS: install libopenblas0-openmp";
      return { python, version: `${stdout.trim()} (${blas})`, environment };
    } catch {
      // not this one
    }
  }
  return undefined;
}

async function hasAvx512(): Promise<boolean> {
  return readFile("/proc/cpuinfo", "utf8").then(
    (text) => /\bavx512f\b/.test(text),
    () => false,
  );
}

async function hasOpenBlas(): Promise<boolean> {
  const folder = "/usr/lib/x86_64-linux-gnu/openblas-openmp";
  return access(join(folder, "libblas.so.3")).then(
    () => true,
    () => false,
  );
}
