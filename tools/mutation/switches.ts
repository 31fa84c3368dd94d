import type { Sources } from "../solidity/compiler.ts";
import type { Source } from "../solidity/syntax.ts";
import type { Mutant } from "./mutants.ts";
import { type FunctionSpan, type Span, SwitchWriter } from "./switchWriter.ts";

/** The name of the file, and of its function, that says which mutant runs. */
const switchFile = "mutation/Switch.sol";
const switchName = "__mutant";

/** Block producers that choose a mutant: no contract reads who made a block, and no other address is near. */
const firstProducer = 0xf10c_0000_0000n;

/**
 * Reads the number of the mutant from the address of the block's producer. The pointer's type is changed because pure
 * functions have to ask as well.
 */
const switchText = `// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

function __read() view returns (uint256 id) {
    assembly { id := sub(coinbase(), ${firstProducer}) }
}

function __mutant() pure returns (uint256) {
    function () view returns (uint256) reads = __read;
    function () pure returns (uint256) asks;
    assembly { asks := reads }
    return asks();
}
`;

/** Sources that hold many mutants at once, and what is where in them. */
export type Switched = { sources: Sources; spans: Span[]; functions: FunctionSpan[] };

/** The block producer under which mutant `number` runs; 0 is the unchanged program. */
export function producerOf(number: number): Uint8Array {
  return Buffer.from((firstProducer + BigInt(number)).toString(16).padStart(40, "0"), "hex");
}

/**
 * Rewrites sources so that mutant `numbers.get(m)` runs in a block of `producerOf` that number: an expression e with
 * a mutant e' becomes `(number == n ? (e') : (e))`, a statement an `if`. All mutants need a host. A function asks for
 * the number once and keeps it, except those in `full`, whose stack has no place for it.
 */
export function withSwitches(
  sources: readonly Source[],
  numbers: ReadonlyMap<Mutant, number>,
  full: ReadonlySet<string>,
): Switched {
  const switched: Switched = { sources: { [switchFile]: switchText }, spans: [], functions: [] };
  for (const source of sources) {
    const own = [...numbers.keys()].filter(({ path }) => path === source.path);
    const writer = new SwitchWriter(source, numbers, switchName);
    writer.add(`import {${switchName}} from "${switchFile}";`);
    writer.file(own, full);
    switched.sources[source.path] = writer.text;
    switched.spans.push(...writer.spans);
    switched.functions.push(...writer.functions);
  }
  return switched;
}
