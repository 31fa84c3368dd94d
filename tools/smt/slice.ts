import type { Sources } from "../solidity/compiler.ts";
import { type Node, part, rangeOf, type Source, walk } from "../solidity/syntax.ts";

/** A function and the file it is in. */
type Place = { node: Node; source: Source };

/**
 * The files without those functions of libraries that `roots` do not reach, by path: the model checker writes all
 * functions that it sees into every query. All files come from one compilation.
 */
export function sliced(sources: readonly Source[], roots: readonly Node[]): Sources {
  const functions = libraryFunctions(sources);
  const reached = new Set<unknown>();
  const open = [...roots];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    walk(node, (inner) => {
      // An operator of a type names its function apart.
      for (const id of [inner.referencedDeclaration, inner.function]) {
        const found = functions.get(id);
        if (found === undefined || reached.has(id)) continue;
        reached.add(id);
        open.push(found.node);
      }
    });
  }
  const left = [...functions].filter(([id]) => !reached.has(id)).map(([, place]) => place);
  return Object.fromEntries(
    sources.map((source) => [
      source.path,
      without(
        source,
        left.filter((place) => place.source === source),
      ),
    ]),
  );
}

function libraryFunctions(sources: readonly Source[]): Map<unknown, Place> {
  const functions = new Map<unknown, Place>();
  for (const source of sources) {
    walk(source.tree, (node, above) => {
      if (node.nodeType !== "FunctionDefinition" || above.at(-1)?.contractKind !== "library") return;
      functions.set(node.id, { node, source });
    });
  }
  return functions;
}

/** A function's comment goes with it, or the next function would have two. */
function without(source: Source, places: readonly Place[]): string {
  let [text, position] = ["", 0];
  for (const { node } of places.toSorted((a, b) => rangeOf(a.node)[0] - rangeOf(b.node)[0])) {
    const comment = part(node, "documentation");
    text += source.slice(position, rangeOf(comment ?? node)[0]);
    position = rangeOf(node)[1];
  }
  return text + source.slice(position, source.length);
}
