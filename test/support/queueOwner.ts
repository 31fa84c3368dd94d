/** A process that opens a queue server and then waits to be killed: `node queueOwner.ts FOLDER`. It prints the server's pid. */
import { openQueueBackend } from "../../workers/queue/backend.ts";

const backend = await openQueueBackend({ dir: process.argv[2] as string });
console.log(backend.pid());
setInterval(() => {}, 1_000);
