import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { root, sourceFiles } from "../files.ts";

/** Source texts by path from the root of the repository. */
export type Sources = Record<string, string>;

/** What the compiler says: an error is about the bytes `start` to `end` of `file`. */
export type Message = {
  severity: "error" | "warning" | "info";
  errorCode?: string | undefined;
  message: string;
  formattedMessage?: string | undefined;
  sourceLocation?: { file: string; start: number; end: number } | undefined;
};

/** One contract as far as it was asked for. */
export type Compiled = {
  abi: { type: string; name?: string | undefined }[];
  evm: { bytecode: { object: string }; deployedBytecode: { object: string } };
};

export type Output = {
  errors?: Message[] | undefined;
  contracts?: Record<string, Record<string, Compiled>> | undefined;
  sources?: Record<string, { ast: unknown }> | undefined;
};

/** The part of the compiler's standard input that callers choose. */
export type Request = {
  sources: Sources;
  /** Files that sources may import beside those of packages, and instead of them. */
  imports?: Sources | undefined;
  /** What to give, by file and contract: `{ "*": { "": ["ast"] } }`. */
  select: Record<string, Record<string, string[]>>;
  settings?: Record<string, unknown> | undefined;
  /** Solves one query of the model checker. */
  solve?: ((query: string) => { contents: string } | { error: string }) | undefined;
};

type Solc = {
  compile(
    input: string,
    callbacks: {
      import(path: string): { contents: string } | { error: string };
      smtSolver?: ((query: string) => { contents: string } | { error: string }) | undefined;
    },
  ): string;
};

const require = createRequire(import.meta.url);
let compiler: Solc | undefined;

/** The Solidity files below some folders of the repository. */
export function readSources(...folders: string[]): Sources {
  const paths = folders.flatMap((folder) => sourceFiles(join(root, folder), (path) => path.endsWith(".sol")));
  return Object.fromEntries(paths.map((path) => [relative(root, path), readFileSync(path, "utf8")]));
}

/** Runs the compiler of the packages once. */
export function compile({ sources, imports = {}, select, settings, solve }: Request): Output {
  compiler ??= require("solc") as Solc;
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(Object.entries(sources).map(([path, content]) => [path, { content }])),
    settings: { evmVersion: "prague", outputSelection: select, ...settings },
  };
  const load = (path: string) => (path in imports ? { contents: imports[path] as string } : readPackage(path));
  const callbacks = { import: load, ...(solve === undefined ? {} : { smtSolver: solve }) };
  return JSON.parse(compiler.compile(JSON.stringify(input), callbacks)) as Output;
}

/** The errors among what the compiler said. */
export function errorsOf(output: Output): Message[] {
  return (output.errors ?? []).filter(({ severity }) => severity === "error");
}

function readPackage(path: string): { contents: string } | { error: string } {
  try {
    return { contents: readFileSync(join(root, "node_modules", path), "utf8") };
  } catch {
    return { error: `There is no file ${path}` };
  }
}
