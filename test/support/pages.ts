/** What a page of documentation names: the code in it, and what that code calls. */

/** Lines of code of a Markdown page: those of its fences, continued ones joined, and its spans. */
export function codeOf(text: string): string[] {
  const fence = /^```.*\n([\s\S]*?)^```$/gm;
  const bodies = [...text.matchAll(fence)].map(([, body = ""]) => body.replace(/\\\n\s*/g, " "));
  const spans = [...text.replace(fence, "").matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span.replace(/\s+/g, " "));
  return [...bodies.flatMap((body) => body.split("\n")), ...spans];
}

export type Use = { words: string[]; options: string[]; line: string };

/** The calls of a command, whose arguments are the pattern's first group: words up to the first option, and option names. */
export function usesOf(code: readonly string[], command: RegExp): Use[] {
  return code.flatMap((line) => {
    const rest = command.exec(line)?.[1];
    if (rest === undefined) return [];
    const parts = rest
      .replace(/(^|\s)#.*$/, "")
      .split(/\s+/)
      .map((part) => part.replace(/[).,:;]+$/, ""))
      .filter(Boolean);
    const end = parts.findIndex((part) => part.startsWith("-"));
    const options = parts.filter((part) => /^--[a-z]/.test(part)).map((part) => part.replace(/[^a-z-].*$/, ""));
    return [{ words: end < 0 ? parts : parts.slice(0, end), options, line }];
  });
}

/** Paths in a line of code that begin with one of `rooms`; those with a part to fill in are left out. */
export function pathsIn(line: string, rooms: readonly string[]): string[] {
  return line
    .split(/[\s"',;=()]+/)
    .map((word) => word.replace(/[.:]+$/, ""))
    .filter((word) => rooms.some((room) => word.startsWith(`${room}/`)) && /^[\w./@-]+$/.test(word));
}

/** Cells, without back-ticks, of the rows of every table whose first heading is `first`. */
export function rowsOf(text: string, first: string): string[][] {
  const rows: string[][] = [];
  let inside = false;
  for (const line of text.split("\n")) {
    const cells = line.startsWith("|") ? line.split("|").slice(1, -1) : undefined;
    const plain = cells?.map((cell) => cell.replaceAll("`", "").trim());
    if (plain === undefined) inside = false;
    else if (inside && !/^-+$/.test(plain[0] ?? "")) rows.push(plain);
    else if (plain[0] === first) inside = true;
  }
  return rows;
}
