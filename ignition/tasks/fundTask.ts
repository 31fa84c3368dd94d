import { formatEther } from "viem";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { abis } from "../../protocol/generated/abis.ts";
import type { Connection } from "./connection.ts";
import { type Sent, send } from "./transactions.ts";

/**
 * Adds `amount` wei of the token to the pot of a task. Gives what it sent.
 * @throws PermanentError (chain) if the account cannot pay it or a transaction fails.
 */
export async function fundTask(
  connection: Connection,
  { task, amount }: { task: bigint; amount: bigint },
): Promise<Sent[]> {
  const { wallet, deployment } = connection;
  const sent = await allowDeposit(connection, amount);
  await send(connection, {
    what: `fund task ${task}`,
    write: () =>
      wallet.writeContract({
        address: deployment.addresses.RewardDistributor,
        abi: abis.RewardDistributor,
        chain: wallet.chain ?? null,
        functionName: "fund",
        args: [task, amount],
      }),
    sent,
  });
  return sent;
}

/** Lets the vault take `amount` wei if it may not yet, after a look whether there is so much. Gives what it sent. */
export async function allowDeposit(connection: Connection, amount: bigint): Promise<Sent[]> {
  const { publicClient, wallet, deployment } = connection;
  const { FlockToken: address, Staking: vault } = deployment.addresses;
  const token = { address, abi: abis.FlockToken } as const;
  const owner = wallet.account.address;
  const held = await publicClient.readContract({ ...token, functionName: "balanceOf", args: [owner] });
  if (held < amount) {
    const message = `The account ${owner} holds ${formatEther(held)} FLK, but the deposit is ${formatEther(amount)} FLK.`;
    throw new PermanentError(message, { exitCode: ExitCode.chain });
  }
  const sent: Sent[] = [];
  const allowed = await publicClient.readContract({ ...token, functionName: "allowance", args: [owner, vault] });
  if (allowed < amount) {
    const chain = wallet.chain ?? null;
    const write = () => wallet.writeContract({ ...token, chain, functionName: "approve", args: [vault, amount] });
    await send(connection, { what: "allow the deposit", write, sent });
  }
  return sent;
}
