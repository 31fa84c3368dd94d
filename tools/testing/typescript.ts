import { run } from "node:test";
import type { EventData, TestEvent } from "./events.ts";
import { FileReport } from "./fileReport.ts";
import { noResults, type Results } from "./results.ts";

export type Options = {
  /** How many files at once, each in its own process. */
  concurrency: number;
  /** Print each test, not only each file. */
  verbose: boolean;
  signal: AbortSignal;
};

/** Runs test files on node:test and prints each as it ends. Counts what node:test reports, test by test. */
export async function runTypeScript(files: string[], { concurrency, verbose, signal }: Options): Promise<Results> {
  const results = noResults();
  if (files.length === 0 || signal.aborted) return results;
  const reports = new Map(files.map((file) => [file, new FileReport(file, verbose)]));
  const execArgv = ["--disable-warning=ExperimentalWarning"];
  const events = run({ files, concurrency, isolation: "process", execArgv, signal });

  for await (const event of events as AsyncIterable<TestEvent>) {
    const data = event.data as (EventData & { file?: string | undefined }) | undefined;
    const report = reports.get(data?.entryFile ?? data?.file ?? "");
    report?.take(event, results);
  }
  return results;
}
