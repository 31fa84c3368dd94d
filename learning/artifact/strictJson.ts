import { PermanentError } from "../../protocol/errors.ts";

export type StrictJson = string | number | boolean | null | StrictJson[] | Map<string, StrictJson>;

/**
 * Reads JSON that another party wrote. Stricter than JSON.parse: bytes must be UTF-8, no name twice in an object, none called
 * `__proto__`, nesting at most `depth`. Objects come back as maps, so no name can reach a prototype.
 *
 * @throws PermanentError that names `where` and the character at fault.
 */
export function parseStrictJson(
  bytes: Uint8Array,
  { where, depth = 3 }: { where: string; depth?: number },
): StrictJson {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new PermanentError(`${where}: the JSON is not UTF-8.`, { cause });
  }
  return new Reader(text, where, depth).document();
}

const STRING = /"(?:[^"\\\p{Cc}]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/uy;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;

class Reader {
  #position = 0;
  readonly #text: string;
  readonly #where: string;
  readonly #depth: number;

  constructor(text: string, where: string, depth: number) {
    this.#text = text;
    this.#where = where;
    this.#depth = depth;
  }

  document(): StrictJson {
    const value = this.#value(this.#depth);
    this.#take(SPACE);
    if (this.#position !== this.#text.length) this.#fail("the end is expected");
    return value;
  }

  #value(depth: number): StrictJson {
    this.#take(SPACE);
    const next = this.#text[this.#position];
    if (next === "{" || next === "[") {
      if (depth === 0) this.#fail("it is nested too deeply");
      return next === "{" ? this.#object(depth - 1) : this.#array(depth - 1);
    }
    if (next === '"') return this.#string();
    const token = this.#take(NUMBER) ?? this.#take(WORD) ?? this.#fail("a value is expected");
    return JSON.parse(token) as number | boolean | null;
  }

  #object(depth: number): Map<string, StrictJson> {
    const map = new Map<string, StrictJson>();
    this.#list("{", "}", () => {
      const name = this.#string();
      if (name === "__proto__" || map.has(name)) this.#fail(`the name ${JSON.stringify(name)} is not allowed here`);
      this.#expect(":");
      map.set(name, this.#value(depth));
    });
    return map;
  }

  #array(depth: number): StrictJson[] {
    const array: StrictJson[] = [];
    this.#list("[", "]", () => array.push(this.#value(depth)));
    return array;
  }

  #list(open: string, close: string, item: () => void): void {
    this.#expect(open);
    this.#take(SPACE);
    if (this.#text[this.#position] !== close) {
      item();
      this.#take(SPACE);
      while (this.#text[this.#position] === ",") {
        this.#position++;
        item();
        this.#take(SPACE);
      }
    }
    this.#expect(close);
  }

  #string(): string {
    this.#take(SPACE);
    return JSON.parse(this.#take(STRING) ?? this.#fail("a string is expected")) as string;
  }

  #expect(character: string): void {
    this.#take(SPACE);
    if (this.#text[this.#position] !== character) this.#fail(`"${character}" is expected`);
    this.#position++;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#position += match.length;
    return match;
  }

  #fail(what: string): never {
    throw new PermanentError(`${this.#where}: wrong JSON at character ${this.#position}: ${what}.`);
  }
}
