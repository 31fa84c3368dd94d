// `npm run clean`: removes what can be made again. Plain JavaScript of Node 18: it must not bring packages first.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const made = ["artifacts", "cache", "coverage", "ignition/deployments/chain-31337"];
// Runs hold keys and results: they go only when asked for by name.
if (process.argv.includes("--runs")) made.push(".flock");
for (const entry of readdirSync(root)) if (entry.endsWith(".tsbuildinfo")) made.push(entry);

for (const path of made.filter((path) => existsSync(join(root, path)))) {
  rmSync(join(root, path), { recursive: true, force: true });
  console.log(`removed ${path}`);
}
if (!process.argv.includes("--runs") && existsSync(join(root, ".flock"))) {
  console.log("kept .flock (runs, with their keys); npm run clean -- --runs removes it too");
}
