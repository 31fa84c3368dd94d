import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Sources } from "../solidity/compiler.ts";
import type { Verdict } from "./judge.ts";

/** Verdicts, and the tests that did not take part. */
export type Known = { verdicts: Verdict[]; leftOut: string[] };

type Entry = { verdict: Verdict } | { leftOut: string[] };

/** The verdicts so far, one JSON line each after a line that names what they are about. */
export class Journal {
  readonly #path: string;
  readonly #digest: string;

  /** `sources` are all contracts and tests: verdicts on others mean nothing here. */
  constructor(path: string, sources: Sources) {
    this.#path = path;
    this.#digest = createHash("sha256")
      .update(JSON.stringify(Object.entries(sources).sort()))
      .digest("hex");
  }

  /** What an earlier run on the same sources found; nothing if there was none. */
  read(): Known {
    const known: Known = { verdicts: [], leftOut: [] };
    if (!existsSync(this.#path)) return known;
    const [digest, ...lines] = readFileSync(this.#path, "utf8").split("\n");
    if (digest !== this.#digest) return known;
    // A line without its end was being written when the run was killed.
    for (const line of lines.slice(0, -1)) {
      const entry = JSON.parse(line) as Entry;
      if ("verdict" in entry) known.verdicts.push(entry.verdict);
      else known.leftOut = entry.leftOut;
    }
    return known;
  }

  /** Starts anew with what is known. */
  start({ verdicts, leftOut }: Known): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, `${this.#digest}\n`);
    for (const entry of [...verdicts.map((verdict) => ({ verdict })), { leftOut }]) this.add(entry);
  }

  add(entry: Entry): void {
    appendFileSync(this.#path, `${JSON.stringify(entry)}\n`);
  }
}
