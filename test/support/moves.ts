import type { Address, Hex } from "viem";
import { zeroHash } from "viem";
import type { EventArgs, EventName, Told } from "../../protocol/replay/events.ts";
import { partsOf } from "../../protocol/replay/stakes.ts";
import { accountOf, openNumber, type State, type Task } from "../../protocol/replay/state.ts";
import { delegatedExit, delegatedWithdrawable } from "../../protocol/rules/delegation.ts";
import { closing } from "../../protocol/rules/purse.ts";
import { escapes, exitRequested, touched, withdrawable } from "../../protocol/rules/stakePool.ts";
import type { Terms } from "../../protocol/terms.ts";
import type { Role } from "../../protocol/words.ts";
import { type Move, Refused } from "./game.ts";

export function say<Name extends EventName>(name: Name, args: EventArgs[Name]): Told {
  return { name, args } as unknown as Told;
}

/** The task that an act names; without it nobody can do anything. */
export function taskIn(state: State, id: bigint): Task {
  const task = state.tasks.get(id);
  if (task === undefined) throw new Refused("there is no such task");
  return task;
}

/** The number of the round from which a change counts that is made now. */
const nextRound = ({ round }: Task) => (round?.number ?? 0) + 1;

export function createTask(from: Address, terms: Terms, manifest: Hex): Move {
  return {
    ...{ from, contract: "TaskRegistry", name: "createTask", args: [terms, manifest] },
    told: (state) => [say("TaskCreated", { task: BigInt(state.tasks.size + 1), creator: from, manifest, terms })],
  };
}

export function fund(from: Address, task: bigint, amount: bigint): Move {
  return {
    ...{ from, contract: "RewardDistributor", name: "fund", args: [task, amount] },
    told: (state) => [say("Funded", { task, from, amount, refundable: from === taskIn(state, task).creator })],
  };
}

export function announceClose(task: bigint, from: Address): Move {
  return {
    ...{ from, contract: "TaskRegistry", name: "announceClose", args: [task] },
    told: (state, { blockTimestamp }) => {
      const { creator, terms } = taskIn(state, task);
      if (from !== creator) throw new Refused("only the creator gives notice");
      return [say("CloseAnnounced", { task, closableAt: blockTimestamp + terms.unbonding })];
    },
  };
}

export function close(from: Address, task: bigint): Move {
  return {
    ...{ from, contract: "RewardDistributor", name: "close", args: [task] },
    told: (state) => {
      const { purse, creator } = taskIn(state, task);
      const { refund, burned } = closing(purse);
      return [
        ...(refund > 0n ? [say("Credited", { task, to: creator, amount: refund })] : []),
        ...(burned > 0n ? [say("BurnScheduled", { amount: burned })] : []),
        say("TaskClosed", { task, refund, burned }),
      ];
    },
  };
}

export function stake(operator: Address, task: bigint, role: Role, amount: bigint): Move {
  return {
    ...{ from: operator, contract: "Staking", name: "stake", args: [task, role, amount] },
    told: (state) => {
      return [say("Staked", { task, operator, role, amount, countsFrom: nextRound(taskIn(state, task)) })];
    },
  };
}

/** With a permit that somebody else already used, and the allowance that is there: it must be as good as `stake`. */
export function stakeWithPermit(operator: Address, task: bigint, role: Role, amount: bigint): Move {
  const usedPermit = [0n, 27, zeroHash, zeroHash];
  return {
    ...stake(operator, task, role, amount),
    name: "stakeWithPermit",
    args: [task, role, amount, ...usedPermit],
  };
}

export function acceptDelegation(operator: Address, task: bigint, commissionBps: number): Move {
  return {
    ...{ from: operator, contract: "Staking", name: "acceptDelegation", args: [task, commissionBps] },
    told: () => [say("DelegationAccepted", { task, operator, commissionBps })],
  };
}

export function delegate(owner: Address, operator: Address, task: bigint, amount: bigint): Move {
  return {
    ...{ from: owner, contract: "Staking", name: "delegate", args: [task, operator, amount] },
    told: (state) => {
      return [say("Delegated", { task, operator, owner, amount, countsFrom: nextRound(taskIn(state, task)) })];
    },
  };
}

/** An exit of `owner`, the operator itself unless another is named. */
export function requestExit(operator: Address, id: bigint, amount: bigint, owner = operator): Move {
  return {
    ...{ from: owner, contract: "Staking", name: "requestExit", args: [id, operator, amount] },
    told: (state, { blockTimestamp }) => {
      const task = taskIn(state, id);
      const open = openNumber(task);
      let exposedTo = 0;
      if (owner === operator) {
        const before = touched(accountOf(task, operator), open);
        const after = exitRequested(task.terms, before, amount, open, blockTimestamp);
        exposedTo = after.leaving > before.leaving ? after.leaveRound : 0;
      } else {
        const parts = partsOf(task, operator, owner);
        const { isExposed } = delegatedExit(task.terms, parts, amount, open, blockTimestamp);
        exposedTo = isExposed ? (open ?? 0) : 0;
      }
      const unlockAt = blockTimestamp + task.terms.unbonding;
      return [say("ExitRequested", { task: id, operator, owner, amount, exposedTo, unlockAt })];
    },
  };
}

export function withdraw(from: Address, operator: Address, id: bigint, owner = operator): Move {
  return {
    ...{ from, contract: "Staking", name: "withdraw", args: [id, operator, owner] },
    told: (state, { blockTimestamp }) => {
      const task = taskIn(state, id);
      const open = task.round?.open ? task.round : undefined;
      const amount =
        owner === operator
          ? withdrawable(task.terms, accountOf(task, operator), open, blockTimestamp)
          : delegatedWithdrawable(
              partsOf(task, operator, owner),
              escapes(task.terms, open, blockTimestamp),
              blockTimestamp,
            );
      return [say("Withdrawn", { task: id, operator, owner, amount })];
    },
  };
}

export function claim(from: Address, operator: Address, id: bigint, owner = operator): Move {
  return {
    ...{ from, contract: "Staking", name: "claim", args: [id, operator, owner] },
    told: (state) => {
      const task = taskIn(state, id);
      const { claimable } = owner === operator ? accountOf(task, operator) : partsOf(task, operator, owner).position;
      return [say("Claimed", { task: id, operator, owner, amount: claimable })];
    },
  };
}

export function setSigner(operator: Address, task: bigint, signer: Address): Move {
  return {
    ...{ from: operator, contract: "Staking", name: "setSigner", args: [task, signer] },
    told: (state) => [say("SignerSet", { task, operator, signer, countsFrom: nextRound(taskIn(state, task)) })],
  };
}

export function revokeSigner(operator: Address, task: bigint): Move {
  return {
    ...{ from: operator, contract: "Staking", name: "revokeSigner", args: [task] },
    told: () => [say("SignerRevoked", { task, operator })],
  };
}

export function announce(operator: Address, endpoint: string): Move {
  return {
    ...{ from: operator, contract: "Staking", name: "announce", args: [endpoint] },
    told: () => [say("EndpointAnnounced", { operator, endpoint })],
  };
}

export function sweepBurn(from: Address): Move {
  return {
    ...{ from, contract: "Staking", name: "sweepBurn", args: [] },
    told: (state) => [say("BurnSwept", { amount: state.toBurn })],
  };
}
