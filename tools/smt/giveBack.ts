import { type Node, part, parts, rangeOf, type Source, typeOf, walk } from "../solidity/syntax.ts";

/**
 * The text of a library whose functions give back the struct in memory that they change: `f(S memory self)` returns
 * `S memory` as well, after what it returns already. The model checker forgets what a function does to memory that it
 * was handed, and would prove what is not so.
 */
export function givingBack(source: Source): string {
  const edits: { at: number; remove: number; text: string }[] = [];
  walk(source.tree, (node) => {
    const self = node.nodeType === "FunctionDefinition" ? changedParameter(node) : undefined;
    const [body, results] = [part(node, "body"), part(node, "returnParameters")];
    if (self === undefined || body === undefined || results === undefined) return;
    const name = String(self.name);
    const type = `${source.textOf(part(self, "typeName") as Node)} memory __${name}`;
    const [bodyStart, bodyEnd] = rangeOf(body);
    if (parts(results, "parameters").length === 0) edits.push({ at: bodyStart, remove: 0, text: `returns (${type}) ` });
    else edits.push({ at: rangeOf(results)[1] - 1, remove: 0, text: `, ${type}` });
    edits.push({ at: bodyEnd - 1, remove: 0, text: `__${name} = ${name}; ` });
    walk(body, (inner) => {
      const value = inner.nodeType === "Return" ? part(inner, "expression") : undefined;
      if (inner.nodeType !== "Return") return;
      const [start] = rangeOf(inner);
      const end = source.endOfStatement(inner);
      const list = value === undefined ? [] : [source.textOf(value).replace(/^\((.*)\)$/s, "$1")];
      edits.push({ at: start, remove: end - start, text: `return (${[...list, name].join(", ")});` });
    });
  });
  let [text, position] = ["", 0];
  for (const { at, remove, text: inserted } of edits.sort((a, b) => a.at - b.at)) {
    text += source.slice(position, at) + inserted;
    position = at + remove;
  }
  return text + source.slice(position, source.length);
}

/** The first parameter of a function, if it is a struct in memory and the function writes to its members. */
function changedParameter(node: Node): Node | undefined {
  const list = part(node, "parameters");
  const self = list === undefined ? undefined : parts(list, "parameters")[0];
  if (self === undefined || !/^struct .*/.test(typeOf(self)) || self.storageLocation !== "memory") return undefined;
  let isChanged = false;
  walk(node, (inner) => {
    if (inner.nodeType !== "MemberAccess" || inner.lValueRequested !== true) return;
    isChanged ||= part(inner, "expression")?.referencedDeclaration === self.id;
  });
  return isChanged ? self : undefined;
}
