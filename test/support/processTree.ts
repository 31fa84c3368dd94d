import { readdir, readFile } from "node:fs/promises";

/** Every running process of this machine with its parent's id (Linux: /proc). */
async function processes(): Promise<{ pid: number; parent: number }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined); // it may have ended by now
      const parent = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
      return parent === undefined ? [] : [{ pid, parent: Number(parent) }];
    }),
  );
  return found.flat();
}

/** Ids of all processes that descend from one. */
export async function descendants(pid: number): Promise<number[]> {
  const all = await processes();
  const found: number[] = [];
  for (let parents = [pid]; parents.length > 0; ) {
    parents = all.filter(({ parent }) => parents.includes(parent)).map((child) => child.pid);
    found.push(...parents);
  }
  return found;
}

/** The command line of a process; empty if it has ended. */
export async function commandOf(pid: number): Promise<string> {
  const bytes = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return bytes.split("\0").join(" ");
}
