import { compile, errorsOf, type Message } from "../solidity/compiler.ts";
import type { Property } from "./properties.ts";

/** Whether a property holds for every input; "not proved" where the solver gave up. */
export type Answer = "proved" | "refuted" | "not proved";

/** What became of a property. */
export type Result = { name: string; answer: Answer };

type Solve = (query: string) => { contents: string };

/** What the compiler says of an assertion, by the number of its message. */
const answers: Record<string, Answer> = { "9576": "proved", "6328": "refuted" };

/**
 * Asks the model checker about one property, as constrained Horn clauses. Proved is only what can be reached as well:
 * if some input gets as far as the assertion, `assert(false)` in its place is refuted. Throws what the compiler refuses.
 */
export function prove(property: Property, solve: Solve): Answer {
  const answer = ask(property, solve);
  return answer === "proved" && ask(reachability(property), solve) !== "refuted" ? "not proved" : answer;
}

/** What the model checker says of the one assertion of a property. */
export function ask({ name, path, text, imports }: Property, solve: Solve): Answer {
  const output = compile({
    sources: { [path]: text },
    imports,
    select: { [path]: { [name]: ["abi"] } },
    settings: {
      modelChecker: {
        engine: "chc",
        contracts: { [path]: [name] },
        targets: ["assert"],
        solvers: ["smtlib2"],
        showProvedSafe: true,
        showUnproved: true,
      },
    },
    solve,
  });
  const [error] = errorsOf(output);
  if (error !== undefined) throw new Error(error.formattedMessage ?? error.message);
  const found = (output.errors ?? []).flatMap((message) => answerOf(message) ?? []);
  // An assertion that nothing is said about was not reached, and so not asked about.
  return found.length === 1 ? (found[0] as Answer) : "not proved";
}

function answerOf({ errorCode = "", message }: Message): Answer | undefined {
  const answer = answers[errorCode];
  return answer === "refuted" && /might happen/.test(message) ? "not proved" : answer;
}

/** The property with `false` for what it asserts. */
function reachability(property: Property): Property {
  return { ...property, text: property.text.replace(/\bassert\([\s\S]*?\);/, "assert(false);") };
}
