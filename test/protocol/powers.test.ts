import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type ContractName, contractNames } from "../../protocol/deployment.ts";
import { abis } from "../../protocol/generated/abis.ts";
import { root } from "../../tools/files.ts";

/** Who may call what changes something. Whoever is named first may always: there is no owner, guardian or upgrader. */
const powers: Record<ContractName, { anyone: string[]; deployerOnce?: string[]; siblings?: string[] }> = {
  FlockToken: { anyone: ["approve", "permit", "transfer", "transferFrom"] },
  BlockhashBeacon: { anyone: [] },
  TaskRegistry: {
    anyone: ["announceClose", "createTask"], // a close is announced for one's own task
    deployerOnce: ["bind"],
    siblings: ["close", "moveHead"],
  },
  Staking: {
    anyone: [
      ...["acceptDelegation", "announce", "claim", "delegate", "requestExit", "revokeSigner", "setSigner"],
      ...["stake", "stakeWithPermit", "sweepBurn", "withdraw"],
    ],
    deployerOnce: ["bind"],
    siblings: ["burn", "closeRound", "credit", "deposit", "open", "settleAccounts", "slashAbsent"],
  },
  Rounds: {
    anyone: ["commitProposal", "latchSeed", "openRound", "publishProposal"],
    deployerOnce: ["bind"],
    siblings: ["settled", "takeVoterSeats"],
  },
  ValidatorVoting: { anyone: ["accuseAbsence", "commitBallot", "revealBallot"] },
  RewardDistributor: { anyone: ["close", "fund", "settle"], siblings: ["settleVoid"] },
};

test("nothing can be changed but by the acts of participants, by sibling contracts, and once by the deployer", () => {
  for (const name of contractNames) {
    const { anyone, deployerOnce = [], siblings = [] } = powers[name];
    const acts = abis[name].flatMap((item) =>
      item.type === "function" && !["view", "pure"].includes(item.stateMutability) ? [item.name] : [],
    );
    assert.deepEqual(acts.toSorted(), [...anyone, ...deployerOnce, ...siblings].toSorted(), name);
    const inward = (abis[name] as readonly { type: string; stateMutability?: string }[]).filter(
      ({ type, stateMutability }) => ["fallback", "receive"].includes(type) || stateMutability === "payable",
    );
    assert.deepEqual(inward, [], `${name} takes no ether and no unknown call`);
  }
});

const DELEGATING = new Map([
  [0xf2, "CALLCODE"],
  [0xf4, "DELEGATECALL"],
  [0xff, "SELFDESTRUCT"],
]);

/** STOP, JUMP, RETURN, REVERT, INVALID: what follows runs only from the next JUMPDEST on. */
const ENDING = new Set([0x00, 0x56, 0xf3, 0xfd, 0xfe]);
const JUMPDEST = 0x5b;

/** Names of the instructions in deployed code by which another code could run in its place, or end it. */
function delegatingIn(code: Buffer): string[] {
  const end = code.length - code.readUInt16BE(code.length - 2) - 2; // the compiler's metadata are no instructions
  const found: string[] = [];
  for (let at = 0, runs = true; at < end; at++) {
    const instruction = code[at] as number;
    runs = instruction === JUMPDEST || (runs && !ENDING.has(instruction)); // constants lie behind the last instruction
    const name = DELEGATING.get(instruction);
    if (runs && name !== undefined) found.push(name);
    if (instruction >= 0x60 && instruction <= 0x7f) at += instruction - 0x5f; // what PUSH1 to PUSH32 push
  }
  return found;
}

test("no contract runs another code in its place, so none can be upgraded", async () => {
  for (const name of contractNames) {
    const file = join(root, "artifacts", "contracts", `${name}.sol`, `${name}.json`);
    const { deployedBytecode } = JSON.parse(await readFile(file, "utf8")) as { deployedBytecode: string };
    assert.deepEqual(delegatingIn(Buffer.from(deployedBytecode.slice(2), "hex")), [], name);
  }
});

test("an instruction that delegates is seen; what is pushed, and what cannot be reached, is none", () => {
  const metadata = "a1ff0002";
  const code = `60f473${"ff".repeat(20)}f4fef25bff00f4${metadata}`;
  assert.deepEqual(delegatingIn(Buffer.from(code, "hex")), ["DELEGATECALL", "SELFDESTRUCT"]);
});
