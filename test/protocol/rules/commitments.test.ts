import assert from "node:assert/strict";
import { test } from "node:test";
import { keccak256, stringToHex } from "viem";
import { ballotCommitment, type Place, proposalCommitment } from "../../../protocol/rules/commitments.ts";
import { headId } from "../../../protocol/rules/lineage.ts";
import { addressOf, headOf, wordOf } from "../../support/words.ts";

const place: Place = { chainId: 31337, contract: addressOf(1), task: 2n, round: 3, operator: addressOf(4) };
const ballot = { scores: 5n, report: wordOf(6), head: headOf(7), salt: wordOf(8) };

const left = (n: bigint) => n.toString(16).padStart(64, "0");
const type = (name: string) => keccak256(stringToHex(name)).slice(2);

test("a proposal's commitment is the hash of type, chain, contract, task, round, operator, artifact and salt", () => {
  const words = [type("flock.proposal.1"), ...[31337n, 1n, 2n, 3n, 4n, 9n, 8n].map(left)];
  assert.equal(proposalCommitment(place, { artifact: wordOf(9), salt: wordOf(8) }), keccak256(`0x${words.join("")}`));
});

test("a ballot's commitment is the hash of type, chain, contract, task, round, operator, scores, report, head and salt", () => {
  const head = headOf(7).slice(2).padEnd(64, "0");
  const words = [type("flock.ballot.1"), ...[31337n, 1n, 2n, 3n, 4n, 5n, 6n].map(left), head, left(8n)];
  assert.equal(ballotCommitment(place, ballot), keccak256(`0x${words.join("")}`));
});

test("nothing that a commitment binds can be exchanged", () => {
  const places: Partial<Place>[] = [
    {},
    { chainId: 1 },
    { contract: addressOf(9) },
    { task: 9n },
    { round: 9 },
    { operator: addressOf(9) },
  ];
  const contents = [{}, { scores: 9n }, { report: wordOf(9) }, { head: headOf(9) }, { salt: wordOf(9) }];
  const all = [
    ...places.map((change) => ballotCommitment({ ...place, ...change }, ballot)),
    ...contents.slice(1).map((change) => ballotCommitment(place, { ...ballot, ...change })),
    ...places.map((change) => proposalCommitment({ ...place, ...change }, { artifact: wordOf(6), salt: wordOf(8) })),
  ];
  assert.equal(new Set(all).size, all.length);
});

test("a head's id is the hash of parent, round, published count, artifacts and factors", () => {
  const step = { parentId: wordOf(1), round: 2, published: 3, artifacts: [wordOf(4), wordOf(5)], factors: [6n, 7n] };
  const words = [1n, 2n, 3n, 160n, 256n, 2n, 4n, 5n, 2n, 6n, 7n].map(left);
  assert.equal(headId(step), keccak256(`0x${words.join("")}`));
  assert.notEqual(headId(step), headId({ ...step, artifacts: [wordOf(5), wordOf(4)] }));
  assert.notEqual(headId(step), headId({ ...step, published: 4 }));
});
