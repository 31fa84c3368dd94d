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
