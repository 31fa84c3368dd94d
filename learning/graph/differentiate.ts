import { FlockError } from "../../protocol/errors.ts";
import { expectShape, type Graph, type Value } from "./ir.ts";
import { add } from "./rules/add.ts";

/** Adds the operators that compute the derivative of a scalar by each of the tracked values `by`; see `pullBack`. */
export function differentiate(graph: Graph, loss: Value, by: readonly Value[]): Value[] {
  return pullBack(graph, expectShape(loss, []), graph.scalar(1, loss), by);
}

/**
 * Adds the operators that turn the gradient of an output into those of the tracked values `by`: reverse-mode differentiation, the tape of
 * the forward pass walked backwards, gradients of a value that is used twice summed.
 *
 * @returns gradients in the order and of the shapes of `by`.
 */
export function pullBack(graph: Graph, output: Value, gradient: Value, by: readonly Value[]): Value[] {
  const gradients = new Map<Value, Value>([[output, expectShape(gradient, output.shape)]]);
  // A copy: the rules add to the tape while they write the gradients, and those entries are not ours.
  for (const { output, derivations } of graph.tape.toReversed()) {
    const gradient = gradients.get(output);
    if (gradient === undefined) continue;
    for (const [input, derive] of derivations) {
      const part = expectShape(derive(gradient), input.shape);
      const sum = gradients.get(input);
      gradients.set(input, sum === undefined ? part : add(graph, sum, part));
    }
  }
  return by.map((value) => {
    const gradient = gradients.get(value);
    if (gradient === undefined) throw new FlockError(`${output.name} does not depend on ${value.name}.`);
    return gradient;
  });
}
