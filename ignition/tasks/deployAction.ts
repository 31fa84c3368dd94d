import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import type { TaskArguments, TaskOverrideActionFunction } from "hardhat/types/tasks";
import type { Address, PublicClient } from "viem";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { adoptTransactions } from "./adoptTransactions.ts";
import { confirmOvertaken } from "./confirmOvertaken.ts";
import { deployAdvice } from "./deployAdvice.ts";
import { dryRun } from "./dryRun.ts";
import { deploymentFolder } from "./folder.ts";
import { mendDeployment } from "./mendDeployment.ts";
import { ownParameters, type Parameters, parseParameters, readParameters } from "./parameters.ts";
import { reporting } from "./reporting.ts";

/**
 * Puts four things before Ignition's own `deploy`: the parameters of the network (ignition/parameters/NETWORK.json5) are
 * taken unless others are named, they are checked, so that nothing is sent with wrong ones, what a killed deployment left
 * half-written is mended, and what became of its last transaction is found out. With `--dry-run` it only simulates.
 */
const deploy: TaskOverrideActionFunction = async ({ dryRun: isDry, ...taskArguments }, hre, runSuper) => {
  let parameters: string | undefined = taskArguments.parameters;
  const isReady = await reported(hre, async () => {
    parameters ??= ownParameters(hre);
    const parsed = parameters === undefined ? {} : await parse(parameters);
    await requireToken(hre, parsed, parameters);
    if (isDry) await dryRun(hre, taskArguments, parsed);
    else if (taskArguments.reset !== true) await prepare(hre, taskArguments);
  });
  if (isDry || !isReady) return undefined;
  try {
    return await runSuper({ ...taskArguments, parameters });
  } catch (error) {
    const advised = deployAdvice(error);
    if (advised === undefined) throw error;
    await reported(hre, () => Promise.reject(advised));
  }
};
export default deploy;

/** Runs a part; says whether it passed. */
async function reported(hre: HardhatRuntimeEnvironment, part: () => Promise<void>): Promise<boolean> {
  let passed = false;
  await reporting<void>(async () => {
    await part();
    passed = true;
  })(undefined, hre);
  return passed;
}

/** A token that the network names must be there. */
async function requireToken(hre: HardhatRuntimeEnvironment, { NamedToken }: Parameters, where?: string): Promise<void> {
  if (NamedToken === undefined) return;
  const { viem, networkName } = await hre.network.create();
  const address = NamedToken.address as Address;
  if ((await (await viem.getPublicClient()).getCode({ address })) !== undefined) return;
  const message = `${where}: NamedToken.address ${address} is no contract on network "${networkName}".`;
  throw new PermanentError(message, { exitCode: ExitCode.badInput });
}

async function prepare(hre: HardhatRuntimeEnvironment, { deploymentId }: TaskArguments): Promise<void> {
  const folder = await deploymentFolder(hre, deploymentId);
  await mendDeployment(folder);
  const { viem } = await hre.network.create();
  const client = (await viem.getPublicClient()) as PublicClient;
  const told = [...(await adoptTransactions(folder, client)), ...(await confirmOvertaken(folder, client))];
  for (const line of told) process.stderr.write(`${line}\n`);
}

/** `parameters` is a file or, as Ignition takes it too, JSON. */
async function parse(parameters: string): Promise<Parameters> {
  const isFile = /\.json5?$/.test(parameters);
  return isFile ? await readParameters(parameters) : parseParameters(parameters, "on the command line");
}
