import { MultiBar, type SingleBar } from "cli-progress";
import Table from "cli-table3";

/** What a run shows: bars and tables on a terminal, plain lines in a pipe, only the final tables when quiet. */
export type Display = {
  /** One finished step of the set-up. */
  step(text: string): void;
  /** Progress of something that takes a while; the next call with another label replaces it. */
  progress(label: string, done: number, total: number): void;
  /** A table below its title; `important` ones are shown even when quiet. */
  table(title: string, head: string[], rows: string[][], options?: { important?: boolean }): void;
  /** A line that is always shown. */
  line(text: string): void;
  close(): void;
};

const BORDERLESS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "  ",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
} as const; // prettier tables need no frame

function tableText(head: string[], rows: string[][]): string {
  const numeric = head.map((_, column) =>
    rows.every((row) => /^[-+]?[\d.,]+( ?%| FLK)?$|^-?$/.test(row[column] ?? "")),
  );
  const table = new Table({
    head,
    chars: BORDERLESS,
    style: { head: process.stdout.isTTY ? ["bold"] : [], border: [], "padding-left": 0, "padding-right": 0 },
    colAligns: numeric.map((right) => (right ? "right" : "left")),
  });
  table.push(...rows);
  return table.toString();
}

/** A display on standard output. */
export function openDisplay({ quiet }: { quiet: boolean }): Display {
  const terminal = process.stdout.isTTY === true && !quiet;
  let bars: MultiBar | undefined;
  let bar: SingleBar | undefined;
  let label = "";
  let reported = -1;

  const endBar = () => {
    bars?.stop();
    bars = undefined;
    bar = undefined;
    label = "";
  };
  const print = (text: string) => {
    endBar();
    process.stdout.write(`${text}\n`);
  };

  return {
    step: (text) => {
      if (!quiet) print(`${terminal ? "\u2713" : "-"} ${text}`);
    },
    progress: (text, done, total) => {
      if (quiet) return;
      if (!terminal) {
        // A pipe gets a line when something is complete, not one for each look.
        if (text !== label) reported = -1;
        label = text;
        if (done === total && reported !== done) process.stdout.write(`  ${text}: ${done} of ${total}\n`);
        reported = done;
        return;
      }
      if (text !== label || bar === undefined) {
        endBar();
        label = text;
        bars = new MultiBar({
          format: "  {bar} {label} {value}/{total}  {duration_formatted}",
          barCompleteChar: "\u2588",
          barIncompleteChar: "\u2591",
          barsize: 24,
          hideCursor: true,
          clearOnComplete: true,
        });
        bar = bars.create(total, done, { label: text });
      }
      bar.setTotal(total);
      bar.update(done, { label: text });
    },
    table: (title, head, rows, { important = false } = {}) => {
      if (!quiet || important) print(`\n${title}\n${tableText(head, rows)}\n`);
    },
    line: print,
    close: endBar,
  };
}
