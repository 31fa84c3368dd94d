import { type Node, part, parts, rangeOf, type Source, typeOf } from "../solidity/syntax.ts";
import type { Change, Operator } from "./change.ts";
import { literalChanges } from "./literals.ts";
import { statementChanges } from "./statements.ts";
import { yulChanges } from "./yul.ts";

/** What each operator becomes. Every swap gives an expression of the same type. */
const swaps: Record<string, { operator: Operator; to: string[] }> = {
  "+": { operator: "arithmetic", to: ["-"] },
  "-": { operator: "arithmetic", to: ["+"] },
  "*": { operator: "arithmetic", to: ["/"] },
  "/": { operator: "arithmetic", to: ["*"] },
  "%": { operator: "arithmetic", to: ["*"] },
  "<": { operator: "relational", to: ["<=", ">="] },
  "<=": { operator: "relational", to: ["<", ">"] },
  ">": { operator: "relational", to: [">=", "<="] },
  ">=": { operator: "relational", to: [">", "<"] },
  "==": { operator: "relational", to: ["!="] },
  "!=": { operator: "relational", to: ["=="] },
  "&&": { operator: "logical", to: ["||"] },
  "||": { operator: "logical", to: ["&&"] },
  "&": { operator: "bits", to: ["|"] },
  "|": { operator: "bits", to: ["&"] },
  "^": { operator: "bits", to: ["|"] },
  "<<": { operator: "bits", to: [">>"] },
  ">>": { operator: "bits", to: ["<<"] },
};

/** These bind tighter or looser than what they become. */
const bindsOtherwise = /^(&&?|\|\|?|\^)$/;

const extrema: Record<string, string> = { min: "max", max: "min" };
const roundings: Record<string, string> = { Ceil: "Floor", Floor: "Ceil" };

/** Every change of one node itself, not of those below it. */
export function changesOf(source: Source, node: Node, above: readonly Node[]): Change[] {
  return [...ownChanges(source, node, above), ...negated(source, node, above)];
}

function ownChanges(source: Source, node: Node, above: readonly Node[]): Change[] {
  switch (node.nodeType) {
    case "BinaryOperation":
      return binary(source, node);
    case "UnaryOperation":
      return unary(source, node);
    case "Assignment":
      return compound(source, node);
    case "Conditional":
      return ternary(source, node);
    case "Literal":
      return literalChanges(source, node, above);
    case "FunctionCall":
      return call(source, node);
    case "MemberAccess":
      return rounding(node);
    default:
      return node.nodeType.startsWith("Yul") ? yulChanges(source, node) : statementChanges(source, node, above);
  }
}

/** Whether a condition changes to its opposite by a change of its own, so that no other is needed. */
function hasOpposite(condition: Node): boolean {
  if (condition.nodeType === "UnaryOperation") return condition.operator === "!";
  return condition.nodeType === "BinaryOperation" && swaps[String(condition.operator)]?.operator === "relational";
}

function binary(source: Source, node: Node): Change[] {
  const [start, end] = rangeOf(node);
  const [left, right] = [part(node, "leftExpression"), part(node, "rightExpression")];
  const written = String(node.operator);
  const swap = swaps[written];
  if (swap === undefined || left === undefined || right === undefined) return [];
  return swap.to.map((to) => {
    const text = `${source.textOf(left)} ${to} ${source.textOf(right)}`;
    return { operator: swap.operator, start, end, text: bindsOtherwise.test(written) ? `(${text})` : text };
  });
}

function unary(source: Source, node: Node): Change[] {
  const [start, end] = rangeOf(node);
  const operand = part(node, "subExpression");
  if (operand === undefined) return [];
  const inner = source.textOf(operand);
  switch (node.operator) {
    case "!":
      return [{ operator: "negation", start, end, text: inner }];
    case "-":
      return [{ operator: "arithmetic", start, end, text: inner }];
    case "~":
      return [{ operator: "bits", start, end, text: inner }];
    case "++":
    case "--": {
      const other = node.operator === "++" ? "--" : "++";
      return [{ operator: "arithmetic", start, end, text: node.prefix ? `${other}${inner}` : `${inner}${other}` }];
    }
    default:
      return [];
  }
}

function compound(source: Source, node: Node): Change[] {
  const [start, end] = rangeOf(node);
  const [left, right] = [part(node, "leftHandSide"), part(node, "rightHandSide")];
  const swap = swaps[String(node.operator).slice(0, -1)];
  if (swap === undefined || node.operator === "=" || left === undefined || right === undefined) return [];
  return swap.to.map((to) => ({
    operator: swap.operator,
    start,
    end,
    text: `${source.textOf(left)} ${to}= ${source.textOf(right)}`,
  }));
}

function ternary(source: Source, node: Node): Change[] {
  const [condition, yes, no] = [part(node, "condition"), part(node, "trueExpression"), part(node, "falseExpression")];
  if (condition === undefined || yes === undefined || no === undefined || hasOpposite(condition)) return [];
  const [start, end] = rangeOf(node);
  const text = `${source.textOf(condition)} ? ${source.textOf(no)} : ${source.textOf(yes)}`;
  return [{ operator: "ternary", start, end, text }];
}

function call(source: Source, node: Node): Change[] {
  const callee = part(node, "expression");
  if (callee === undefined) return [];
  const values = parts(node, "arguments").filter((value) => value !== undefined);
  const [first, second] = values;
  const name = String(callee.memberName ?? callee.name ?? "");
  const [calleeStart, calleeEnd] = rangeOf(callee);
  const other = Object.hasOwn(extrema, name) ? extrema[name] : undefined; // a contract's own `valueOf` is none
  if (other !== undefined && values.length === 2) {
    return [{ operator: "extremum", start: calleeEnd - name.length, end: calleeEnd, text: other }];
  }
  if (name === "ceilDiv" && first !== undefined && second !== undefined) {
    const text = `((${source.textOf(first)}) / (${source.textOf(second)}))`;
    return [{ operator: "rounding", start: calleeStart, end: rangeOf(node)[1], text }];
  }
  return [];
}

/** The opposite of a condition: of a branch, a loop or a requirement. */
function negated(source: Source, node: Node, above: readonly Node[]): Change[] {
  const parent = above.at(-1);
  if (parent === undefined || hasOpposite(node)) return [];
  const isRequired =
    /^(require|assert)$/.test(String(part(parent, "expression")?.name)) && parts(parent, "arguments")[0] === node;
  const isBranch = /^(If|While|DoWhile|For)Statement$/.test(parent.nodeType) && parent.condition === node;
  if (!isRequired && !isBranch) return [];
  const [start, end] = rangeOf(node);
  return [{ operator: "negation", start, end, text: `!(${source.textOf(node)})` }];
}

function rounding(node: Node): Change[] {
  const name = String(node.memberName);
  const other = Object.hasOwn(roundings, name) ? roundings[name] : undefined;
  if (other === undefined || !typeOf(node).startsWith("enum")) return [];
  const [, end] = rangeOf(node);
  return [{ operator: "rounding", start: end - name.length, end, text: other }];
}
