import { defaultTerms, type Terms } from "../../protocol/terms.ts";

export const FLK = 10n ** 18n;

/** Default terms with a seat stake of 100 FLK, or with whatever is given. */
export function someTerms(overrides: Partial<Terms> = {}): Terms {
  return { seatStake: 100n * FLK, ...defaultTerms, ...overrides };
}
