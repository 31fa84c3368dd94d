import type { Defence } from "./defence.ts";
import { moneyDefences } from "./money.ts";
import { roundDefences } from "./rounds.ts";
import { stakeDefences } from "./stakes.ts";
import { voteDefences } from "./votes.ts";

export const defences: readonly Defence[] = [...voteDefences, ...roundDefences, ...stakeDefences, ...moneyDefences];
