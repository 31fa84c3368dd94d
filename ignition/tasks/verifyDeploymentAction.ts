import { ExitCode, PermanentError } from "../../protocol/errors.ts";
import { type JsonValue, showReport } from "../../workers/cli/report.ts";
import { ownTerminal } from "../../workers/cli/terminal.ts";
import { compiledContracts } from "./compiled.ts";
import { openDeployment } from "./connection.ts";
import { ownParameters, readParameters } from "./parameters.ts";
import { reporting } from "./reporting.ts";
import { type ContractCheck, type Verification, verifyDeployment } from "./verifyDeployment.ts";

type Arguments = { deployment?: string | undefined; parameters?: string | undefined; json: boolean };

/** `npx hardhat flock verify-deployment`: is what is on the chain what this repository deploys? Needs no key. */
export default reporting<Arguments>(async ({ deployment: file, parameters: given, json }, hre) => {
  const { publicClient, deployment } = await openDeployment(hre, file);
  // As Ignition builds before it deploys.
  await hre.tasks.getTask("build").run({ quiet: true, noTests: true, defaultBuildProfile: "production" });
  const compiled = await compiledContracts(hre.artifacts);
  const own = given ?? ownParameters(hre);
  const parameters = own === undefined ? {} : await readParameters(own);
  const verification = await verifyDeployment(publicClient, deployment, { compiled, parameters });
  show(verification, { chainId: deployment.chainId, json });
  const [first] = verification.differences;
  if (first !== undefined) throw new PermanentError(first, { exitCode: ExitCode.difference });
});

function show(
  { deployer, contracts, differences }: Verification,
  { chainId, json }: { chainId: number; json: boolean },
) {
  const terminal = ownTerminal();
  const listed = (entries: [string, string][]) =>
    entries.map((entry) => entry.join(" ")).join(terminal.isTerminal ? "\n" : ", ");
  const nameOf = (to: string | undefined) =>
    to === undefined
      ? "-"
      : to === deployer
        ? "deployer"
        : (contracts.find(({ address }) => address === to)?.name ?? to);
  const rows = contracts.map(({ name, address, code, links, parameters }) => [
    name,
    address,
    code,
    listed(Object.entries(links).map(([variable, to]) => [variable, nameOf(to)])),
    listed(Object.entries(parameters)),
  ]);
  const report = {
    json: { chainId, deployer: deployer ?? null, contracts: contracts.map(contractToJson), differences },
    fields: [
      ["chain", String(chainId)],
      ["deployer", deployer ?? "-"],
    ] as [string, string][],
    table: { head: ["contract", "address", "code", "links", "parameters"], rows },
    lines: [`Differences: ${differences.length}.`, ...differences],
  };
  showReport(terminal, report, { json });
}

function contractToJson({ links, ...others }: ContractCheck): JsonValue {
  return { ...others, links: Object.fromEntries(Object.entries(links).map(([name, to]) => [name, to ?? null])) };
}
