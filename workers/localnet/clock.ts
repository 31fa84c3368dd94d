import { setTimeout as sleep } from "node:timers/promises";
import type { Address, PublicClient, TestClient } from "viem";
import type { Deployment } from "../../protocol/deployment.ts";
import { PassingError } from "../../protocol/errors.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { Phase, Role } from "../../protocol/words.ts";

const LOOK_MS = 400;
/** Seconds without any progress after which a phase is ended although somebody has not acted. */
const PATIENCE = 150;

/** How far the open round is: what was done in its phase of what can still be expected. */
export type Progress = { round: number; phase: Phase; done: number; expected: number; endsAt: number };

type Contracts = { chain: { client: PublicClient; clock: TestClient }; deployment: Deployment; task: bigint };
type Party = { operator: Address; role: Role };

/**
 * Drives the clock of a local chain: when everybody who has seats in a phase has done its duty, time jumps to the
 * phase's end. It decides from public views only and moves nothing but time; who does not act is waited for, then passed over.
 */
export async function driveClock(
  contracts: Contracts,
  {
    parties,
    onProgress,
    onRoundEnd,
    signal,
  }: {
    parties: readonly Party[];
    onProgress: (progress: Progress) => void;
    onRoundEnd: (round: number) => Promise<void>;
    signal: AbortSignal;
  },
): Promise<void> {
  let seen = "";
  let since = Date.now();
  let open = 0; // number of the round that was open at the last look
  for (;;) {
    signal.throwIfAborted();
    const progress = await look(contracts, parties);
    if (open !== 0 && progress?.round !== open) await onRoundEnd(open);
    open = progress?.round ?? 0;
    if (progress === undefined && (await isOver(contracts))) return;
    if (progress !== undefined) onProgress(progress);
    const state = JSON.stringify([progress?.round, progress?.phase, progress?.done]);
    if (state !== seen) {
      seen = state;
      since = Date.now();
    }
    const stalled = Date.now() - since > PATIENCE * 1000;
    if (progress !== undefined && progress.endsAt > 0) {
      if (progress.done >= progress.expected || stalled) await jump(contracts, progress.endsAt);
    } else if (stalled) {
      const what = progress === undefined ? "opened the next round" : `settled round ${progress.round}`;
      throw new PassingError(`Nobody has ${what} for ${PATIENCE} s; the workers' logs in the run folder say why.`);
    }
    await sleep(LOOK_MS, undefined, { signal });
  }
}

/** Where the open round stands; undefined if none is open. */
async function look(
  { chain: { client }, deployment, task }: Contracts,
  parties: readonly Party[],
): Promise<Progress | undefined> {
  const blockNumber = await client.getBlockNumber();
  const rounds = { address: deployment.addresses.Rounds, abi: abis.Rounds, blockNumber } as const;
  const voting = { address: deployment.addresses.ValidatorVoting, abi: abis.ValidatorVoting, blockNumber } as const;
  const [round, [phase, endsAt], poll] = await Promise.all([
    client.readContract({ ...rounds, functionName: "round", args: [task] }),
    client.readContract({ ...voting, functionName: "phase", args: [task] }),
    client.readContract({ ...voting, functionName: "poll", args: [task] }),
  ]);
  if (!round.open) return undefined;

  const seated = async (role: Role) => {
    const inPool = parties.filter((party) => party.role === role);
    const seats = await Promise.all(
      inPool.map(({ operator }) =>
        client.readContract({ ...rounds, functionName: "seats", args: [task, role, operator] }),
      ),
    );
    return seats.filter((count) => count > 0).length;
  };
  const at = { round: round.number, phase: phase as Phase, endsAt };
  const ballots = poll.round === round.number ? poll : { ballots: 0, revealed: 0 };
  switch (phase) {
    case Phase.Propose: {
      const seedKnown = blockNumber > round.seedBlock;
      return { ...at, done: round.sealedCount, expected: seedKnown ? await seated(Role.Trainer) : Infinity };
    }
    case Phase.Publish:
      return { ...at, done: round.published, expected: round.sealedCount };
    case Phase.Ballot: {
      const seedKnown = blockNumber > round.voterBlock;
      return { ...at, done: ballots.ballots, expected: seedKnown ? await seated(Role.Validator) : Infinity };
    }
    case Phase.Reveal:
      return { ...at, done: ballots.revealed, expected: ballots.ballots };
    default:
      return { ...at, done: 0, expected: 1 };
  }
}

/** Whether no further round can be opened: all are used up, or too many in a row were void. */
async function isOver({ chain: { client }, deployment, task }: Contracts): Promise<boolean> {
  const { Rounds, TaskRegistry } = deployment.addresses;
  const [left, round, terms] = await Promise.all([
    client.readContract({ address: Rounds, abi: abis.Rounds, functionName: "roundsLeft", args: [task] }),
    client.readContract({ address: Rounds, abi: abis.Rounds, functionName: "round", args: [task] }),
    client.readContract({ address: TaskRegistry, abi: abis.TaskRegistry, functionName: "terms", args: [task] }),
  ]);
  return left === 0n || round.voids >= terms.maxVoids;
}

async function jump({ chain: { client, clock } }: Contracts, timestamp: number): Promise<void> {
  const { timestamp: now } = await client.getBlock();
  if (BigInt(timestamp) <= now) return;
  await clock.setNextBlockTimestamp({ timestamp: BigInt(timestamp) });
  await clock.mine({ blocks: 1 });
}
