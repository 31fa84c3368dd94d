import { type Node, part, parts, rangeOf, type Source, typeOf } from "../solidity/syntax.ts";
import type { Change } from "./change.ts";

/** Statements that may be left out: what remains still compiles, or the compiler says so. */
const removable = new Set(["EmitStatement", "RevertStatement", "Continue", "Break", "InlineAssembly"]);

/** Changes of statements, of returned values and of modifiers. */
export function statementChanges(source: Source, node: Node, above: readonly Node[]): Change[] {
  if (removable.has(node.nodeType)) return [removed(source, node)];
  switch (node.nodeType) {
    case "ExpressionStatement":
      return [...removedExpression(source, node, above), ...droppedAssignments(source, node)];
    case "Return":
      return zeroed(source, node, above);
    case "ModifierInvocation":
      return withoutModifier(node);
    default:
      return [];
  }
}

/** Whether a statement stands in the head of a loop, where only an expression can. */
export function isStep(node: Node, above: readonly Node[]): boolean {
  const loop = above.at(-1);
  return loop?.nodeType === "ForStatement" && loop.body !== node;
}

function removed(source: Source, node: Node): Change {
  return { operator: "removal", start: rangeOf(node)[0], end: source.endOfStatement(node), text: "{}" };
}

function removedExpression(source: Source, node: Node, above: readonly Node[]): Change[] {
  if (!isStep(node, above)) return [removed(source, node)];
  const expression = part(node, "expression");
  if (expression === undefined || above.at(-1)?.loopExpression !== node) return [];
  const target = part(expression, "leftHandSide") ?? part(expression, "subExpression");
  if (target === undefined) return [];
  const [start, end] = rangeOf(node);
  return [{ operator: "removal", start, end, text: "", rest: source.textOf(target) }];
}

/** `(a, b) = ...` without one of its targets. */
function droppedAssignments(source: Source, node: Node): Change[] {
  const expression = part(node, "expression");
  const target = expression?.nodeType === "Assignment" ? part(expression, "leftHandSide") : undefined;
  if (target?.nodeType !== "TupleExpression") return [];
  const components = parts(target, "components");
  const texts = components.map((component) => (component === undefined ? "" : source.textOf(component)));
  if (texts.filter((text) => text !== "").length < 2) return [];
  const [start, end] = rangeOf(target);
  return texts.flatMap((text, k): Change[] =>
    text === "" ? [] : [{ operator: "removal", start, end, text: `(${texts.with(k, "").join(", ")})` }],
  );
}

/** Zeros are returned instead of what is there. */
function zeroed(source: Source, node: Node, above: readonly Node[]): Change[] {
  const expression = part(node, "expression");
  const end = source.endOfStatement(node);
  const [start] = rangeOf(node);
  if (expression === undefined) return [{ operator: "removal", start, end, text: "{}" }];
  const owner = above.findLast(({ nodeType }) => nodeType === "FunctionDefinition");
  const list = owner === undefined ? undefined : part(owner, "returnParameters");
  const zeros = (list === undefined ? [] : parts(list, "parameters")).map((parameter) => zeroOf(source, parameter));
  if (zeros.length === 0 || zeros.includes(undefined)) return [];
  const zero = zeros.length === 1 ? zeros[0] : `(${zeros.join(", ")})`;
  const same = [zero, "0"].includes(source.textOf(expression).replaceAll(/\s+/g, " "));
  return same ? [] : [{ operator: "return", start, end, text: `return ${zero};` }];
}

/** The zero of a parameter's type; undefined for types without a short one. */
function zeroOf(source: Source, parameter: Node | undefined): string | undefined {
  const name = parameter === undefined ? undefined : part(parameter, "typeName");
  if (parameter === undefined || name === undefined) return undefined;
  const type = typeOf(parameter);
  if (/^u?int\d+$/.test(type)) return "0";
  if (type === "bool") return "false";
  if (/^(address|bytes\d+|enum .*)$/.test(type)) return `${source.textOf(name)}(0)`;
  const isValueType = name.nodeType === "UserDefinedTypeName" && !/^(struct|contract|enum) /.test(type);
  return isValueType ? `${source.textOf(name)}.wrap(0)` : undefined;
}

function withoutModifier(node: Node): Change[] {
  if (node.kind !== "modifierInvocation") return [];
  const [start, end] = rangeOf(node);
  return [{ operator: "modifier", start, end, text: "" }];
}
