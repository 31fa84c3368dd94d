import { type Address, getAddress } from "viem";
import { abis } from "../../protocol/generated/abis.ts";
import { quorumOf } from "../../protocol/rules/tally.ts";
import { MAX_BALLOTS, Phase, Role } from "../../protocol/words.ts";
import { reach } from "../chain/failure.ts";
import { firstBlock, readEvents } from "../chain/logs.ts";
import type { Chain } from "../chain/open.ts";
import type { RoundView } from "../chain/roundView.ts";

/** A voter with seats that sealed no ballot and is not accused yet. */
export type Absent = { operator: Address; seats: number };

/** Stakers that one operator asks the contracts about in a round; each costs one request, once. */
const MOST_STAKERS = 256;
/** Requests at a time. */
const BATCH = 16;

/** A function that finds the absent voters of the round that a view shows; nobody as long as nobody can be accused. */
export function openAbsences(chain: Chain, task: bigint): (view: RoundView) => Promise<Absent[]> {
  const stakers = new Map<Address, Role>();
  let next = BigInt(chain.deployment.block);
  let seatsIn = { round: 0, known: new Map<Address, number>() };

  async function readStakers(toBlock: bigint): Promise<void> {
    const logs = await readEvents(chain, {
      contract: "Staking",
      event: "Staked",
      args: { task },
      fromBlock: next,
      toBlock,
    });
    for (const { args } of logs) stakers.set(getAddress(args.operator), args.role as Role);
    next = toBlock + 1n; // a stake that a reorganisation undid has no seats, and so does no harm here
  }

  return async (view) => {
    const { phase, round, sealedSeats, sealedBallots, accused, terms, block } = view;
    const full = sealedBallots + accused >= MAX_BALLOTS;
    if (phase !== Phase.Reveal || sealedSeats < quorumOf(terms) || full) return [];
    await readStakers(block.number);
    if (seatsIn.round !== round) seatsIn = { round, known: new Map() };
    const { known } = seatsIn;
    const present = await readPresent(chain, view);
    const candidates = [...stakers]
      .filter(([operator, role]) => role !== Role.Trainer && !present.has(operator))
      .map(([operator]) => operator);
    const asked = candidates.filter((operator) => !known.has(operator)).slice(0, MOST_STAKERS - known.size);
    for (let from = 0; from < asked.length; from += BATCH) {
      const batch = asked.slice(from, from + BATCH);
      const seats = await Promise.all(batch.map((operator) => readVoterSeats(chain, task, operator)));
      for (const [index, operator] of batch.entries()) known.set(operator, seats[index] as number);
    }
    return candidates
      .map((operator) => ({ operator, seats: known.get(operator) ?? 0 }))
      .filter(({ seats }) => seats > 0);
  };
}

/** Who sealed a ballot or is accused already. */
async function readPresent(chain: Chain, { task, round, seedBlock, block }: RoundView): Promise<Set<Address>> {
  const where = { task, round, seedBlock };
  const range = { args: { task, round }, fromBlock: firstBlock(chain, where), toBlock: block.number };
  const logs = await Promise.all([
    readEvents(chain, { contract: "ValidatorVoting", event: "BallotCommitted", ...range }),
    readEvents(chain, { contract: "ValidatorVoting", event: "AbsenceAccused", ...range }),
  ]);
  return new Set(logs.flat().map(({ args }) => getAddress(args.operator)));
}

function readVoterSeats({ client, deployment }: Chain, task: bigint, operator: Address): Promise<number> {
  return reach("reading a voter's seats", () =>
    client.readContract({
      address: deployment.addresses.Rounds,
      abi: abis.Rounds,
      functionName: "seats",
      args: [task, Role.Validator, operator],
    }),
  );
}
