import type { Address, Hex } from "viem";
import type { Situation } from "./duties.ts";

/** One look at the chain: what duties depend on, and what doing them needs. */
export type Look = {
  situation: Situation;
  /** Seconds since 1970, of the block that was looked at; and when the phase ends if nobody acts. */
  now: number;
  endsAt: number;
  /** Published proposals in slot order. */
  proposals: { slot: number; operator: Address; artifact: Hex }[];
  /** Where the operators that are known serve their artifacts. */
  endpoints: string[];
  endpointOf(operator: Address): string | undefined;
  /** Seed of what every voter of the round shares. Nobody knew it before the last proposal was published. */
  seed: Hex;
};
