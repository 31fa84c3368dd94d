import type { Intent } from "../intents.ts";
import type { Act, ActContext } from "./act.ts";
import { accuseAbsence, commitBallot, revealBallot } from "./ballots.ts";
import { acceptDelegation, delegate, revokeSigner, setSigner } from "./delegations.ts";
import { commitProposal, publishProposal } from "./proposals.ts";
import { latchSeed, openRound, settle } from "./rounds.ts";
import { allow, announce, claim, requestExit, stake, withdraw } from "./stakes.ts";
import { announceClose, close, createTask, fund, sweepBurn } from "./tasks.ts";

/** The act that brings an intent about. */
export function actOf(context: ActContext, intent: Intent): Act {
  switch (intent.kind) {
    case "openRound":
      return openRound(context, intent);
    case "latchSeed":
      return latchSeed(context, intent);
    case "commitProposal":
      return commitProposal(context, intent);
    case "publishProposal":
      return publishProposal(context, intent);
    case "commitBallot":
      return commitBallot(context, intent);
    case "revealBallot":
      return revealBallot(context, intent);
    case "accuseAbsence":
      return accuseAbsence(context, intent);
    case "settle":
      return settle(context, intent);
    case "announce":
      return announce(context, intent);
    case "withdraw":
      return withdraw(context, intent);
    case "claim":
      return claim(context, intent);
    case "allow":
      return allow(context, intent);
    case "stake":
      return stake(context, intent);
    case "requestExit":
      return requestExit(context, intent);
    case "delegate":
      return delegate(context, intent);
    case "acceptDelegation":
      return acceptDelegation(context, intent);
    case "setSigner":
      return setSigner(context, intent);
    case "revokeSigner":
      return revokeSigner(context, intent);
    case "fund":
      return fund(context, intent);
    case "createTask":
      return createTask(context, intent);
    case "announceClose":
      return announceClose(context, intent);
    case "close":
      return close(context, intent);
    case "sweepBurn":
      return sweepBurn(context);
  }
}
