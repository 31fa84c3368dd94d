import { readSources, type Sources } from "../solidity/compiler.ts";
import { type Node, parse, rangeOf, type Source } from "../solidity/syntax.ts";
import { givingBack } from "./giveBack.ts";
import { sliced } from "./slice.ts";

/** One claim about the contracts: a contract of test/smt with one function that ends in one `assert`. */
export type Property = {
  name: string;
  path: string;
  /** What it says, in words. */
  claim: string;
  /** A source file with this property alone. */
  text: string;
  /** The files it imports, with no more functions of libraries than it reaches. */
  imports: Sources;
};

const mathOfPackage = "@openzeppelin/contracts/utils/math/Math.sol";
const mathOfOurs = "test/smt/support/Math.sol";

/** Reads test/smt, and the libraries as the model checker can understand them. */
export function readProperties(): Property[] {
  const { [mathOfOurs]: math = "", ...files } = readSources("test/smt");
  const libraries = readSources("contracts/interfaces", "contracts/libraries", "contracts/types");
  return propertiesOf(files, libraries, math);
}

/** `math` stands for OpenZeppelin's Math, whose assembly the model checker cannot see through. */
export function propertiesOf(files: Sources, libraries: Sources, math: string): Property[] {
  const seen = parse(libraries).map((source) => [source.path, givingBack(source)] as const);
  const imports = { ...Object.fromEntries(seen), [mathOfPackage]: math };
  const all = parse(files, imports);
  return all.filter(({ path }) => path in files).flatMap((source) => propertiesIn(source, all));
}

function propertiesIn(source: Source, all: readonly Source[]): Property[] {
  const nodes = source.tree.nodes as ContractNode[];
  const claims = nodes.filter(({ nodeType, abstract }) => nodeType === "ContractDefinition" && abstract === false);
  return claims.map((own) => {
    // Other claims would make the question larger.
    const kept = nodes.filter((node) => node === own || !claims.includes(node));
    const others = claims.filter((node) => node !== own).map(rangeOf);
    const text = others.reduceRight((rest, [start, end]) => rest.slice(0, start) + rest.slice(end), whole(source));
    const claim = own.documentation?.text.replace(/^@notice\s+/, "").replaceAll(/\s+/g, " ") ?? "";
    return { name: own.name, path: source.path, claim, text, imports: sliced(all, kept) };
  });
}

type ContractNode = Node & {
  name: string;
  abstract?: boolean | undefined;
  documentation?: { text: string } | undefined;
};

function whole(source: Source): string {
  return source.slice(0, source.length);
}
