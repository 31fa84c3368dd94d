/**
 * Sends one intent as a process of its own: `node senderProcess.ts JSON`, where the JSON has url, deployment, privateKey, dir,
 * intent and dieAt ("signed", "broadcast" or "never"). There it kills itself as `kill -9` would.
 */
import { openChain } from "../../workers/chain/open.ts";
import { intentFromJson } from "../../workers/sender/intents.ts";
import { operatorKey } from "../../workers/sender/key.ts";
import { openSender } from "../../workers/sender/sender.ts";

const { url, deployment, privateKey, dir, intent, dieAt } = JSON.parse(process.argv[2] as string);

const chain = await openChain({ rpcUrls: [url], chainId: deployment.chainId, deployment });
const sender = openSender({
  chain,
  key: operatorKey(privateKey, "a test"),
  dir,
  pollMs: 20,
  onStep(step) {
    if (step === dieAt) process.kill(process.pid, "SIGKILL");
  },
});
const { state } = await sender.send(intentFromJson(intent));
console.log(state);
sender.close();
