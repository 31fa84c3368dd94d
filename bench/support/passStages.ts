/** What is done to a model, in this order, each in a process of its own. */
export const STAGES = ["generate", "quantise", "train", "export", "validate"] as const;
export type Stage = (typeof STAGES)[number];

export type PassTask = {
  stage: Stage;
  folder: string;
  hfConfig: object;
  steps: number;
  length: number;
  threads: number;
};
export type StageRun = { seconds: number; peakBytes: number; loss: number | null };
