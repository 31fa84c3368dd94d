import { type Address, encodeAbiParameters, type Hex, keccak256, stringToHex } from "viem";

/** Where a commitment belongs; it opens nowhere else. `contract` is Rounds for a proposal, ValidatorVoting for a ballot. */
export type Place = { chainId: number; contract: Address; task: bigint; round: number; operator: Address };

/** A proposal's content: sha256 of the artifact. */
export type ProposalContent = { artifact: Hex; salt: Hex };

/** A ballot's content: packed scores, sha256 of the report, first 20 bytes of the sha256 of the head it measured against. */
export type BallotContent = { scores: bigint; report: Hex; head: Hex; salt: Hex };

const proposalType = keccak256(stringToHex("flock.proposal.1"));
const ballotType = keccak256(stringToHex("flock.ballot.1"));

const place = [
  { type: "bytes32", name: "type" },
  { type: "uint256", name: "chainId" },
  { type: "address", name: "contract" },
  { type: "uint64", name: "task" },
  { type: "uint32", name: "round" },
  { type: "address", name: "operator" },
] as const;

const proposalParameters = [
  ...place,
  { type: "bytes32", name: "artifact" },
  { type: "bytes32", name: "salt" },
] as const;
const ballotParameters = [
  ...place,
  { type: "uint256", name: "scores" },
  { type: "bytes32", name: "report" },
  { type: "bytes20", name: "head" },
  { type: "bytes32", name: "salt" },
] as const;

export function proposalCommitment(where: Place, { artifact, salt }: ProposalContent): Hex {
  const { chainId, contract, task, round, operator } = where;
  return keccak256(
    encodeAbiParameters(proposalParameters, [
      proposalType,
      BigInt(chainId),
      contract,
      task,
      round,
      operator,
      artifact,
      salt,
    ]),
  );
}

export function ballotCommitment(where: Place, { scores, report, head, salt }: BallotContent): Hex {
  const { chainId, contract, task, round, operator } = where;
  return keccak256(
    encodeAbiParameters(ballotParameters, [
      ballotType,
      BigInt(chainId),
      contract,
      task,
      round,
      operator,
      scores,
      report,
      head,
      salt,
    ]),
  );
}
