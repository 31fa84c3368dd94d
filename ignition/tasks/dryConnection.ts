import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import { isAddressEqual, type PublicClient } from "viem";
import { contractNames } from "../../protocol/deployment.ts";
import { showReport } from "../../workers/cli/report.ts";
import { ownTerminal } from "../../workers/cli/terminal.ts";
import type { Connection, Wallet } from "./connection.ts";
import { costOf, costReport, requireBalance, type Spent, spentBy } from "./cost.ts";
import { openSimulation } from "./simulation.ts";
import type { Sent } from "./transactions.ts";

/**
 * Does what `send` does in a simulation of the network, and shows what it would send and its cost. Signs and sends nothing.
 * @throws PermanentError (chain) if it would be refused, or the account cannot pay for it.
 */
export async function dryConnection(
  hre: HardhatRuntimeEnvironment,
  { publicClient: target, wallet: signer, deployment }: Connection,
  { send, json }: { send: (connection: Connection) => Promise<Sent[]>; json: boolean },
): Promise<void> {
  const account = signer.account.address;
  const { viem } = await openSimulation(hre, account);
  const publicClient = (await viem.getPublicClient()) as PublicClient;
  const wallet = (await viem.getWalletClient(account)) as unknown as Wallet;
  const spent: Spent[] = [];
  for (const { what, hash } of await send({ publicClient, wallet, deployment })) {
    const { to } = await publicClient.getTransaction({ hash });
    const contract = contractNames.find((name) => to !== null && isAddressEqual(deployment.addresses[name], to)) ?? "";
    spent.push({ step: what, contract, address: to ?? undefined, ...(await spentBy(publicClient, hash)) });
  }
  const cost = await costOf(target, account, spent);
  showReport(ownTerminal(), costReport(spent, cost), { json });
  requireBalance(cost);
}
