import type { SolidityHooks } from "hardhat/types/hooks";
import type { CompilerOutputError } from "hardhat/types/solidity";

/**
 * Looks at what the compiler said before Hardhat does. Warnings about our own files become errors, so that a build with
 * one fails; files of packages are their authors' matter. And a job whose files hold types alone says that it has no
 * contracts, which the compiler leaves out and `hardhat node` cannot do without.
 */
export default async (): Promise<Partial<SolidityHooks>> => ({
  async invokeSolc(context, compiler, input, config, next) {
    const output = await next(context, compiler, input, config);
    const complete = { ...output, contracts: output.contracts ?? {} };
    return output.errors === undefined ? complete : { ...complete, errors: output.errors.map(raise) };
  },
});

/** The compiler says where an error is; Hardhat's type of it does not. */
type Located = CompilerOutputError & { sourceLocation?: { file: string } };

function raise(error: Located): CompilerOutputError {
  if (error.severity !== "warning" || error.sourceLocation?.file.startsWith("project/") !== true) return error;
  const text = error.formattedMessage ?? error.message;
  return { ...error, type: "Error", severity: "error", formattedMessage: text.replace(/^Warning/, "Error") };
}
