import { BaseError, ContractFunctionRevertedError, decodeErrorResult, formatUnits, type Hex } from "viem";
import { abis } from "../../protocol/generated/abis.ts";
import { nameOf, Phase, Role } from "../../protocol/words.ts";

/** A no of the contracts. */
export type Refusal = {
  /** The custom error; empty if the contracts gave no such reason. */
  name: string;
  args: readonly unknown[];
  /** For people, without a full stop. */
  sentence: string;
  /** It may be a yes later, with no other than time and others' acts between. */
  passing: boolean;
};

/** Every error that the contracts, or what they are made of, can give back. */
const errorAbi = Object.values(abis).flatMap((abi) => abi.filter((item) => item.type === "error"));

/** What people need to know of the errors that they can meet; any other is named with its arguments. */
const sentences: Record<string, (...args: never[]) => string> = {
  UnknownTask: (task: bigint) => `there is no task ${task}`,
  AlreadyClosed: (task: bigint) => `task ${task} is closed`,
  UnexpectedPhase: (task: bigint, current: number, expected: number) =>
    `the phase of task ${task} is ${nameOf(Phase, current)}, not ${nameOf(Phase, expected)}`,
  PoolTooSmall: (role: number, total: bigint, required: bigint) =>
    `the pool of ${nameOf(Role, role)}s holds ${tokens(total)}, and a round needs ${tokens(required)}`,
  NoRoundsLeft: (task: bigint) => `all rounds of task ${task} are used up`,
  SeedUnavailable: (seedBlock: bigint) => `the seed's block ${seedBlock} is not mined yet, or too old`,
  RoundStillOpen: (task: bigint, round: number) => `round ${round} of task ${task} is still open`,
  TooManyVoids: (task: bigint, voids: number) => `${voids} rounds of task ${task} in a row were void`,
  NoticeOver: (task: bigint, closableAt: number) => `task ${task} opens no round since ${timeOf(closableAt)}`,
  NotClosable: (task: bigint) => `task ${task} has rounds to come, and neither its notice nor its idle time is over`,
  NotCreator: (caller: string, creator: string) => `${caller} is not the task's creator ${creator}`,
  NotSigner: (operator: string, caller: string) => `${caller} is not the signer of ${operator}`,
  AlreadyAccused: (operator: string) => `${operator} is accused already`,
  TooFewSealed: (seats: bigint, quorum: bigint) => `only ${seats} seats sealed a ballot, and accusing needs ${quorum}`,
  DelegationNotAccepted: (operator: string) => `${operator} accepts no delegation`,
  AlreadyDelegated: (operator: string) => `others have delegated to ${operator}, and its commission is frozen`,
  NoSeats: (operator: string) => `${operator} has no seat in this round`,
  StillLocked: (unlockAt: number) => `the stake is locked until ${timeOf(unlockAt)}`,
  NothingToWithdraw: () => "what leaves still bears the faults of the open round",
  ExitTooLarge: (amount: bigint, available: bigint) =>
    `${tokens(amount)} were asked for, but only ${tokens(available)} are staked`,
  WrongPool: (asked: number) => `the task has no pool of the kind ${nameOf(Role, asked)}`,
  WrongRole: (current: number, asked: number) =>
    `the operator is a ${nameOf(Role, current)} of this task and cannot be a ${nameOf(Role, asked)} before it has left`,
  ERC20InsufficientBalance: (account: string, balance: bigint, needed: bigint) =>
    `${account} has ${tokens(balance)}, but ${tokens(needed)} are needed`,
};

/** Reads the contracts' no out of a failed request; undefined if it failed for another reason. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof BaseError)) return undefined;
  const data = revertData(error);
  if (data !== undefined && data !== "0x") return decode(data);
  const reverted = error.walk((inner) => inner instanceof ContractFunctionRevertedError);
  const text =
    reverted instanceof ContractFunctionRevertedError ? (reverted.reason ?? "without a reason") : error.details;
  if (reverted === null && !/revert/i.test(text ?? "")) return undefined;
  return { name: "", args: [], sentence: text.replace(/\.$/, ""), passing: false };
}

function decode(data: Hex): Refusal {
  let name: string;
  let args: readonly unknown[];
  try {
    const decoded = decodeErrorResult({ abi: errorAbi, data });
    name = decoded.errorName;
    args = (decoded.args ?? []) as readonly unknown[];
  } catch {
    return { name: "", args: [], sentence: `with an error unknown to us (${data.slice(0, 10)})`, passing: false };
  }
  const sentence = sentences[name]?.(...(args as never[])) ?? `${name}(${args.map(String).join(", ")})`;
  return { name, args, sentence, passing: isPassing(name, args) };
}

function isPassing(name: string, args: readonly unknown[]): boolean {
  if (name === "UnexpectedPhase") {
    const [, current, expected] = args as [bigint, number, number];
    return current !== Phase.None && current < expected;
  }
  return ["SeedUnavailable", "PoolTooSmall", "RoundStillOpen", "StillLocked", "NothingToWithdraw"].includes(name);
}

function revertData(error: BaseError): Hex | undefined {
  const found = error.walk(
    (inner) =>
      (inner instanceof ContractFunctionRevertedError && inner.raw !== undefined) || dataOf(inner) !== undefined,
  );
  return found instanceof ContractFunctionRevertedError ? found.raw : dataOf(found);
}

/** Servers put the bytes into `data`, or into an object there. */
function dataOf(error: unknown): Hex | undefined {
  const data = (error as { data?: unknown } | null)?.data;
  if (typeof data === "string" && data.startsWith("0x")) return data as Hex;
  return typeof data === "object" && data !== null ? dataOf(data) : undefined;
}

const timeOf = (seconds: number) => new Date(seconds * 1000).toISOString();
const tokens = (wei: bigint) => `${formatUnits(wei, 18)} tokens`;
