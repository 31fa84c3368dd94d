import type { Address } from "viem";
import { partsOf } from "../../protocol/replay/stakes.ts";
import { accountOf, openNumber, type Task } from "../../protocol/replay/state.ts";
import { availableIn } from "../../protocol/rules/delegation.ts";
import { touched } from "../../protocol/rules/stakePool.ts";
import { longestRound, type Terms } from "../../protocol/terms.ts";
import { Phase, Role, Roles } from "../../protocol/words.ts";
import type { Chance } from "./chance.ts";
import type { Game } from "./game.ts";
import { MoneyPlay } from "./moneyPlay.ts";
import * as moves from "./moves.ts";
import { creator, delegators, Players, signers } from "./players.ts";
import { settle } from "./roundMoves.ts";
import { RoundPlay } from "./roundPlay.ts";
import { wordOf } from "./words.ts";

/** A table at which some tasks are played by the same operators, honest and not, at random. */
export class Table {
  readonly players: Players;
  private readonly rounds: RoundPlay;
  private readonly money: MoneyPlay;
  /** Rounds of a task in which everybody takes part. */
  private readonly eager: number;
  private readonly tasks: bigint[] = [];
  /** Operators that still mean to act, by task, round and phase. */
  private readonly plans = new Map<string, Set<Address>>();
  private current: bigint | undefined;

  constructor(game: Game, chance: Chance, operators: readonly Address[], eager: number) {
    this.players = new Players(game, chance, operators);
    this.rounds = new RoundPlay(this.players);
    this.money = new MoneyPlay(this.players);
    this.eager = eager;
  }

  /** Opens a task, funds it and fills its pools, some of it with delegated stake. */
  async setUp(terms: Terms): Promise<void> {
    const { players } = this;
    const { game, chance, operators } = players;
    const task = BigInt(game.state.tasks.size + 1);
    await players.play(moves.createTask(creator, terms, wordOf(0xa0n + task)));
    await players.play(moves.fund(creator, task, chance.wei(10n ** 18n)));
    this.tasks.push(task);
    const drawn = terms.roles === Roles.Drawn;
    const all = BigInt(terms.expectedTrainers + terms.expectedVoters);
    for (const [i, operator] of operators.entries()) {
      const declared = i < operators.length / 2 ? Role.Trainer : Role.Validator;
      const expected = BigInt(declared === Role.Trainer ? terms.expectedTrainers : terms.expectedVoters);
      const share = ((drawn ? all : 2n * expected) * terms.seatStake * 6n) / BigInt(operators.length);
      if (chance.below(10) === 0) continue;
      const role = drawn ? Role.Drawn : declared;
      await players.play(moves.stake(operator, task, role, share / 2n + chance.wei(share)));
      if (chance.below(4) > 0) continue;
      await players.play(moves.acceptDelegation(operator, task, chance.pick([0, 700, 10_000])));
      await players.play(moves.delegate(chance.pick(delegators), operator, task, chance.wei(2n * share)));
      await players.play(moves.setSigner(operator, task, chance.pick(signers)));
    }
  }

  /** One random act on one of the tasks; mostly one that is its turn, at times any. */
  async step(): Promise<void> {
    const { players } = this;
    const { chance, game } = players;
    // One round is played through before the other task has its turn, or time would run out for both.
    if (this.current === undefined || !players.isOpen(this.current) || chance.below(100) === 0) {
      const open = this.tasks.filter((id) => !players.task(id).closed);
      this.current = open.length > 0 ? chance.pick(open) : undefined;
    }
    if (this.current === undefined) return;
    const task = players.task(this.current);
    const soon = Math.max(game.now + 1, players.until) + (chance.below(8) === 0 ? chance.below(4) : 0);
    const { phase, endsAt } = players.phaseOf(task, soon);
    if (chance.below(8) === 0) return this.money.act(task, soon);
    if (chance.below(20) === 0) return this.act(task, chance.below(6) as Phase, players.someone(), soon);
    if (phase === Phase.None || phase === Phase.Settle) return this.act(task, phase, players.someone(), soon);

    const [operator] = await this.due(task, phase);
    if (operator === undefined) players.until = endsAt - chance.below(2);
    else
      await this.act(task, phase, operator, chance.below(150) === 0 ? Math.max(soon, endsAt - chance.below(2)) : soon);
  }

  /** Closes every task and takes everything out of the vault: nothing that anybody did can keep stake in it. */
  async clearUp(): Promise<void> {
    for (const id of this.tasks) await this.clear(id);
    const { game, operators } = this.players;
    if (game.state.toBurn > 0n) await this.players.play(moves.sweepBurn(operators[0]!));
  }

  private async clear(id: bigint): Promise<void> {
    const { players } = this;
    const { game, operators } = players;
    const anyone = operators[0]!;
    const { terms } = players.task(id);
    if (!players.task(id).closed) await players.play(moves.announceClose(id, creator));
    if (players.isOpen(id)) {
      players.until = Math.max(players.until, players.task(id).round!.openedAt + longestRound(terms));
      await players.play(settle(anyone, game.state, id));
    }
    const owners = this.owners(id);
    for (const operator of operators) {
      const { active, joining } = touched(accountOf(players.task(id), operator), openNumber(players.task(id)));
      await players.play(moves.requestExit(operator, id, active + joining));
    }
    for (const [operator, owner] of owners) {
      const available = availableIn(partsOf(players.task(id), operator, owner));
      if (available > 0n) await players.play(moves.requestExit(operator, id, available, owner));
    }
    players.until = game.now + terms.unbonding;
    if (!players.task(id).closed) await players.play(moves.close(anyone, id));
    const own = [...players.task(id).accounts.keys()].map((owner) => [owner, owner] as const);
    for (const [operator, owner] of [...owners, ...own]) {
      await players.play(moves.withdraw(anyone, operator, id, owner));
      await players.play(moves.claim(anyone, operator, id, owner));
    }
  }

  private owners(id: bigint): (readonly [operator: Address, owner: Address])[] {
    return [...this.players.task(id).positions].flatMap(([operator, positions]) =>
      [...positions.keys()].map((owner) => [operator, owner] as const),
    );
  }

  /** Who means to act in this phase and has not tried yet. In the first rounds everybody does, later a part. */
  private async due(task: Task, phase: Phase): Promise<Address[]> {
    const { chance } = this.players;
    const plan = this.planOf(task, phase);
    if (!this.plans.has(plan)) {
      const share = task.round!.number <= this.eager ? 100 : chance.pick([100, 100, 100, 90, 60, 30]);
      const able = await this.rounds.able(task, phase);
      this.plans.set(plan, new Set(able.filter(() => chance.below(100) < share)));
    }
    return [...this.plans.get(plan)!];
  }

  /** A phase that takes grace is planned anew: whoever stayed away may come back. */
  private planOf(task: Task, phase: Phase): string {
    const { game, until } = this.players;
    const { endsAt } = this.players.phaseOf(task, Math.max(game.now, until));
    return `${task.id} ${task.round?.number} ${phase} ${endsAt}`;
  }

  private async act(task: Task, phase: Phase, operator: Address, at: number): Promise<void> {
    const { chance, game } = this.players;
    this.plans.get(this.planOf(task, phase))?.delete(operator);
    const { paidRounds, voids, terms, closableAt } = task;
    const over = paidRounds >= terms.rounds || voids >= terms.maxVoids || (closableAt > 0 && game.now >= closableAt);
    if (phase === Phase.None && over && chance.below(4) > 0) {
      await this.players.play(moves.close(operator, task.id), at);
    } else if (phase === Phase.None && chance.below(10) > 0) {
      await this.money.fill(task, at);
      await this.rounds.act(task, phase, operator, at);
    } else await this.rounds.act(task, phase, operator, at);
  }
}
