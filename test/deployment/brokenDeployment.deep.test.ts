import assert from "node:assert/strict";
import test, { after } from "node:test";
import { makeBrokenDeployment } from "../support/brokenDeployment.ts";
import { makeDeploymentProject } from "../support/deploymentProject.ts";
import { droppedTransaction, moments, staleNonce, strikeAt } from "../support/rpcFaults.ts";
import type { Meddle } from "../support/rpcProxy.ts";

const project = await makeDeploymentProject({ after });

type Fault = (k: number) => (strike: () => void) => Meddle;

const faults: { what: string; mining: "at once" | "in blocks"; network: string; fault: Fault }[] = [
  ...(["at once", "in blocks"] as const).flatMap((mining) =>
    moments.map((moment) => ({
      what: `killed when transaction k is ${moment}, with transactions mined ${mining}`,
      mining,
      network: "local",
      fault: (k: number) => (strike: () => void) => strikeAt({ k, moment, strike }),
    })),
  ),
  {
    what: "stopped by a count of transactions that stays behind after transaction k",
    mining: "at once",
    network: "local",
    fault: (k) => () => staleNonce({ k, asks: Number.POSITIVE_INFINITY }),
  },
  {
    what: "stopped by a server that takes transaction k and loses it",
    mining: "at once",
    network: "sepolia",
    fault: (k) => () => droppedTransaction({ k }),
  },
];

test("a deployment that one fault breaks once ends where it should", async (t) => {
  const { deploy, resume, start, transactions, assertUndisturbed } = await makeBrokenDeployment(t, project);
  for (const { what, mining, network, fault } of faults) {
    await t.test(`${what}, for every k`, async () => {
      for (let k = 1; k <= transactions; k++) {
        await start(mining);
        const broken = await deploy(fault(k), network);
        // Some faults come too late to hurt after the last transaction.
        if (k < transactions) assert.ok(broken.signal === "SIGKILL" || broken.code === 5, `${k}: ${broken.stderr}`);
        const again = await resume(network);
        assert.equal(again.code, 0, `transaction ${k}: ${again.stdout}${again.stderr}`);
        await assertUndisturbed(`transaction ${k}`);
      }
    });
  }
});
