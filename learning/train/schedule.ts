/** How the learning rate goes over the steps. */
export type Schedule = {
  /** The highest rate. */
  rate: number;
  /** Steps of a linear rise at the beginning; 0 by default. */
  warmup?: number | undefined;
  /** Afterwards the rate stays (`constant`, the default) or falls along half a cosine to a hundredth (`cosine`). */
  decay?: "constant" | "cosine" | undefined;
};

const FLOOR = 0.01;

/** The rate of a step, counted from 0, out of `steps`. */
export function rateAt({ rate, warmup = 0, decay = "constant" }: Schedule, step: number, steps: number): number {
  if (step < warmup) return (rate * (step + 1)) / warmup;
  if (decay === "constant") return rate;
  const progress = (step - warmup) / Math.max(1, steps - warmup);
  return rate * (FLOOR + ((1 - FLOOR) * (1 + Math.cos(Math.PI * progress))) / 2);
}
