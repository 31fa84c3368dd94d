import type { SolidityHooks } from "hardhat/types/hooks";
import type { CompilerOutputError } from "hardhat/types/solidity";

/** The compiler says where an error is; Hardhat's type of it does not. */
type Located = CompilerOutputError & { sourceLocation?: { file: string } };

/** Code or initcode too large to deploy on a live network: no matter for a test, which is deployed nowhere. */
const sizeWarnings: readonly string[] = ["5574", "3860"];

/**
 * Looks at what the compiler said before Hardhat does. Warnings about our own files become errors, so that a build with
 * one fails; those about packages are dropped, for nobody here can mend them. And a job whose files hold types alone says
 * that it has no contracts, which the compiler leaves out and `hardhat node` cannot do without.
 */
export default async (): Promise<Partial<SolidityHooks>> => ({
  async invokeSolc(context, compiler, input, config, next) {
    const output = await next(context, compiler, input, config);
    const complete = { ...output, contracts: output.contracts ?? {} };
    if (output.errors === undefined) return complete;
    return { ...complete, errors: output.errors.filter(matters).map(raise) };
  },
});

function matters({ severity, errorCode, sourceLocation }: Located): boolean {
  if (severity === "error" || sourceLocation === undefined) return true;
  const { file } = sourceLocation;
  if (file.startsWith("project/test/") && sizeWarnings.includes(errorCode ?? "")) return false;
  return file.startsWith("project/");
}

function raise(error: CompilerOutputError): CompilerOutputError {
  if (error.severity === "error") return error;
  const text = error.formattedMessage ?? error.message;
  return { ...error, type: "Error", severity: "error", formattedMessage: text.replace(/^Warning/, "Error") };
}
