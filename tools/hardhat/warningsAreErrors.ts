import type { SolidityHooks } from "hardhat/types/hooks";
import type { CompilerOutputError } from "hardhat/types/solidity";

/**
 * Turns the compiler's warnings about our own files into errors, before Hardhat decides whether the build has passed.
 * Files of packages are their authors' matter.
 */
export default async (): Promise<Partial<SolidityHooks>> => ({
  async invokeSolc(context, compiler, input, config, next) {
    const output = await next(context, compiler, input, config);
    return output.errors === undefined ? output : { ...output, errors: output.errors.map(raise) };
  },
});

/** The compiler says where an error is; Hardhat's type of it does not. */
type Located = CompilerOutputError & { sourceLocation?: { file: string } };

function raise(error: Located): CompilerOutputError {
  if (error.severity !== "warning" || error.sourceLocation?.file.startsWith("project/") !== true) return error;
  const text = error.formattedMessage ?? error.message;
  return { ...error, type: "Error", severity: "error", formattedMessage: text.replace(/^Warning/, "Error") };
}
