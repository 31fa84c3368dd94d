import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address, Hex } from "viem";
import { abis } from "../../protocol/generated/abis.ts";
import type { Terms } from "../../protocol/terms.ts";
import { Role } from "../../protocol/words.ts";
import { type Chain, openChain } from "../../workers/chain/open.ts";
import type { Ballot } from "../../workers/sender/acts/act.ts";
import { operatorKey } from "../../workers/sender/key.ts";
import { type OpenSenderParameters, openSender, type Sender } from "../../workers/sender/sender.ts";
import type { LocalChain, TestAccount } from "./localChain.ts";
import { someTerms } from "./terms.ts";

/** Short phases; one seat for everyone where two trainers, or three validators, stake the same. */
export const shortTerms: Terms = someTerms({
  ...{ propose: 100, publish: 100, ballot: 100, reveal: 100, grace: 50, unbonding: 1_000 },
  ...{ rounds: 3, expectedTrainers: 2, expectedVoters: 3 },
});

export type TestOperator = { address: Address; account: TestAccount; sender: Sender; ballots: Map<Hex, Ballot> };

export type OperatorsRoom = {
  chain: Chain;
  dir: string;
  /** An operator with a sender of its own, quick enough for a test. */
  operator(index: number, options?: Partial<OpenSenderParameters>): TestOperator;
  /** Creates a task with two trainers (accounts 1, 2) and three validators (3, 4, 5), all staked, and returns its number. */
  staffedTask(terms?: Terms): Promise<{ task: bigint; trainers: TestOperator[]; validators: TestOperator[] }>;
  close(): Promise<void>;
};

/** A place for operators of a local chain: their folders, their tokens, their tasks. */
export async function openOperatorsRoom(local: LocalChain): Promise<OperatorsRoom> {
  const dir = await mkdtemp(join(tmpdir(), "flock-operators-"));
  const chain = await openChain({ rpcUrls: [local.url], chainId: local.chainId, deployment: local.deployment });
  const senders: Sender[] = [];

  const room: OperatorsRoom = {
    chain,
    dir,
    operator(index, options = {}) {
      const account = local.accounts[index] as TestAccount;
      const ballots = new Map<Hex, Ballot>();
      const sender = openSender({
        chain,
        key: operatorKey(account.privateKey, "a test"),
        dir,
        readBallot: async (report) => ballots.get(report) as Ballot,
        pollMs: 20,
        ...options,
      });
      senders.push(sender);
      return { address: account.address, account, sender, ballots };
    },
    async staffedTask(terms = shortTerms) {
      const creator = room.operator(0);
      const manifest: Hex = `0x${"ab".repeat(32)}`;
      const id = `task-${senders.length}`;
      const { result } = await creator.sender.send({ kind: "createTask", id, terms, manifest });
      const task = BigInt(result.task as string);
      await creator.sender.send({ kind: "fund", id, task, amount: 90n * terms.seatStake });
      const hire = async (index: number, role: Role) => {
        const operator = room.operator(index);
        const amount = 2n * terms.seatStake;
        await local.client.writeContract({
          address: local.deployment.addresses.FlockToken,
          abi: abis.FlockToken,
          functionName: "transfer",
          args: [operator.address, 2n * amount],
        });
        await operator.sender.send({ kind: "stake", id: `first-${task}`, task, role, amount });
        return operator;
      };
      const trainers = [await hire(1, Role.Trainer), await hire(2, Role.Trainer)];
      const validators = [await hire(3, Role.Validator), await hire(4, Role.Validator), await hire(5, Role.Validator)];
      return { task, trainers, validators };
    },
    async close() {
      for (const sender of senders) sender.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return room;
}

/** Plays the next round of a staffed task: the first update is accepted, the second rejected, and the round settled. */
export async function playRound(
  local: LocalChain,
  { task, trainers, validators }: { task: bigint; trainers: TestOperator[]; validators: TestOperator[] },
  round = 1,
): Promise<void> {
  const artifact = (index: number): Hex => `0x${`a${index}`.repeat(32)}`;
  const report = (index: number): Hex => `0x${`b${index}`.repeat(32)}`;
  await trainers[0]?.sender.send({ kind: "openRound", task, round });
  await local.client.mine({ blocks: 2 });
  for (const [index, { sender }] of trainers.entries()) {
    await sender.send({ kind: "commitProposal", task, round, artifact: artifact(index) });
  }
  await local.pass(shortTerms.propose);
  for (const [index, { sender }] of trainers.entries()) {
    await sender.send({ kind: "publishProposal", task, round, artifact: artifact(index) });
  }
  await local.client.mine({ blocks: 1 });
  for (const [index, { sender, ballots }] of validators.entries()) {
    ballots.set(report(index), { scores: [300 + index, -300 - index], head: `0x${"cc".repeat(20)}` });
    await sender.send({ kind: "commitBallot", task, round, report: report(index) });
  }
  await local.pass(shortTerms.publish + shortTerms.ballot);
  for (const { sender } of validators) await sender.send({ kind: "revealBallot", task, round });
  await local.pass(shortTerms.reveal);
  await trainers[0]?.sender.send({ kind: "settle", task, round });
}
