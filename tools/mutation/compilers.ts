import { Worker } from "node:worker_threads";
import type { Output, Request } from "../solidity/compiler.ts";

type Job = { request: Request; resolve(output: Output): void; reject(error: Error): void };

/** Compilers in threads of their own, for one keeps its thread busy. */
export class Compilers {
  readonly #idle: Worker[] = [];
  readonly #all: Worker[] = [];
  readonly #waiting: Job[] = [];
  readonly #running = new Map<Worker, Job>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  compile(request: Request): Promise<Output> {
    const { promise, resolve, reject } = Promise.withResolvers<Output>();
    this.#waiting.push({ request, resolve, reject });
    this.#next();
    return promise;
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((worker) => worker.terminate()));
  }

  #next(): void {
    const job = this.#waiting[0];
    const worker = job === undefined ? undefined : (this.#idle.pop() ?? this.#start());
    if (job === undefined || worker === undefined) return;
    this.#waiting.shift();
    this.#running.set(worker, job);
    worker.postMessage(job.request);
  }

  #start(): Worker | undefined {
    if (this.#all.length === this.#most) return undefined;
    const worker = new Worker(new URL("../solidity/compilerThread.ts", import.meta.url));
    worker.on("message", (output: Output) => {
      this.#running.get(worker)?.resolve(output);
      this.#running.delete(worker);
      this.#idle.push(worker);
      this.#next();
    });
    worker.on("error", (error) => this.#running.get(worker)?.reject(error as Error));
    this.#all.push(worker);
    return worker;
  }
}
