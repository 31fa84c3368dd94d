import { type Address, formatEther, formatGwei, type Hash, type PublicClient } from "viem";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import type { Report } from "../../workers/cli/report.ts";

/** What a transaction took in a simulation; `l1Fee` in wei is what an L2 asks for its data, beside the gas. */
export type Spent = { step: string; contract: string; address: Address | undefined; gas: bigint; l1Fee: bigint };

/** What all of it costs at today's price, and what the account has, in wei. */
export type Cost = { account: Address; gasPrice: bigint; total: bigint; balance: bigint };

/** What a transaction of a simulation took. */
export async function spentBy(client: PublicClient, hash: Hash): Promise<Pick<Spent, "gas" | "l1Fee">> {
  const { gasUsed, ...receipt } = await client.getTransactionReceipt({ hash });
  const { l1Fee } = receipt as { l1Fee?: bigint | string | null | undefined };
  return { gas: gasUsed, l1Fee: BigInt(l1Fee ?? 0) };
}

/** What the transactions would cost on the network behind `client`. */
export async function costOf(client: PublicClient, account: Address, spent: readonly Spent[]): Promise<Cost> {
  const [gasPrice, balance] = [await client.getGasPrice(), await client.getBalance({ address: account })];
  const total = spent.reduce((sum, { gas, l1Fee }) => sum + gas * gasPrice + l1Fee, 0n);
  return { account, gasPrice, total, balance };
}

/** What would be sent, and what it would cost. */
export function costReport(spent: readonly Spent[], { account, gasPrice, total, balance }: Cost): Report {
  const gas = spent.reduce((sum, each) => sum + each.gas, 0n);
  const fees = spent.reduce((sum, each) => sum + each.l1Fee, 0n);
  const enough = total <= balance ? "enough" : `${eth(total - balance)} too little`;
  return {
    json: {
      transactions: spent.map((each) => ({
        ...{ step: each.step, contract: each.contract, address: each.address ?? null },
        ...{ gas: String(each.gas), l1Fee: String(each.l1Fee) },
      })),
      ...{ account, gas: String(gas), gasPrice: String(gasPrice), cost: String(total), balance: String(balance) },
    },
    table: {
      head: ["step", "contract", "address", "gas"],
      rows: spent.map(({ step, contract, address, gas: used }) => [step, contract, address ?? "", grouped(used)]),
    },
    lines: [
      `${spent.length} transactions, ${grouped(gas)} gas: ${eth(total)} at ${gwei(gasPrice)}${fees > 0n ? `, with ${eth(fees)} for data` : ""}.`,
      `${account} holds ${eth(balance)}: ${enough}. Nothing was sent.`,
    ],
  };
}

/** @throws PermanentError (chain) if the account cannot pay. */
export function requireBalance({ account, total, balance }: Cost): void {
  if (total <= balance) return;
  const message = `The account ${account} holds ${eth(balance)}, but this costs ${eth(total)}.`;
  throw new PermanentError(message, { exitCode: ExitCode.chain });
}

function eth(wei: bigint): string {
  return `${Number(Number(formatEther(wei)).toPrecision(6))} ETH`;
}

function gwei(wei: bigint): string {
  return `${Number(Number(formatGwei(wei)).toPrecision(3))} gwei`;
}

function grouped(value: bigint): string {
  return value.toLocaleString("en-US");
}
