// One at a time across processes, for what must not be done twice at once. Plain JavaScript of Node 18.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Runs `work` while this process alone holds the lock file `path`; waits for whoever holds it, and takes it over from
 * a process that is gone. Calls `onWait` with the holder's process id once, if there is somebody to wait for.
 */
export function withLock(path, work, onWait = () => {}) {
  mkdirSync(dirname(path), { recursive: true });
  let waited = false;
  while (!take(path)) {
    const holder = holderOf(path);
    if (holder === undefined) {
      rmSync(path, { force: true });
      continue;
    }
    if (!waited) onWait(holder);
    waited = true;
    sleep(200);
  }
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path) {
  try {
    const file = openSync(path, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
  // Two that find a dead holder at once may each remove the other's new file: the last one written stands.
  sleep(50);
  return read(path) === String(process.pid);
}

/** The process that holds the lock, or undefined if it is gone. */
function holderOf(path) {
  const text = read(path);
  if (text === "") {
    sleep(200); // Just made and not yet written, or its maker died in between.
    if (read(path) === "") return undefined;
  }
  const holder = Number(read(path));
  if (!(holder > 0)) return undefined;
  try {
    process.kill(holder, 0);
    return holder;
  } catch (error) {
    return error.code === "EPERM" ? holder : undefined;
  }
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Blocks: nothing else can happen here before the lock is ours. */
function sleep(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
