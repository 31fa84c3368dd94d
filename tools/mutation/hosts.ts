import { type Node, part, parts, rangeOf, type Source, typeOf } from "../solidity/syntax.ts";
import { isStep } from "./statements.ts";

/** The bytes of the smallest expression or statement around a change that can be chosen at run time. */
export type Host = {
  kind: "expression" | "statement";
  start: number;
  end: number;
  /** The type that both choices are brought to, where they are bare numbers. */
  cast?: string | undefined;
};

const expressions = new Set([
  "Assignment",
  "BinaryOperation",
  "Conditional",
  "FunctionCall",
  "Identifier",
  "IndexAccess",
  "Literal",
  "MemberAccess",
  "TupleExpression",
  "UnaryOperation",
]);

const statements = new Set(["EmitStatement", "RevertStatement", "Return", "Continue", "Break", "InlineAssembly"]);

/** Types of expressions that cannot stand in a choice: bare numbers have no type yet, and calls without result none. */
const untyped = /^(int_const|rational_const|literal_string|tuple\(|function |type\(|error|event|modifier|module|$)/;

const elementary = /^(u?int\d+|bytes\d+|address|bool)$/;

/** The host of a change of `node`; undefined where the change is part of a constant, a type or a declaration. */
export function hostOf(source: Source, node: Node, above: readonly Node[]): Host | undefined {
  const isConstant = above.some(
    ({ nodeType }) => nodeType === "VariableDeclaration" || nodeType === "InheritanceSpecifier",
  );
  if (isConstant || [node, ...above].some(({ nodeType }) => nodeType === "ModifierInvocation")) return undefined;

  const path = [...above, node];
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const current = path[depth] as Node;
    const around = path.slice(0, depth);
    if (isChoice(current, around)) return { kind: "expression", ...bytesOf(current) };
    if (isStatement(current, around)) {
      return { kind: "statement", start: rangeOf(current)[0], end: source.endOfStatement(current) };
    }
    if (current.nodeType === "ExpressionStatement") {
      const expression = part(current, "expression");
      return expression === undefined ? undefined : { kind: "expression", ...bytesOf(expression) };
    }
    if (current.nodeType === "VariableDeclarationStatement") return initialValue(current);
    if (/^(?!Yul).*(Statement|Block|Definition)$/.test(current.nodeType)) return undefined;
  }
  return undefined;
}

function isChoice(node: Node, above: readonly Node[]): boolean {
  if (!expressions.has(node.nodeType) || node.lValueRequested === true || untyped.test(typeOf(node))) return false;
  const parent = above.at(-1);
  return parent?.nodeType !== "ExpressionStatement" || isStep(parent, above.slice(0, -1));
}

function isStatement(node: Node, above: readonly Node[]): boolean {
  if (statements.has(node.nodeType)) return true;
  return node.nodeType === "ExpressionStatement" && !isStep(node, above);
}

function initialValue(node: Node): Host | undefined {
  const [declared, ...others] = parts(node, "declarations");
  const value = part(node, "initialValue");
  if (declared === undefined || others.length > 0 || value === undefined) return undefined;
  const type = typeOf(declared);
  return elementary.test(type) ? { kind: "expression", ...bytesOf(value), cast: type } : undefined;
}

function bytesOf(node: Node): { start: number; end: number } {
  const [start, end] = rangeOf(node);
  return { start, end };
}
