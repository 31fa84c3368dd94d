import { type Address, toHex, zeroHash } from "viem";
import { weightIn } from "../protocol/replay/stakes.ts";
import {
  accountOf,
  type Ballot,
  delegationOf,
  openNumber,
  type Proposal,
  type Round,
  signersOf,
  type Task,
} from "../protocol/replay/state.ts";
import { type Delegation, touchedPool, touchedPosition } from "../protocol/rules/delegation.ts";
import { signerIn } from "../protocol/rules/signers.ts";
import { touched } from "../protocol/rules/stakePool.ts";
import { BallotState } from "../protocol/words.ts";
import { type Difference, differences } from "./difference.ts";
import type { Getters } from "./getters.ts";

/** Differences in everything that one operator has in a task: stake, delegators, signer, and what it sealed. */
export async function compareOperator(getters: Getters, task: Task, operator: Address): Promise<Difference[]> {
  const of = `of ${operator} in task ${task.id}`;
  const signer = signerIn(signersOf(task, operator), task.round?.number ?? 0);
  const [account, weight, signerOf, pool, sealed] = await Promise.all([
    getters.account(task.id, operator),
    getters.weightOf(task.id, operator),
    getters.signerOf(task.id, operator),
    task.delegations.has(operator) ? comparePool(getters, task, operator) : [],
    task.round === undefined ? [] : compareSealed(getters, task, task.round, operator),
  ]);
  return [
    ...differences(`account ${of}`, touched(accountOf(task, operator), openNumber(task)), account),
    ...differences(`weight ${of}`, weightIn(task, operator), weight),
    ...differences(`signer ${of}`, { signer }, { signer: signerOf }),
    ...pool,
    ...sealed,
  ];
}

/** What the contract keeps of a pool. */
function poolRecord({ marks, ends, left, owed, ...pool }: Delegation) {
  return pool;
}

async function comparePool(getters: Getters, task: Task, operator: Address): Promise<Difference[]> {
  const open = openNumber(task);
  const pool = touchedPool(delegationOf(task, operator), open);
  const of = `of ${operator} in task ${task.id}`;
  const positions = [...(task.positions.get(operator) ?? [])];
  const [found, ...theirs] = await Promise.all([
    getters.pool(task.id, operator),
    ...positions.map(([owner]) => getters.position(task.id, operator, owner)),
  ]);
  return [
    ...differences(`pool ${of}`, poolRecord(pool), found),
    ...positions.flatMap(([owner, position], i) =>
      differences(`position of ${owner} ${of}`, touchedPosition(position, pool, open), theirs[i]!),
    ),
  ];
}

async function compareSealed(getters: Getters, task: Task, round: Round, operator: Address): Promise<Difference[]> {
  const { number } = round;
  const [proposal, ballot] = await Promise.all([
    getters.proposal(task.id, operator),
    getters.ballot(task.id, operator),
  ]);
  const of = `of ${operator} in round ${number}`;
  const [proposed, voted] = [proposalRecord(round, operator), ballotRecord(round, operator)];
  return [
    ...differences(`proposal ${of}`, proposed, { ...proposal, sealed: proposal.round === number }),
    ...differences(`ballot ${of}`, voted, { ...ballot, sealed: ballot.round === number }),
  ];
}

function proposalRecord({ number: round, proposals }: Round, operator: Address) {
  const proposal: Proposal | undefined = proposals.get(operator);
  if (proposal === undefined) return { sealed: false };
  const { seats, commitment, slot, artifact } = proposal;
  return { sealed: true, round, seats, slot: slot ?? 0, published: slot !== undefined, word: artifact ?? commitment };
}

function ballotRecord({ number: round, ballots, absences }: Round, operator: Address) {
  const absence = absences.get(operator);
  if (absence !== undefined) {
    return { sealed: true, round, seats: absence.seats, state: BallotState.Absent, head: absence.accuser };
  }
  const ballot: Ballot | undefined = ballots.get(operator);
  if (ballot === undefined) return { sealed: false };
  const { seats, commitment, scores, head } = ballot;
  if (scores === undefined) {
    const unnamed = zeroHash.slice(0, 42);
    return { sealed: true, round, seats, state: BallotState.Sealed, word: commitment, head: unnamed };
  }
  return { sealed: true, round, seats, state: BallotState.Revealed, word: toHex(scores, { size: 32 }), head };
}
