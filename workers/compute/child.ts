import { computeHead } from "./head.ts";
import { openRecipes } from "./recipe.ts";
import { computeScores } from "./scores.ts";
import { serveCompute } from "./serve.ts";
import { computeUpdate } from "./update.ts";

/** The compute program: the one process that holds the device. */
const recipes = openRecipes();
serveCompute({
  aggregate: (request) => computeHead(recipes, request),
  train: (request, doing) => computeUpdate(recipes, request, doing),
  validate: (request, doing) => computeScores(recipes, request, doing),
});
