import { inspect } from "node:util";
import type { EventData, TestEvent } from "./events.ts";
import { type Results, shortPath } from "./results.ts";

/** Lines of a failing file's own output that are shown. */
const OUTPUT_LINES = 200;

/** Follows one test file and prints a line when it ends; its failures in full, with what it wrote. */
export class FileReport {
  private readonly file: string;
  private readonly verbose: boolean;
  private readonly names: string[] = []; // of the open tests, outermost first
  private readonly failures: string[] = [];
  private output = "";
  private passed = 0;
  private skipped = 0;

  constructor(file: string, verbose: boolean) {
    this.file = file;
    this.verbose = verbose;
  }

  take({ type, data }: TestEvent, results: Results): void {
    if (type === "test:start") this.names[data.nesting] = data.name;
    else if (type === "test:stdout" || type === "test:stderr") this.output += data.message;
    else if (type === "test:pass" || type === "test:fail") this.count(type === "test:pass", data, results);
    else if (type === "test:summary") this.print(data.duration_ms);
  }

  private count(passed: boolean, data: EventData, results: Results): void {
    const name = [...this.names.slice(0, data.nesting), data.name].join(" > ");
    // A file with an end of its own in the events has none in its tests: it broke, or it holds no test.
    const isFile = data.name === this.file;
    if (isFile && passed) {
      this.fail(shortPath(this.file), "The file holds no test.", results, isFile);
      return;
    }
    const reason = data.skip ?? (data.todo === undefined ? undefined : `to do: ${data.todo}`);
    if (reason !== undefined && reason !== false) {
      results.skips.push({ file: this.file, name, reason: typeof reason === "string" ? reason : "no reason given" });
      this.skipped++;
      if (this.verbose) console.log(`  skip ${name} (${reason})`);
    } else if (!passed) {
      const { error, type } = data.details;
      const ofChildren = error?.failureType === "subtestsFailed";
      // A suite is not a test; it fails by itself only where its hooks do.
      if (type === "suite" && ofChildren) return;
      this.fail(name, ofChildren ? undefined : describe(error), results, isFile);
    } else if (data.details.type !== "suite") {
      results.passed++;
      this.passed++;
      if (this.verbose) console.log(`  ok   ${name}`);
    }
  }

  /** `text` is undefined where the tests inside have said why. */
  private fail(name: string, text: string | undefined, results: Results, isFile: boolean): void {
    results.failed++;
    this.failures.push(text === undefined ? name : `${name}\n${indent(text)}`);
    if (isFile) this.print(0);
  }

  private print(milliseconds: number): void {
    const seconds = (milliseconds / 1000).toFixed(1);
    const counts = [`${this.passed} passed`];
    if (this.failures.length > 0) counts.push(`${this.failures.length} failed`);
    if (this.skipped > 0) counts.push(`${this.skipped} skipped`);
    const mark = this.failures.length > 0 ? "FAIL" : this.passed === 0 ? "skip" : "ok  ";
    console.log(`${mark} ${shortPath(this.file)}: ${counts.join(", ")} (${seconds} s)`);
    if (this.failures.length === 0) return;

    for (const failure of this.failures) console.log(`\n  FAIL ${failure}`);
    const lines = this.output.trimEnd().split("\n");
    if (this.output.trim() !== "") {
      const shown = lines.slice(-OUTPUT_LINES);
      const cut = lines.length - shown.length;
      console.log(
        `\n  What it wrote${cut > 0 ? ` (without its first ${cut} lines)` : ""}:\n${indent(shown.join("\n"))}`,
      );
    }
    console.log();
  }
}

function describe(error: Error | undefined): string {
  const cause = error?.cause ?? error;
  return typeof cause === "string" ? cause : inspect(cause, { depth: 5 });
}

function indent(text: string): string {
  return text.replace(/^/gm, "    ");
}
