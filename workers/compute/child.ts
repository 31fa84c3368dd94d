import { aggregate } from "./aggregate.ts";
import { openRecipes } from "./recipe.ts";
import { serveCompute } from "./serve.ts";
import { trainUpdate } from "./train.ts";
import { validateProposals } from "./validate.ts";

/** The compute program: the one process that holds the device. */
const recipes = openRecipes();
serveCompute({
  aggregate: (request) => aggregate(recipes, request),
  train: (request, doing) => trainUpdate(recipes, request, doing),
  validate: (request, doing) => validateProposals(recipes, request, doing),
});
