/**
 * Gives a serialised graph: what `build` makes, or what it made earlier from the same facts. The facts are plain data that decide the graph, beside the program's
 * own text.
 */
export type Graphs = (facts: unknown, build: () => Uint8Array) => Promise<Uint8Array>;

/** Keeps nothing. */
export const builtAnew: Graphs = async (_, build) => build();
