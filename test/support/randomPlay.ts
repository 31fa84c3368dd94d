import type { Address, Hex } from "viem";
import { accountOf, clockOf, openNumber, type Task } from "../../protocol/replay/state.ts";
import { NO_HEAD } from "../../protocol/rules/ballots.ts";
import { phaseAt } from "../../protocol/rules/phases.ts";
import { type Account, touched } from "../../protocol/rules/stakePool.ts";
import { longestRound, type Terms } from "../../protocol/terms.ts";
import { ABSTAIN, MAX_SCORE, MIN_SCORE, MISSING, Phase, Role } from "../../protocol/words.ts";
import type { Chance } from "./chance.ts";
import type { Game, Move } from "./game.ts";
import * as moves from "./moves.ts";
import { addressOf, headOf, wordOf } from "./words.ts";

/** How a voter scores: honestly, against the truth, always the same, with gaps, or at random. */
type Temper = "honest" | "liar" | "constant" | "gaps" | "random";

const creator = addressOf(0xc0ffee);

function openTask({ state }: Game, id: bigint): boolean {
  return state.tasks.get(id)?.round?.open === true;
}

/** A table at which two tasks are played by the same operators, honest and not, at random. */
export class Table {
  readonly game: Game;
  readonly chance: Chance;
  readonly operators: Address[];
  /** Rounds of a task in which everybody takes part. */
  readonly eager: number;
  readonly tasks: bigint[] = [];
  private readonly proposals = new Map<string, moves.ProposalSecret>();
  private readonly ballots = new Map<string, moves.BallotSecret>();
  private readonly tempers: Temper[];
  /** Operators that still mean to act, by task, round and phase. */
  private readonly plans = new Map<string, Set<Address>>();
  private current: bigint | undefined;
  /** Nobody has anything to do before this time. */
  private until = 0;
  private salt = 0n;

  constructor(game: Game, chance: Chance, operators: Address[], eager: number) {
    this.eager = eager;
    this.game = game;
    this.chance = chance;
    this.operators = operators;
    const tempers: Temper[] = ["honest", "honest", "honest", "honest", "liar", "constant", "gaps", "random"];
    this.tempers = operators.map(() => chance.pick(tempers));
  }

  /** Opens a task, funds it and fills both its pools. */
  async setUp(terms: Terms): Promise<void> {
    const { game, chance } = this;
    const task = BigInt(game.state.tasks.size + 1);
    await this.play(moves.createTask(creator, terms, wordOf(0xa0n + task)));
    await this.play(moves.fund(creator, task, chance.wei(10n ** 18n)));
    this.tasks.push(task);
    for (const [i, operator] of this.operators.entries()) {
      const role = i < this.operators.length / 2 ? Role.Trainer : Role.Validator;
      const expected = BigInt(role === Role.Trainer ? terms.expectedTrainers : terms.expectedVoters);
      const share = (expected * terms.seatStake * 12n) / BigInt(this.operators.length);
      if (chance.below(10) > 0) await this.play(moves.stake(operator, task, role, share / 2n + chance.wei(share)));
    }
  }

  /** One random act on one of the tasks; mostly one that is its turn, at times any. */
  async step(): Promise<void> {
    const { chance, game } = this;
    // One round is played through before the other task has its turn, or time would run out for both.
    if (this.current === undefined || !openTask(game, this.current) || chance.below(100) === 0) {
      this.current = chance.pick(this.tasks.filter((id) => !game.state.tasks.get(id)!.closed));
    }
    if (this.current === undefined) return;
    const task = game.state.tasks.get(this.current)!;
    const soon = Math.max(game.now + 1, this.until) + (chance.below(8) === 0 ? chance.below(4) : 0);
    const { phase, endsAt } = this.phaseOf(task, soon);
    if (chance.below(10) === 0) return this.moveMoney(task, soon);
    if (chance.below(20) === 0) return this.act(task, chance.below(6) as Phase, chance.pick(this.operators), soon);
    if (phase === Phase.None || phase === Phase.Settle) return this.act(task, phase, chance.pick(this.operators), soon);

    const [operator] = this.due(task, phase);
    if (operator === undefined) this.until = endsAt - chance.below(2);
    else
      await this.act(task, phase, operator, chance.below(150) === 0 ? Math.max(soon, endsAt - chance.below(2)) : soon);
  }

  /** Closes every task and takes everything out of the vault: nothing that anybody did can keep stake in it. */
  async clearUp(): Promise<void> {
    const { game, operators } = this;
    const anyone = operators[0]!;
    for (const id of this.tasks) {
      const task = () => game.state.tasks.get(id)!;
      if (!task().closed) await this.play(moves.announceClose(id, creator));
      const { round, terms } = task();
      if (round?.open) {
        this.until = Math.max(this.until, round.openedAt + longestRound(terms));
        await this.play(moves.settle(anyone, game.state, id));
      }
      for (const operator of operators) {
        const { active, joining } = touched(accountOf(task(), operator), undefined);
        await this.play(moves.requestExit(operator, id, active + joining));
      }
      this.until = game.now + terms.unbonding;
      if (!task().closed) await this.play(moves.close(anyone, id));
      for (const operator of operators) {
        await this.play(moves.withdraw(anyone, operator, id));
        await this.play(moves.claim(anyone, operator, id));
      }
    }
    if (game.state.toBurn > 0n) await this.play(moves.sweepBurn(anyone));
  }

  private phaseOf(task: Task, at: number): { phase: Phase; endsAt: number } {
    const { round } = task;
    if (round === undefined || !round.open) return { phase: Phase.None, endsAt: 0 };
    return phaseAt(task.terms, clockOf(round, false), at);
  }

  /** Who means to act in this phase and has not tried yet. In the first rounds everybody does, later a part. */
  private due(task: Task, phase: Phase): Address[] {
    const { chance } = this;
    const round = task.round!;
    const everyone = { [Phase.Publish]: [...round.proposals.keys()], [Phase.Reveal]: [...round.ballots.keys()] };
    const role = phase === Phase.Propose ? Role.Trainer : Role.Validator;
    const pool = this.operators.filter((operator) => task.accounts.get(operator)?.role === role);
    const able = everyone[phase as 2 | 4] ?? pool;
    const plan = this.planOf(task, phase);
    if (!this.plans.has(plan)) {
      const share = round.number <= this.eager ? 100 : chance.pick([100, 100, 100, 90, 60, 30]);
      this.plans.set(plan, new Set(able.filter(() => chance.below(100) < share)));
    }
    return able.filter((operator) => this.plans.get(plan)!.has(operator));
  }

  /** A phase that takes grace is planned anew: whoever stayed away may come back. */
  private planOf(task: Task, phase: Phase): string {
    return `${task.id} ${task.round?.number} ${phase} ${this.phaseOf(task, Math.max(this.game.now, this.until)).endsAt}`;
  }

  private async act(task: Task, phase: Phase, operator: Address, at: number): Promise<void> {
    this.plans.get(this.planOf(task, phase))?.delete(operator);
    const { game } = this;
    const over = task.paidRounds >= task.terms.rounds || task.voids >= task.terms.maxVoids;
    if (phase === Phase.None && over && this.chance.below(3) === 0) await this.play(moves.close(operator, task.id), at);
    else if (phase === Phase.None) await this.play(moves.openRound(operator, task.id), at);
    else if (phase === Phase.Settle) await this.play(moves.settle(operator, game.state, task.id), at);
    else if (phase === Phase.Propose) await this.propose(task, operator, at);
    else if (phase === Phase.Publish) await this.publish(task, operator, at);
    else if (phase === Phase.Ballot) await this.vote(task, operator, at);
    else await this.reveal(task, operator, at);
  }

  private async propose(task: Task, operator: Address, at: number): Promise<void> {
    const seed = await this.seedOf(task);
    at = Math.max(at, (await this.game.chain.now()) + 1);
    if (this.chance.below(20) === 0) return void (await this.play(moves.latchSeed(operator, task.id, seed), at));
    const artifact = wordOf(this.chance.below(40) === 0 ? 1n : ++this.salt); // at times one that others have, too
    const secret = { artifact, salt: wordOf(++this.salt) };
    const sealed = await this.play(moves.commitProposal(this.game.state, operator, task.id, secret, seed), at);
    if (sealed) this.proposals.set(this.key(task, operator), secret);
  }

  private async publish(task: Task, operator: Address, at: number): Promise<void> {
    const from = this.chance.pick(this.operators);
    const known = this.proposals.get(this.key(task, operator)) ?? { artifact: wordOf(1), salt: wordOf(2) };
    const secret = this.chance.below(25) === 0 ? { ...known, salt: wordOf(++this.salt) } : known;
    await this.play(moves.publishProposal(from, operator, task.id, secret), at);
  }

  private async vote(task: Task, operator: Address, at: number): Promise<void> {
    const { chance } = this;
    const scores = this.scoresBy(this.tempers[this.operators.indexOf(operator)]!, task);
    const silent = scores.every((score) => score === ABSTAIN || score === MISSING);
    const head = silent && chance.below(2) === 0 ? NO_HEAD : headOf(chance.below(8) === 0 ? 2 : 1);
    const bad = chance.below(25) === 0;
    const secret = {
      scores: bad ? [...scores, 1].slice(0, 16) : scores,
      report: wordOf(++this.salt),
      head: bad && chance.below(2) === 0 ? NO_HEAD : head,
      salt: wordOf(++this.salt),
    };
    const sealed = await this.play(moves.commitBallot(this.game.state, operator, task.id, secret), at);
    if (sealed) this.ballots.set(this.key(task, operator), secret);
  }

  private async reveal(task: Task, operator: Address, at: number): Promise<void> {
    const from = this.chance.pick(this.operators);
    const known = this.ballots.get(this.key(task, operator));
    const secret = known ?? { scores: [], report: wordOf(1), head: NO_HEAD, salt: wordOf(2) };
    await this.play(moves.revealBallot(from, operator, task.id, secret), at);
  }

  /** Each proposal is good, poison, dull or lost, as its artifact says, the same for every voter. */
  private scoresBy(temper: Temper, task: Task): number[] {
    const { chance } = this;
    const constant = chance.between(-300, 300);
    return (task.round?.published ?? []).map(({ artifact }) => {
      const truth = [400, 150, 30, 0, -700, -80, MISSING, MAX_SCORE - 100][Number(BigInt(artifact!) % 8n)]!;
      const measured = truth === MISSING ? MISSING : Math.min(MAX_SCORE, truth + chance.between(-20, 20));
      if (temper === "honest") return measured;
      if (temper === "liar") return truth === MISSING ? 300 : Math.max(MIN_SCORE, -measured);
      if (temper === "constant") return constant;
      if (temper === "gaps") return chance.pick([measured, ABSTAIN, MISSING]);
      return chance.between(ABSTAIN, MAX_SCORE);
    });
  }

  private async moveMoney(task: Task, at: number): Promise<void> {
    const { chance, game, operators } = this;
    const someone = chance.pick(operators);
    const amount = chance.wei(2n * task.terms.seatStake);
    /** Mostly an operator who has something of that kind. */
    const owner = (has: (account: Account) => bigint) => {
      const owners = operators.filter((operator) => has(touched(accountOf(task, operator), openNumber(task))) > 0n);
      return owners.length > 0 && chance.below(8) > 0 ? chance.pick(owners) : someone;
    };
    const play = async (move: Move, time = at) => void (await this.play(move, Math.max(at, time)));

    const kind = chance.below(20);
    if (kind < 4)
      return play(moves.stake(someone, task.id, task.accounts.get(someone)?.role ?? Role.Validator, amount));
    if (kind < 5) return play(moves.stake(someone, task.id, chance.below(2) as Role, amount));
    if (kind < 10) {
      const leaver = chance.below(2) ? owner(({ joining }) => joining) : owner(({ active }) => active);
      const { active, joining } = touched(accountOf(task, leaver), openNumber(task));
      const all = [active, active + joining, active + 1n, amount];
      return play(moves.requestExit(leaver, task.id, chance.pick(all)));
    }
    if (kind < 14) {
      const leaver = owner(({ left, leaving }) => left + leaving);
      const { unlockAt, leaving } = accountOf(task, leaver);
      const freed =
        leaving > 0n && task.round?.open ? task.round.openedAt + longestRound(task.terms) + task.terms.unbonding : 0;
      const idle = !task.round?.open || this.phaseOf(task, at).phase === Phase.Settle;
      const patient = idle && chance.below(2) === 0; // it lets time go by, but not the round's
      return play(moves.withdraw(someone, leaver, task.id), patient ? Math.max(unlockAt, freed) - chance.below(2) : at);
    }
    if (kind < 16)
      return play(
        moves.claim(
          someone,
          owner(({ claimable }) => claimable),
          task.id,
        ),
      );
    if (kind < 18) return play(moves.fund(chance.below(2) ? creator : someone, task.id, amount));
    if (kind < 19 && game.state.toBurn > 0n) return play(moves.sweepBurn(someone));
    if (chance.below(2)) return play(moves.announce(someone, `http://${"x".repeat(chance.below(250))}`));
    if (chance.below(5) === 0) return play(moves.announceClose(task.id, creator));
    return play(moves.close(someone, task.id), chance.below(6) ? at : task.purse.closableAt - chance.below(2));
  }

  /** The hash of the seed's block, which only the chain knows; made first if it is the next one. */
  private async seedOf({ round }: Task): Promise<Hex> {
    if (round === undefined) return wordOf(1);
    const { client, mine } = this.game.chain;
    if ((await client.getBlockNumber({ cacheTime: 0 })) < round.seedBlock) await mine();
    return (await client.getBlock({ blockNumber: round.seedBlock })).hash;
  }

  private key(task: Task, operator: Address): string {
    return `${task.id} ${task.round?.number} ${operator}`;
  }

  private play(move: Parameters<Game["play"]>[0], at = Math.max(this.game.now + 1, this.until)): Promise<boolean> {
    return this.game.play(move, at);
  }
}
