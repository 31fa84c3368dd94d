/** Something that the chain says and the rules do not. Wei and scores as decimal strings, so that it can be printed. */
export type Difference = { where: string; expected: string; found: string };

function show(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? part.toString() : part)) ?? "nothing";
}

/** Collects differences: each field of `expected` against the field of the same name of `found`. */
export function differences(
  where: string,
  expected: Record<string, unknown>,
  found: Record<string, unknown>,
): Difference[] {
  return Object.keys(expected).flatMap((field) => {
    const [ours, theirs] = [show(expected[field]), show(found[field])];
    return ours.toLowerCase() === theirs.toLowerCase()
      ? []
      : [{ where: `${where}, ${field}`, expected: ours, found: theirs }];
  });
}
