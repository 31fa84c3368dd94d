import { flushCompileCache } from "node:module";
import { openDevices } from "./device.ts";
import { computeHead } from "./head.ts";
import { openRecipes } from "./recipe.ts";
import { computeScores } from "./scores.ts";
import { serveCompute } from "./serve.ts";
import { computeUpdate } from "./update.ts";

/** The compute program: the one process that holds the device. */
const recipes = openRecipes();
const devices = openDevices();
serveCompute({
  aggregate: (request) => computeHead(recipes, request),
  train: (request, doing) => computeUpdate({ recipes, devices }, request, doing),
  validate: (request, doing) => computeScores({ recipes, devices }, request, doing),
});
// Not at the end, for it dies of a signal: the next start finds the program compiled.
flushCompileCache();
