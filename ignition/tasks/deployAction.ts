import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import type { TaskArguments, TaskOverrideActionFunction } from "hardhat/types/tasks";
import type { Address, PublicClient } from "viem";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { adoptTransactions } from "./adoptTransactions.ts";
import { deployAdvice } from "./deployAdvice.ts";
import { deploymentFolder } from "./folder.ts";
import { mendDeployment } from "./mendDeployment.ts";
import { ownParameters, type Parameters, parseParameters, readParameters } from "./parameters.ts";
import { reporting } from "./reporting.ts";

/**
 * Puts four things before Ignition's own `deploy`: the parameters of the network (ignition/parameters/NETWORK.json5) are
 * taken unless others are named, they are checked, so that nothing is sent with wrong ones, what a killed deployment left
 * half-written is mended, and what became of its last transaction is found out.
 */
const deploy: TaskOverrideActionFunction = async (taskArguments, hre, runSuper) => {
  let parameters: string | undefined = taskArguments.parameters;
  const isReady = await reported(hre, async () => {
    parameters ??= ownParameters(hre);
    await prepare(hre, taskArguments, parameters);
  });
  if (!isReady) return undefined;
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

async function prepare(
  hre: HardhatRuntimeEnvironment,
  { deploymentId, reset }: TaskArguments,
  parameters: string | undefined,
): Promise<void> {
  const parsed = parameters === undefined ? {} : await parse(parameters);
  const { viem, networkName } = await hre.network.create();
  const client = (await viem.getPublicClient()) as PublicClient;
  const token = parsed.NamedToken?.address as Address | undefined;
  if (token !== undefined && (await client.getCode({ address: token })) === undefined) {
    const message = `${parameters}: NamedToken.address ${token} is no contract on network "${networkName}".`;
    throw new PermanentError(message, { exitCode: ExitCode.badInput });
  }
  if (reset === true) return;
  const folder = await deploymentFolder(hre, deploymentId);
  await mendDeployment(folder);
  for (const line of await adoptTransactions(folder, client)) process.stderr.write(`${line}\n`);
}

/** `parameters` is a file or, as Ignition takes it too, JSON. */
async function parse(parameters: string): Promise<Parameters> {
  const isFile = /\.json5?$/.test(parameters);
  return isFile ? await readParameters(parameters) : parseParameters(parameters, "on the command line");
}
