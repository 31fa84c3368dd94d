import { join } from "node:path";
import type { Engine } from "../learning/validate/report.ts";
import { nameOf, Phase, Role } from "../protocol/words.ts";
import { writeFileAtomic } from "./files.ts";
import type { Look } from "./scheduler/look.ts";
import type { DutyStatus } from "./scheduler/reconcile.ts";

/** What a worker is doing, for people and tools: a file in its work folder, always whole. */
export type WorkerStatus = {
  pid: number;
  startedAt: string;
  operator: string;
  task: string;
  roles: readonly string[];
  queue: string;
  store: string | null;
  /** The last look at the chain. */
  seen: { at: string; round: number; phase: string; endsAt: number; seats: number | null; role: string | null } | null;
  duties: DutyStatus[];
  /** The job that the compute process is at. */
  work: { id: string; done: number; total: number } | null;
  /** What computed last, or does now; see `DeviceReport`. */
  engine: Engine | null;
  lastError: { at: string; message: string } | null;
};

export type StatusFile = {
  update(changes: Partial<WorkerStatus>): void;
  look(look: Look, duties: DutyStatus[]): void;
  error(error: Error): void;
  /** Waits until the file says what was said last. */
  flush(): Promise<void>;
};

/** The status file of the process that schedules; a process with other roles alone has one named by them. */
export function statusFileOf(work: string, roles: readonly string[]): string {
  return join(work, roles.includes("scheduler") ? "status.json" : `status-${roles.join("-")}.json`);
}

/** Opens the status file; writes follow each other, and what is overtaken is left out. */
export function openStatus(work: string, first: WorkerStatus): StatusFile {
  const file = statusFileOf(work, first.roles);
  let status = first;
  let dirty = false;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (dirty) {
      dirty = false;
      await writeFileAtomic(file, `${JSON.stringify(status, null, 2)}\n`).catch(() => {}); // a full disk must not end us
    }
    writing = undefined;
  }
  function update(changes: Partial<WorkerStatus>): void {
    status = { ...status, ...changes };
    dirty = true;
    writing ??= write();
  }
  update({});
  return {
    update,
    look({ situation, endsAt }, duties) {
      const { round, phase, role, seats = null } = situation;
      const plays = role === undefined ? null : nameOf(Role, role);
      const at = new Date().toISOString();
      update({ seen: { at, round, phase: nameOf(Phase, phase), endsAt, seats, role: plays }, duties });
    },
    error: ({ message }) => update({ lastError: { at: new Date().toISOString(), message } }),
    flush: async () => await writing,
  };
}
