import { parentPort } from "node:worker_threads";
import { compile, type Request } from "./compiler.ts";

// A thread that answers each request with the compiler's output, one after the other.
parentPort?.on("message", (request: Request) => parentPort?.postMessage(compile(request)));
