import { compile, errorsOf, type Sources } from "./compiler.ts";

/** A node of the compiler's syntax tree. `src` is "first byte:bytes:file". */
export type Node = { nodeType: string; src: string; [part: string]: unknown };

/** A source file with its tree. Positions in the tree count bytes, not characters. */
export class Source {
  readonly path: string;
  readonly tree: Node;
  readonly #bytes: Buffer;

  constructor(path: string, text: string, tree: Node) {
    this.path = path;
    this.tree = tree;
    this.#bytes = Buffer.from(text);
  }

  /** The text between two byte positions. */
  slice(start: number, end: number): string {
    return this.#bytes.toString("utf8", start, end);
  }

  textOf(node: Node): string {
    return this.slice(...rangeOf(node));
  }

  /** The end of a statement with its semicolon, which the tree leaves out of most. */
  endOfStatement(node: Node): number {
    const [, end] = rangeOf(node);
    return this.#bytes[end] === 0x3b ? end + 1 : end;
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Line and column of a byte position, both from 1. */
  placeOf(position: number): { line: number; column: number } {
    const before = this.slice(0, position);
    return { line: before.split("\n").length, column: before.length - before.lastIndexOf("\n") };
  }
}

/**
 * Parses and checks sources, which may import `imports`. Gives them, and those of `imports` that they lead to. Throws the
 * compiler's first error.
 */
export function parse(sources: Sources, imports: Sources = {}): Source[] {
  const output = compile({ sources, imports, select: { "*": { "": ["ast"] } } });
  const [error] = errorsOf(output);
  if (error !== undefined) throw new Error(error.formattedMessage ?? error.message);
  return Object.entries({ ...sources, ...imports }).flatMap(([path, text]) => {
    const tree = output.sources?.[path]?.ast;
    return tree === undefined ? [] : [new Source(path, text, tree as Node)];
  });
}

/** First byte, and the byte after the last. */
export function rangeOf({ src }: Node): [start: number, end: number] {
  const [start = 0, length = 0] = src.split(":").map(Number);
  return [start, start + length];
}

/** One part of a node that is a node, if it is there. */
export function part(node: Node, name: string): Node | undefined {
  const value = node[name];
  return isNode(value) ? value : undefined;
}

/** A part of a node that is a list; places left empty are undefined. */
export function parts(node: Node, name: string): (Node | undefined)[] {
  const value = node[name];
  return Array.isArray(value) ? value.map((entry: unknown) => (isNode(entry) ? entry : undefined)) : [];
}

/** The type of an expression as the compiler writes it; "" if it has none. */
export function typeOf(node: Node): string {
  return (node.typeDescriptions as { typeString?: string | undefined } | undefined)?.typeString ?? "";
}

/** Visits a node and all below it. `above` lists what encloses it, the nearest last. */
export function walk(node: Node, visit: (node: Node, above: readonly Node[]) => void, above: Node[] = []): void {
  visit(node, above);
  above.push(node);
  for (const value of Object.values(node)) {
    for (const entry of Array.isArray(value) ? value : [value]) if (isNode(entry)) walk(entry, visit, above);
  }
  above.pop();
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).nodeType === "string";
}
