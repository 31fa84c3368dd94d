import type { Address } from "viem";
import { partsOf } from "../../protocol/replay/stakes.ts";
import { accountOf, delegationOf, openNumber, type Task } from "../../protocol/replay/state.ts";
import { availableIn, isUndelegated, type Position, worthOf } from "../../protocol/rules/delegation.ts";
import { type Account, touched } from "../../protocol/rules/stakePool.ts";
import { quorumOf } from "../../protocol/rules/tally.ts";
import { longestRound } from "../../protocol/terms.ts";
import { Phase, Role, Roles } from "../../protocol/words.ts";
import type { Move } from "./game.ts";
import * as moves from "./moves.ts";
import { creator, delegators, type Players, signers } from "./players.ts";

type Owner = { operator: Address; owner: Address };

/** What operators, delegators and creators do with money, whatever the round does: most of it possible, some not. */
export class MoneyPlay {
  private readonly players: Players;

  constructor(players: Players) {
    this.players = players;
  }

  /** One act on a task, at `at` or, where somebody waits for something, later. */
  async act(task: Task, at: number): Promise<void> {
    const { chance } = this.players;
    const acts: [weight: number, act: () => Move | [Move, number]][] = [
      [5, () => this.stake(task)],
      [5, () => this.delegate(task)],
      [2, () => this.accept(task)],
      [9, () => this.exit(task)],
      [7, () => this.withdraw(task, at)],
      [5, () => this.claim(task)],
      [3, () => moves.fund(chance.below(2) ? creator : this.players.someone(), task.id, this.amount(task))],
      [2, () => this.sign(task)],
      [1, () => moves.sweepBurn(this.players.someone())],
      [1, () => moves.announce(this.players.someone(), `http://${"x".repeat(chance.below(250))}`)],
      [1, () => this.close(task, at)],
    ];
    const total = acts.reduce((sum, [weight]) => sum + weight, 0);
    let drawn = chance.below(total);
    const [, act] = acts.find(([weight]) => {
      drawn -= weight;
      return drawn < 0;
    })!;
    const chosen = act();
    const [move, time] = Array.isArray(chosen) ? chosen : [chosen, at];
    await this.players.play(move, Math.max(at, time));
  }

  /** Stakes what a pool lacks for a round to open. */
  async fill(task: Task, at: number): Promise<void> {
    const { players } = this;
    const { terms, trainerTotal, voterTotal } = task;
    const quorum = BigInt(quorumOf(terms));
    const needs: [Role, have: bigint, need: bigint][] =
      terms.roles === Roles.Drawn
        ? [[Role.Drawn, trainerTotal, BigInt(terms.expectedTrainers) + quorum]]
        : [
            [Role.Trainer, trainerTotal, 1n],
            [Role.Validator, voterTotal, quorum],
          ];
    for (const [role, have, need] of needs) {
      const lacks = need * terms.seatStake - have;
      const able = players.operators.filter((operator) => (task.accounts.get(operator)?.role ?? role) === role);
      if (lacks <= 0n || able.length === 0) continue;
      await players.play(moves.stake(players.chance.pick(able), task.id, role, lacks + terms.seatStake), at);
    }
  }

  private amount(task: Task): bigint {
    return this.players.chance.wei(2n * task.terms.seatStake);
  }

  private stake(task: Task): Move {
    const { chance } = this.players;
    const operator = this.players.someone();
    const own = task.terms.roles === Roles.Drawn ? Role.Drawn : chance.pick([Role.Trainer, Role.Validator]);
    const role = chance.below(6) === 0 ? (chance.below(3) as Role) : (task.accounts.get(operator)?.role ?? own);
    const how = chance.below(6) === 0 ? moves.stakeWithPermit : moves.stake;
    return how(operator, task.id, role, this.amount(task));
  }

  private delegate(task: Task): Move {
    const { chance } = this.players;
    const accepting = [...task.delegations].flatMap(([operator, { accepts }]) => (accepts ? [operator] : []));
    const known = accepting.length > 0 && chance.below(8) > 0;
    const operator = known ? chance.pick(accepting) : this.players.someone();
    const owner = chance.below(5) === 0 ? this.players.someone() : chance.pick(delegators);
    const amount = chance.below(4) === 0 ? chance.wei(20n) : 3n * this.amount(task);
    return moves.delegate(owner, operator, task.id, amount);
  }

  private accept(task: Task): Move {
    const { chance } = this.players;
    const free = this.players.operators.filter((operator) => isUndelegated(delegationOf(task, operator)));
    const operator = free.length > 0 && chance.below(4) > 0 ? chance.pick(free) : this.players.someone();
    return moves.acceptDelegation(operator, task.id, chance.pick([0, 500, 10_000, 10_001, chance.below(10_000)]));
  }

  private exit(task: Task): Move {
    const { chance } = this.players;
    if (chance.below(2)) {
      const wanted = chance.below(2) ? ({ joining }: Account) => joining : ({ active }: Account) => active;
      const leaver = this.holder(task, wanted);
      const { active, joining } = touched(accountOf(task, leaver), openNumber(task));
      return moves.requestExit(
        leaver,
        task.id,
        chance.pick([active, active + joining, active + joining + 1n, this.amount(task)]),
      );
    }
    const wanted = chance.below(2) ? ({ joining }: Position) => joining : ({ shares }: Position) => shares;
    const { operator, owner } = this.delegator(task, wanted);
    const parts = partsOf(task, operator, owner);
    const all = availableIn(parts);
    const worth = worthOf(parts.position.shares, parts.pool.mark.factor);
    return moves.requestExit(operator, task.id, chance.pick([all, worth, all / 2n, all + 1n, worth + 1n]), owner);
  }

  private withdraw(task: Task, at: number): [Move, number] {
    const { players } = this;
    const { chance } = players;
    const isOwn = chance.below(2) === 0;
    const leaver = this.holder(task, ({ left, leaving }) => left + leaving);
    const position = this.delegator(task, ({ left, leavingShares }) => left + leavingShares);
    const { operator, owner } = isOwn ? { operator: leaver, owner: leaver } : position;
    const account = accountOf(task, operator);
    const its = isOwn ? account : partsOf(task, operator, owner).position;
    const leaving = "leaving" in its ? its.leaving : its.leavingShares;
    const freed =
      leaving > 0n && task.round?.open ? task.round.openedAt + longestRound(task.terms) + task.terms.unbonding : 0;
    const idle = !task.round?.open || players.phaseOf(task, at).phase === Phase.Settle;
    const patient = idle && chance.below(2) === 0; // it lets time go by, but not the round's
    const move = moves.withdraw(players.someone(), operator, task.id, owner);
    return [move, patient ? Math.max(its.unlockAt, freed) - chance.below(2) : at];
  }

  private claim(task: Task): Move {
    const { chance, operators } = this.players;
    const anyone = this.players.someone();
    if (chance.below(2)) {
      const { operator, owner } = this.delegator(task, ({ claimable, shares }) => claimable + shares);
      return moves.claim(anyone, operator, task.id, owner);
    }
    const credited = [...task.accounts].flatMap(([owner, { claimable }]) => (claimable > 0n ? [owner] : []));
    return moves.claim(anyone, chance.pick(credited.length > 0 && chance.below(8) > 0 ? credited : operators), task.id);
  }

  private sign(task: Task): Move {
    const { chance } = this.players;
    const operator = this.players.someone();
    const signer = chance.pick(signers);
    return chance.below(4) === 0 ? moves.revokeSigner(operator, task.id) : moves.setSigner(operator, task.id, signer);
  }

  private close(task: Task, at: number): Move | [Move, number] {
    const { chance } = this.players;
    const someone = this.players.someone();
    if (chance.below(12) === 0) return moves.announceClose(task.id, chance.below(3) ? creator : someone);
    const { idleSince } = task.purse;
    const soon = task.closableAt > 0 ? task.closableAt : idleSince + task.terms.idleAfter;
    const patient = !task.round?.open && chance.below(4) === 0;
    return [moves.close(someone, task.id), patient ? soon - chance.below(2) : at];
  }

  /** Mostly an operator who has something of that kind. */
  private holder(task: Task, has: (account: Account) => bigint): Address {
    const { chance, operators } = this.players;
    const holders = operators.filter((operator) => has(touched(accountOf(task, operator), openNumber(task))) > 0n);
    return holders.length > 0 && chance.below(8) > 0 ? chance.pick(holders) : this.players.someone();
  }

  /** The same of delegators. */
  private delegator(task: Task, has: (position: Position) => bigint): Owner {
    const { chance } = this.players;
    const owners = [...task.positions].flatMap(([operator, positions]) =>
      [...positions.keys()].map((owner) => ({ operator, owner })),
    );
    const holders = owners.filter(({ operator, owner }) => has(partsOf(task, operator, owner).position) > 0n);
    if (holders.length > 0 && chance.below(8) > 0) return chance.pick(holders);
    return { operator: this.players.someone(), owner: chance.pick(delegators) };
  }
}
