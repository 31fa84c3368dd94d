import { type Node, part, parts, rangeOf, type Source } from "../solidity/syntax.ts";
import type { Change } from "./change.ts";
import { othersOf } from "./literals.ts";

/** What each instruction becomes. */
const swaps: Record<string, string> = {
  add: "sub",
  sub: "add",
  mul: "div",
  div: "mul",
  mod: "mul",
  and: "or",
  or: "and",
  xor: "or",
  shl: "shr",
  shr: "shl",
  lt: "gt",
  gt: "lt",
  slt: "sgt",
  sgt: "slt",
};

/** Every change of one node of inline assembly. */
export function yulChanges(source: Source, node: Node): Change[] {
  const [start, end] = rangeOf(node);
  const change = (text: string): Change => ({ operator: "assembly", start, end, text });
  switch (node.nodeType) {
    case "YulFunctionCall":
      return instruction(source, node);
    case "YulLiteral":
      return node.kind === "number" ? othersOf(source.textOf(node)).map(change) : [];
    case "YulAssignment":
    case "YulExpressionStatement":
      return [change("{}")];
    default:
      return [];
  }
}

function instruction(source: Source, node: Node): Change[] {
  const callee = part(node, "functionName");
  if (callee === undefined) return [];
  const name = String(callee.name);
  const [first] = parts(node, "arguments");
  if ((name === "iszero" || name === "not") && first !== undefined) {
    const [start, end] = rangeOf(node);
    return [{ operator: "assembly", start, end, text: source.textOf(first) }];
  }
  const [start, end] = rangeOf(callee);
  const to = swaps[name];
  return to === undefined ? [] : [{ operator: "assembly", start, end, text: to }];
}
