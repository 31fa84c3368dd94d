import { type Address, keccak256 } from "viem";
import { defaultTerms, type Terms } from "../../protocol/terms.ts";
import { Role } from "../../protocol/words.ts";
import type { Call, FlockChain } from "../../test/support/flockChain.ts";
import { accountOf, type Crew } from "./gasRound.ts";

/** Those who act hold ten million times the stake of everybody else together: whether they have seats is no accident. */
export const ACTING_STAKE = 10n ** 23n;
export const SEAT_STAKE = 10n ** 12n;

/** Gives tokens for `stakes` stakes, and an allowance that every stake uses up a little, as those of real wallets are. */
export async function endow(chain: FlockChain, holder: Address, stakes: bigint): Promise<void> {
  await chain.endow(holder, stakes * ACTING_STAKE);
  await chain.act(holder, "FlockToken", "approve", [chain.deployment.addresses.Staking, 10n ** 40n]);
}

/** Creates and funds a task, in which those who act stake. */
export async function openTask(
  chain: FlockChain,
  { task, ...crew }: Pick<Crew, "task" | "trainers" | "voters">,
  expected: Pick<Terms, "expectedTrainers" | "expectedVoters">,
): Promise<Crew> {
  const terms: Terms = { ...defaultTerms, ...expected, seatStake: SEAT_STAKE, rounds: 1000 };
  const creator = accountOf("creator", Number(task));
  await endow(chain, creator, 1n);
  await chain.act(creator, "TaskRegistry", "createTask", [terms, keccak256("0x01")]);
  await chain.act(creator, "RewardDistributor", "fund", [task, ACTING_STAKE / 2n]);
  for (const [role, operators] of rolesOf(crew)) {
    for (const operator of operators) {
      await endow(chain, operator, 3n);
      await chain.act(operator, "Staking", "stake", [task, role, ACTING_STAKE]);
    }
  }
  return { task, terms, ...crew };
}

/** Stakes for passive operators number `from` to `to` of a task, trainers and validators in turn. */
export async function addPassive(chain: FlockChain, task: bigint, from: number, to: number): Promise<void> {
  const [holder] = (await chain.request("eth_accounts")) as [Address];
  const { Staking } = chain.deployment.addresses;
  for (let first = from; first < to; first += 1000) {
    const operators = Array.from({ length: Math.min(to - first, 1000) }, (_, n) =>
      accountOf(`passive ${task}`, first + n),
    );
    const calls = (call: (operator: Address, n: number) => Omit<Call, "contract">, contract: Call["contract"]) =>
      chain.actAll(operators.map((operator, n) => ({ ...call(operator, n), contract })));
    await calls((operator) => ({ from: holder, name: "transfer", args: [operator, SEAT_STAKE] }), "FlockToken");
    await calls((from) => ({ from, name: "approve", args: [Staking, SEAT_STAKE] }), "FlockToken");
    const role = (n: number) => (n % 2 === 0 ? Role.Trainer : Role.Validator);
    await calls((from, n) => ({ from, name: "stake", args: [task, role(n), SEAT_STAKE] }), "Staking");
  }
}

/** What passive operators number 0 to `count` - 1 stake in one role. */
export function passiveStake(role: Role, count: number): bigint {
  return SEAT_STAKE * BigInt(role === Role.Trainer ? Math.ceil(count / 2) : Math.floor(count / 2));
}

export function rolesOf({ trainers, voters }: Pick<Crew, "trainers" | "voters">) {
  return [
    [Role.Trainer, trainers],
    [Role.Validator, voters],
  ] as const;
}
