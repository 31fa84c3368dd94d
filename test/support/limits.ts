import { execFileSync, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { commandOf, descendants } from "./processTree.ts";

/** Id of the compute process that this process has started (Linux). */
export async function computePid(): Promise<number> {
  for (const pid of await descendants(process.pid)) {
    if (/compute\/child\.ts/.test(await commandOf(pid))) return pid;
  }
  throw new Error("No compute process runs below this one.");
}

/** Sets what a process may take at most of something, in bytes; "unlimited" takes the limit away again (prlimit, of util-linux). */
export function limit(pid: number, what: "fsize" | "as", bytes: number | "unlimited"): void {
  execFileSync("prlimit", ["--pid", String(pid), `--${what}=${bytes}:`]);
}

/** Bytes of address space of a process. */
export async function addressSpace(pid: number): Promise<number> {
  const [pages] = (await readFile(`/proc/${pid}/statm`, "utf8")).split(" ");
  return Number(pages) * 4096;
}

const NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"] as const;

/** Whether this user may mount disks, in a namespace of its own. */
export function canMount(): boolean {
  const [program, ...args] = NAMESPACE;
  return spawnSync(program, [...args, "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
}

/** The command that runs another one with a disk of its own in memory at `dir`, of so many KiB. */
export function withSmallDisk(dir: string, kibibytes: number): [string, ...string[]] {
  const mount = `mount -t tmpfs -o size=${kibibytes}k none ${dir}`;
  return [...NAMESPACE, "sh", "-c", `${mount} && exec "$@"`, "sh"];
}
