import { Role } from "../../protocol/words.ts";
import type { Game } from "./game.ts";
import { Stage, trainer, voter } from "./stage.ts";
import { someTerms } from "./terms.ts";

/** A short play that shows for certain what random games show at times. */
export type Scene = { name: string; shows: readonly string[]; play: (game: Game) => Promise<void> };

export const SEAT = 1_000_003n;
export const POT = 10n ** 12n;

const phases = { propose: 60, publish: 30, ballot: 90, reveal: 60, grace: 20, unbonding: 400, idleAfter: 900 };
export const few = someTerms({
  ...phases,
  ...{ seatStake: SEAT, expectedTrainers: 3, expectedVoters: 4, rounds: 50, maxVoids: 255 },
});
export const trainers = [0, 1, 2].map(trainer);
export const voters = [0, 1, 2, 3].map(voter);

/** A task in which each of three trainers and four voters has exactly one seat, whatever the seeds. */
export async function evenTask(game: Game, terms = few): Promise<Stage> {
  const stage = await Stage.open(game, terms, POT);
  await stage.weigh(Role.Trainer, trainers, 2n * SEAT);
  await stage.weigh(Role.Validator, voters, 2n * SEAT);
  return stage;
}
