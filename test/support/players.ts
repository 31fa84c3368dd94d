import type { Address } from "viem";
import { clockOf, type Task } from "../../protocol/replay/state.ts";
import { phaseAt } from "../../protocol/rules/phases.ts";
import { Phase } from "../../protocol/words.ts";
import type { Chance } from "./chance.ts";
import type { Game, Move } from "./game.ts";
import { addressOf } from "./words.ts";

/** Who creates every task, and whoever delegates or signs without ever staking. */
export const creator = addressOf(0xc0ffee);
export const delegators = [0xde1e01, 0xde1e02, 0xde1e03].map(addressOf);
export const signers = [0x51401, 0x51402].map(addressOf);

/** Those who sit at a table, what they play with, and what time it is. */
export class Players {
  readonly game: Game;
  readonly chance: Chance;
  readonly operators: readonly Address[];
  /** Nobody has anything to do before this time. */
  until = 0;

  constructor(game: Game, chance: Chance, operators: readonly Address[]) {
    this.game = game;
    this.chance = chance;
    this.operators = operators;
  }

  task(id: bigint): Task {
    return this.game.state.tasks.get(id)!;
  }

  isOpen(id: bigint): boolean {
    return this.task(id).round?.open === true;
  }

  someone(): Address {
    return this.chance.pick(this.operators);
  }

  /** Where the round of a task stands at some time, as far as the rules alone tell. */
  phaseOf({ round, terms }: Task, at: number): { phase: Phase; endsAt: number } {
    if (!round?.open) return { phase: Phase.None, endsAt: 0 };
    return phaseAt(terms, clockOf(round, false), at);
  }

  /** Plays a move, at `at` or as soon after it as can be. Returns whether it was accepted. */
  play(move: Move, at = this.until): Promise<boolean> {
    return this.game.play(move, Math.max(this.game.now + 1, at));
  }
}
