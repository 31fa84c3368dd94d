import { ExitCode, PermanentError } from "./errors.ts";

/** A place in a text, counted from 1. */
export type Place = { line: number; column: number };

/**
 * The value of a JSON text. The error names the place and never the text: a file given by mistake may hold a secret.
 * @param what names the text at the beginning of the error's sentence: "The terms file terms.json".
 * @throws PermanentError if the text is not JSON.
 */
export function parseJson(
  text: string,
  { what, exitCode = ExitCode.badInput }: { what: string; exitCode?: ExitCode | undefined },
): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const { line, column } = jsonFault(text);
    throw new PermanentError(`${what} is not JSON: see line ${line}, column ${column}.`, { exitCode });
  }
}

/** One token of JSON (RFC 8259) after white space. */
const TOKEN =
  /([ \t\n\r]*)(?:([{}[\],:])|("(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)/y;

/** Where a text stops being JSON; its end if it only stops too early. The text must already have failed `JSON.parse`. */
export function jsonFault(text: string): Place {
  const open: ("{" | "[")[] = [];
  let wanted: "value" | "first value" | "first key" | "key" | "colon" | "end" = "value";
  TOKEN.lastIndex = 0;
  let at = 0;
  for (;;) {
    const token = TOKEN.exec(text);
    if (token === null) break;
    const [whole, space = "", mark, string] = token;
    const start = at + space.length;
    const inside = open.at(-1);
    const isValue = mark === undefined || mark === "{" || mark === "[";
    let fits = true;
    if ((wanted === "value" || wanted === "first value") && isValue) {
      if (mark === "{" || mark === "[") open.push(mark);
      wanted = mark === "{" ? "first key" : mark === "[" ? "first value" : "end";
    } else if ((wanted === "key" || wanted === "first key") && string !== undefined) wanted = "colon";
    else if (wanted === "colon" && mark === ":") wanted = "value";
    else if (wanted === "end" && mark === "," && inside !== undefined) wanted = inside === "{" ? "key" : "value";
    else if (mark === "}" && inside === "{" && (wanted === "end" || wanted === "first key")) closes();
    else if (mark === "]" && inside === "[" && (wanted === "end" || wanted === "first value")) closes();
    else fits = false;
    if (!fits) return placeOf(text, start);
    at += whole.length;
  }
  return placeOf(text, at + (/^[ \t\n\r]*/.exec(text.slice(at))?.[0].length ?? 0));

  function closes() {
    open.pop();
    wanted = "end";
  }
}

function placeOf(text: string, index: number): Place {
  const before = text.slice(0, index).split("\n");
  return { line: before.length, column: (before.at(-1) as string).length + 1 };
}

/**
 * The first key that stands twice in one object of a JSON text, or undefined. `JSON.parse` keeps the last of them in
 * silence, so that two readers of one text could see two values. The text must already have passed `JSON.parse`.
 */
export function findDuplicateKey(text: string): string | undefined {
  const objects: Set<string>[] = []; // keys seen in each object or array around the present place
  for (const [token, , colon] of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g)) {
    if (token === "{" || token === "[") objects.push(new Set());
    else if (token === "}" || token === "]") objects.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      const seen = objects.at(-1);
      if (seen?.has(key)) return key;
      seen?.add(key);
    }
  }
  return undefined;
}
