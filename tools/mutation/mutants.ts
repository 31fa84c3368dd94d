import { createHash } from "node:crypto";
import { type Node, part, type Source, walk } from "../solidity/syntax.ts";
import type { Change, Operator } from "./change.ts";
import { changesOf } from "./changes.ts";
import { type Host, hostOf } from "./hosts.ts";

/** One change of one source file, which the tests should notice. */
export type Mutant = {
  /** Of file, function and change: it survives edits elsewhere. */
  id: string;
  path: string;
  line: number;
  column: number;
  /** Where it is: "Contract.function", or a free function's name. */
  within: string;
  operator: Operator;
  original: string;
  mutated: string;
  change: Change;
  /** The expression or statement that can be switched at run time; undefined: it has to be compiled by itself. */
  host: Host | undefined;
};

/** All mutants of a file, in its order. Interfaces have nothing to change. */
export function mutantsOf(source: Source): Mutant[] {
  const found: Mutant[] = [];
  const seen = new Set<string>();
  const times = new Map<string, number>();
  walk(source.tree, (node, above) => {
    for (const change of changesOf(source, node, above)) {
      const place = `${change.start}:${change.end}:${change.text}`;
      if (seen.has(place)) continue;
      seen.add(place);
      const within = nameOf([...above, node]);
      const original = shown(source.slice(change.start, change.end));
      const mutated = shown(change.text);
      const what = [source.path, within, change.operator, original, mutated].join("\n");
      const nth = (times.get(what) ?? 0) + 1;
      times.set(what, nth);
      found.push({
        id: createHash("sha256").update(`${what}\n${nth}`).digest("hex").slice(0, 10),
        path: source.path,
        ...source.placeOf(change.start),
        within,
        operator: change.operator,
        original,
        mutated,
        change,
        host: hostOf(source, node, above),
      });
    }
  });
  return found.sort((a, b) => a.change.start - b.change.start || a.change.end - b.change.end);
}

/** The file with one change in it. */
export function textWith(source: Source, { start, end, text }: Change): string {
  return source.slice(0, start) + text + source.slice(end, source.length);
}

function nameOf(nodes: readonly Node[]): string {
  const names = nodes.flatMap((node) => {
    const isNamed = ["ContractDefinition", "FunctionDefinition", "ModifierDefinition"].includes(node.nodeType);
    const isConstant = node.nodeType === "VariableDeclaration" && part(node, "value") !== undefined;
    return isNamed || isConstant ? [String(node.name || node.kind)] : [];
  });
  return names.join(".");
}

function shown(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

/** Whether the bytes of `inner` lie within those of `outer`. */
export function contains(outer: { start: number; end: number }, inner: { start: number; end: number }): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}
