import Table from "cli-table3";

/** What a verb has to say. `json` is the whole of it for programs; the rest is for people. */
export type Report = {
  json: JsonValue;
  /** Name and value, one a line. */
  fields?: [name: string, value: string][] | undefined;
  table?: { head: string[]; rows: string[][] } | undefined;
  /** Plain sentences, last. */
  lines?: string[] | undefined;
};

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Where a verb writes and asks; tests give their own. */
export type Terminal = {
  write(text: string): void;
  /** Asks a person; undefined where nobody can answer. A hidden answer is not shown while it is typed. */
  ask: ((question: string, options?: { hidden?: boolean | undefined }) => Promise<string>) | undefined;
  /** Messages that are not the answer: what will happen, progress. */
  tell(text: string): void;
  /** Whether a person reads: tables and questions, not plain lines. */
  isTerminal: boolean;
};

/** Shows a report: JSON if asked for, a table on a terminal, tab-separated lines in a pipe. */
export function showReport(terminal: Terminal, report: Report, { json = false }: { json?: boolean | undefined }): void {
  if (json) {
    terminal.write(`${JSON.stringify(report.json, null, 2)}\n`);
    return;
  }
  const { fields = [], table, lines = [] } = report;
  const width = Math.max(0, ...fields.map(([name]) => name.length));
  for (const [name, value] of fields) {
    terminal.write(terminal.isTerminal ? `${name.padEnd(width)}  ${value}\n` : `${name}\t${value}\n`);
  }
  if (table !== undefined) terminal.write(terminal.isTerminal ? drawn(table) : plain(table));
  for (const line of lines) terminal.write(`${line}\n`);
}

/** Basis points as a percentage: "12.5 %". */
export function percent(bps: number): string {
  return `${bps / 100} %`;
}

function drawn({ head, rows }: { head: string[]; rows: string[][] }): string {
  const table = new Table({ head, style: { head: ["bold"], border: [] } });
  table.push(...rows);
  return `${table.toString()}\n`;
}

function plain({ head, rows }: { head: string[]; rows: string[][] }): string {
  return [head, ...rows].map((cells) => `${cells.join("\t")}\n`).join("");
}
