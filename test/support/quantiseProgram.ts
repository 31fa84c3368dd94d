import { quantiseFolder } from "../../workers/cli/quantisedFolder.ts";

/** Quantises the base of one folder into another, and tells the most memory that it took, in bytes; or kills itself when so many percent are done. */
const [model, out, killAt = "101"] = process.argv.slice(2) as [string, string, string?];
const onProgress = (done: number, total: number) => {
  if ((100 * done) / total >= Number(killAt)) process.kill(process.pid, "SIGKILL");
};
await quantiseFolder({ model, out, signal: new AbortController().signal, onProgress });
console.log(process.resourceUsage().maxRSS * 1024);
