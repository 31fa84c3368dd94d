import type { Hex } from "viem";
import { type ContractName, contractNames } from "../../protocol/deployment.ts";
import type { FlockChain } from "../../test/support/flockChain.ts";
import { readFunctions } from "./sourceFunctions.ts";

/** Gas, and how many instructions it was for. */
export type Spent = { gas: number; count: number };

/** Where the gas of one transaction went: each list sums to it, but for what no contract spent. Largest first. */
export type Profile = {
  gas: number;
  kinds: Record<string, Spent>;
  contracts: Record<string, Spent>;
  functions: Record<string, Spent>;
};

type Step = { pc: number; op: string; gas: number; gasCost: number; depth: number };
type Frame = { to: Hex; calls?: Frame[] | undefined };

/** Instructions that are paid for what they leave or look up; all others compute. */
const LASTING: readonly (readonly [RegExp, string])[] = [
  [/^SLOAD$/, "reading slots"],
  [/^SSTORE$/, "writing slots"],
  [/^LOG\d$/, "logs"],
  [/^(STATIC|DELEGATE)?CALL$/, "calls"],
];
const COMPUTING: readonly (readonly [RegExp, string])[] = [
  [/^KECCAK256$/, "hashes"],
  [/^(MLOAD|MSTORE8?|MCOPY|CALLDATACOPY|RETURNDATACOPY|CODECOPY)$/, "memory"],
  [/^JUMP(I|DEST)?$/, "jumps"],
  [/^(PUSH|DUP|SWAP|POP)/, "moving words on the stack"],
];

/** Profiles a mined transaction that calls contracts of this chain's deployment. */
export async function profileOf(chain: FlockChain, hash: Hex): Promise<Profile> {
  const bare = { disableMemory: true, disableStack: true, disableStorage: true };
  const { structLogs: steps } = (await chain.request("debug_traceTransaction", [hash, bare])) as { structLogs: Step[] };
  const frame = (await chain.request("debug_traceTransaction", [hash, { tracer: "callTracer" }])) as Frame;
  const { gasUsed } = await chain.client.getTransactionReceipt({ hash });
  const functions = await readFunctions();
  const names = new Map(contractNames.map((name) => [chain.deployment.addresses[name].toLowerCase(), name]));
  const frames = inOrder(frame);
  const [kinds, contracts, byFunction] = [new Map(), new Map(), new Map()] as const;

  /** The contracts that are running, the innermost last, and the functions that they are in. */
  const running: ContractName[] = [];
  const within: string[] = [];
  let [entered, inside] = [0, 0];
  for (const [i, step] of steps.entries()) {
    while (running.length > step.depth) [running.pop(), within.pop()];
    while (running.length < step.depth) {
      running.push(names.get(frames[entered++]!.to.toLowerCase())!);
      within.push("dispatch");
    }
    const contract = running.at(-1)!;
    const cost = costOf(step, steps[i + 1]);
    inside += cost;
    const lasting = LASTING.find(([pattern]) => pattern.test(step.op))?.[1];
    const computing = COMPUTING.find(([pattern]) => pattern.test(step.op))?.[1] ?? "arithmetic and the rest";
    // What the compiler adds by itself belongs to the function that it was added for.
    within[within.length - 1] = functions.get(contract)?.(step.pc) ?? within.at(-1)!;
    add(kinds, lasting ?? computing, cost);
    add(contracts, contract, cost);
    add(byFunction, `${contract}: ${within.at(-1)}, ${lasting ?? "computing"}`, cost);
  }
  add(kinds, "the transaction and its calldata, less refunds", Number(gasUsed) - inside);
  return { gas: Number(gasUsed), kinds: sorted(kinds), contracts: sorted(contracts), functions: sorted(byFunction) };
}

/** The newest transaction of the newest block. */
export async function newestTransaction(chain: FlockChain): Promise<Hex> {
  const block = (await chain.request("eth_getBlockByNumber", ["latest", false])) as { transactions: Hex[] };
  return block.transactions.at(-1)!;
}

/** The transactions after a block, by the gas that they used: the newest of each. */
export async function transactionsByGas(chain: FlockChain, after: bigint): Promise<Map<number, Hex>> {
  const found = new Map<number, Hex>();
  const newest = await chain.client.getBlockNumber();
  for (let blockNumber = after + 1n; blockNumber <= newest; blockNumber++) {
    const { transactions } = await chain.client.getBlock({ blockNumber });
    for (const hash of transactions) {
      const { gasUsed } = await chain.client.getTransactionReceipt({ hash });
      found.set(Number(gasUsed), hash);
    }
  }
  return found;
}

/** A profile as lines to print. Functions below a hundredth of the whole are left out. */
export function profileLines(title: string, profile: Profile): string[] {
  const line = ([name, { gas, count }]: [string, Spent]) =>
    `  ${gas.toLocaleString("en-US").padStart(11)}  ${`${((100 * gas) / profile.gas).toFixed(1)} %`.padStart(6)}  ${name} (${count.toLocaleString("en-US")})`;
  const large = Object.entries(profile.functions).filter(([, { gas }]) => gas * 100 >= profile.gas);
  return [
    `${title}: ${profile.gas.toLocaleString("en-US")} gas`,
    ...Object.entries(profile.kinds).map(line),
    "by contract:",
    ...Object.entries(profile.contracts).map(line),
    "by function:",
    ...large.map(line),
  ];
}

/** What a step itself cost: the reported cost of a call includes the gas that it hands on. */
function costOf({ op, gasCost, depth }: Step, next: Step | undefined): number {
  const isEntered = op.endsWith("CALL") && next !== undefined && next.depth > depth;
  return isEntered ? gasCost - next.gas : gasCost;
}

function add(sums: Map<string, Spent>, key: string, gas: number): void {
  const sum = sums.get(key) ?? { gas: 0, count: 0 };
  sums.set(key, { gas: sum.gas + gas, count: sum.count + 1 });
}

function sorted(sums: Map<string, Spent>): Record<string, Spent> {
  return Object.fromEntries([...sums].sort(([, a], [, b]) => b.gas - a.gas));
}

/** Calls in the order in which they were entered. */
function inOrder(frame: Frame): Frame[] {
  return [frame, ...(frame.calls ?? []).flatMap(inOrder)];
}
