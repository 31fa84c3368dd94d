import { existsSync } from "node:fs";
import { join } from "node:path";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import type { TaskOverrideActionFunction } from "hardhat/types/tasks";
import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { deploymentFolder } from "./folder.ts";
import { mendDeployment } from "./mendDeployment.ts";
import { parseParameters, readParameters } from "./parameters.ts";
import { reporting } from "./reporting.ts";

/**
 * Puts three things before Ignition's own `deploy`: the parameters of the network (ignition/parameters/NETWORK.json5) are
 * taken unless others are named, they are checked, so that nothing is sent with wrong ones, and what a killed deployment
 * left half-written is mended.
 */
const deploy: TaskOverrideActionFunction = async (taskArguments, hre, runSuper) => {
  let passed = false;
  let parameters: string | undefined = taskArguments.parameters;
  await reporting<void>(async () => {
    parameters ??= ownParameters(hre);
    if (parameters !== undefined) await check(parameters, hre);
    await mendDeployment(await deploymentFolder(hre, taskArguments.deploymentId));
    passed = true;
  })(undefined, hre);
  return passed ? await runSuper({ ...taskArguments, parameters }) : undefined;
};
export default deploy;

function ownParameters(hre: HardhatRuntimeEnvironment): string | undefined {
  const { network } = hre.globalOptions;
  if (network === undefined) return undefined;
  const file = join(hre.config.paths.ignition, "parameters", `${network}.json5`);
  return existsSync(file) ? file : undefined;
}

/** `parameters` is a file or, as Ignition takes it too, JSON. */
async function check(parameters: string, hre: HardhatRuntimeEnvironment): Promise<void> {
  const isFile = /\.json5?$/.test(parameters);
  const { NamedToken } = isFile ? await readParameters(parameters) : parseParameters(parameters, "on the command line");
  if (NamedToken === undefined) return;
  const { provider, networkName } = await hre.network.create();
  const code = await provider.request({ method: "eth_getCode", params: [NamedToken.address, "latest"] });
  if (code === "0x") {
    const message = `${parameters}: NamedToken.address ${NamedToken.address} is no contract on network "${networkName}".`;
    throw new PermanentError(message, { exitCode: ExitCode.badInput });
  }
}
