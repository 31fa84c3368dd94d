import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, createWalletClient, type Hex, http, parseEther } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { hardhat } from "viem/chains";
import { abis } from "../../protocol/generated/abis.ts";
import { Role } from "../../protocol/words.ts";
import { lightCost, newKeystore } from "../sender/keystore.ts";
import type { Member } from "./cast.ts";
import type { Network } from "./network.ts";
import type { OperatorOutcome } from "./outcome.ts";

/** What each operator gets of the chain's own coin, for its transactions. */
const FUEL = parseEther("100");

/** An operator with its wallet and its folder. */
export type Operator = Member & { address: Address; folder: string; stake: bigint };

type Wallet = { operator: Operator; privateKey: Hex };

/** Gives a member a key of its own, in an encrypted keystore in its own folder. */
export async function createWallet(member: Member, folder: string, stake: bigint): Promise<Wallet> {
  const privateKey = generatePrivateKey();
  const password = randomBytes(16).toString("hex");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "password"), `${password}\n`, { mode: 0o600 });
  const address = await newKeystore({ file: join(folder, "keystore.json"), password, privateKey, cost: lightCost });
  return { operator: { ...member, address, folder, stake }, privateKey };
}

/** Funds an operator from the account that deployed the suite, and stakes in its name for its role. */
export async function fundAndStake(
  { chain: { url, client }, deployment, task }: Network,
  { operator, privateKey }: Wallet,
): Promise<void> {
  const { FlockToken, Staking } = deployment.addresses;
  const token = { address: FlockToken, abi: abis.FlockToken } as const;
  const wallet = createWalletClient({ account: privateKeyToAccount(privateKey), chain: hardhat, transport: http(url) });
  const mined = async (hash: Hex) => void (await client.waitForTransactionReceipt({ hash }));

  const treasury = createWalletClient({ chain: hardhat, transport: http(url) });
  const [account] = await treasury.getAddresses();
  await mined(await treasury.sendTransaction({ account: account as Address, to: operator.address, value: FUEL }));
  await mined(
    await treasury.writeContract({
      ...token,
      account: account as Address,
      functionName: "transfer",
      args: [operator.address, operator.stake],
    }),
  );
  await mined(await wallet.writeContract({ ...token, functionName: "approve", args: [Staking, operator.stake] }));
  await mined(
    await wallet.writeContract({
      address: Staking,
      abi: abis.Staking,
      functionName: "stake",
      args: [task, operator.role === "trainer" ? Role.Trainer : Role.Validator, operator.stake],
    }),
  );
}

/** Everybody's pay is claimed for them, which anyone may do; gives what each got. */
export async function claimAll(
  { chain: { url, client }, deployment, task }: Network,
  operators: readonly Operator[],
): Promise<Map<Address, bigint>> {
  const staking = { address: deployment.addresses.Staking, abi: abis.Staking } as const;
  const anyone = createWalletClient({ chain: hardhat, transport: http(url) });
  const [account] = await anyone.getAddresses();
  const earned = new Map<Address, bigint>();
  for (const { address } of operators) {
    const { claimable } = await client.readContract({ ...staking, functionName: "account", args: [task, address] });
    earned.set(address, claimable);
    if (claimable === 0n) continue;
    const hash = await anyone.writeContract({
      ...staking,
      account: account as Address,
      functionName: "claim",
      args: [task, address, address],
    });
    await client.waitForTransactionReceipt({ hash });
  }
  return earned;
}

/** What each operator staked, has left and earned. */
export async function operatorOutcomes(
  { chain: { client }, deployment, task }: Network,
  operators: readonly Operator[],
  earned: ReadonlyMap<Address, bigint>,
): Promise<OperatorOutcome[]> {
  const staking = { address: deployment.addresses.Staking, abi: abis.Staking } as const;
  return Promise.all(
    operators.map(async ({ name, address, role, honest, stake }) => {
      const account = await client.readContract({ ...staking, functionName: "account", args: [task, address] });
      const stakeAfter = account.active + account.joining + account.leaving + account.left;
      return {
        name,
        operator: address,
        role,
        honest,
        stakeBefore: stake,
        stakeAfter,
        earned: earned.get(address) ?? 0n,
      };
    }),
  );
}
