import { encodeAbiParameters, type Hex, keccak256 } from "viem";

/** One step of a head: what was accepted in `round` of `published` proposals, in slot order, with its factors. */
export type Step = {
  parentId: Hex;
  round: number;
  published: number;
  artifacts: readonly Hex[];
  factors: readonly bigint[];
};

const parameters = [
  { type: "bytes32", name: "parentId" },
  { type: "uint32", name: "round" },
  { type: "uint256", name: "published" },
  { type: "bytes32[]", name: "artifacts" },
  { type: "uint256[]", name: "factors" },
] as const;

/** The id of the head that a step leads to: it names its whole lineage. The first head's id is the manifest's digest. */
export function headId({ parentId, round, published, artifacts, factors }: Step): Hex {
  return keccak256(encodeAbiParameters(parameters, [parentId, round, BigInt(published), artifacts, factors]));
}
