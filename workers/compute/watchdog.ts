import { parentPort, workerData } from "node:worker_threads";

/**
 * A thread that ends its process when the parent process is gone. The closed IPC channel says the same, but nobody
 * listens while a long native call holds the main thread.
 */
const { parent } = workerData as { parent: number };
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, 500);
parentPort?.postMessage("watching");
