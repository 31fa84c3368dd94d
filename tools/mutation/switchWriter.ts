import { part, rangeOf, type Source, walk } from "../solidity/syntax.ts";
import type { Host } from "./hosts.ts";
import { contains, type Mutant } from "./mutants.ts";

/** Bytes of a new file: a mutant's own text, or the whole switch that it is one choice of. */
export type Span = { mutant: Mutant; path: string; start: number; end: number; isOwn: boolean };

/** Bytes of a new file: a function with switches, from its head. */
export type FunctionSpan = { key: string; path: string; start: number; end: number };

const chosen = "__chosen";

/** Writes a source file with its switches. */
export class SwitchWriter {
  readonly spans: Span[] = [];
  readonly functions: FunctionSpan[] = [];
  text = "";
  #bytes = 0;
  readonly #source: Source;
  readonly #numbers: ReadonlyMap<Mutant, number>;
  readonly #question: string;
  /** What gives the number of the chosen mutant here. */
  #chosen: string;

  /** `question` is the name of the function that gives the number of the chosen mutant. */
  constructor(source: Source, numbers: ReadonlyMap<Mutant, number>, question: string) {
    this.#source = source;
    this.#numbers = numbers;
    this.#question = `${question}()`;
    this.#chosen = this.#question;
  }

  add(text: string): void {
    this.text += text;
    this.#bytes += Buffer.byteLength(text);
  }

  /** Writes the whole file, function by function. */
  file(mutants: Mutant[], full: ReadonlySet<string>): void {
    let position = 0;
    for (const body of bodiesOf(this.#source)) {
      const inside = mutants.filter(({ host }) => contains(body, host as Host));
      if (inside.length === 0) continue;
      const key = `${this.#source.path}:${body.start}`;
      this.add(this.#source.slice(position, body.head));
      const start = this.#bytes;
      this.add(this.#source.slice(body.head, body.start + 1));
      this.#chosen = full.has(key) ? this.#question : chosen;
      if (!full.has(key)) this.add(` uint256 ${chosen} = ${this.#question}; `);
      this.#range(body.start + 1, body.end, inside);
      this.functions.push({ key, path: this.#source.path, start, end: this.#bytes });
      position = body.end;
    }
    this.add(this.#source.slice(position, this.#source.length));
  }

  /** Writes the bytes `start` to `end` of the source with the switches of `mutants`, whose hosts lie in there. */
  #range(start: number, end: number, mutants: Mutant[]): void {
    let position = start;
    let left = mutants;
    while (left.length > 0) {
      const host = outermost(left);
      this.add(this.#source.slice(position, host.start));
      const inside = left.filter((mutant) => contains(host, mutant.host as Host));
      this.#host(host, inside);
      left = left.filter((mutant) => !inside.includes(mutant));
      position = host.end;
    }
    this.add(this.#source.slice(position, end));
  }

  #host(host: Host, inside: Mutant[]): void {
    const isHere = ({ host: other }: Mutant) => other?.start === host.start && other.end === host.end;
    const here = inside.filter(isHere);
    const started = this.#bytes;
    const inner = () =>
      this.#range(
        host.start,
        host.end,
        inside.filter((mutant) => !isHere(mutant)),
      );
    if (host.kind === "statement") this.#statement(host, here, inner);
    else this.#expression(host, here, inner);
    this.spans.push(...here.map((mutant) => this.#span(mutant, started, false)));
  }

  #statement(host: Host, here: Mutant[], inner: () => void): void {
    this.add("{ ");
    for (const mutant of here) {
      this.add(`if (${this.#isChosen(mutant)}) { `);
      this.#mutated(mutant, host);
      this.add(" } else ");
    }
    this.add("{ ");
    inner();
    this.add(" } }");
  }

  #expression(host: Host, here: Mutant[], inner: () => void): void {
    const cast = host.cast ?? "";
    this.add("(");
    for (const mutant of here) {
      this.add(`${this.#isChosen(mutant)} ? ${cast}(`);
      this.#mutated(mutant, host);
      this.add(") : ");
    }
    this.add(`${cast}(`);
    inner();
    this.add("))");
  }

  #isChosen(mutant: Mutant): string {
    return `${this.#chosen} == ${this.#numbers.get(mutant)}`;
  }

  #mutated(mutant: Mutant, host: Host): void {
    const { change } = mutant;
    const started = this.#bytes;
    const [before, after] = [this.#source.slice(host.start, change.start), this.#source.slice(change.end, host.end)];
    this.add(change.rest ?? before + change.text + after);
    this.spans.push(this.#span(mutant, started, true));
  }

  #span(mutant: Mutant, start: number, isOwn: boolean): Span {
    return { mutant, path: this.#source.path, start, end: this.#bytes, isOwn };
  }
}

/** The first host that lies in no other. */
function outermost(mutants: readonly Mutant[]): Host {
  const hosts = mutants.map(({ host }) => host as Host);
  return hosts.reduce((best, host) =>
    host.start < best.start || (host.start === best.start && host.end > best.end) ? host : best,
  );
}

/** The bytes of the bodies of functions and modifiers, in their order, and where their heads begin. */
function bodiesOf(source: Source): { head: number; start: number; end: number }[] {
  const bodies: { head: number; start: number; end: number }[] = [];
  walk(source.tree, (node) => {
    const body = /^(Function|Modifier)Definition$/.test(node.nodeType) ? part(node, "body") : undefined;
    if (body === undefined) return;
    const [start, end] = rangeOf(body);
    bodies.push({ head: rangeOf(node)[0], start, end });
  });
  return bodies.sort((a, b) => a.start - b.start);
}
