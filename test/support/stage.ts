import assert from "node:assert/strict";
import type { Address, Hex } from "viem";
import { accountOf, clockOf, delegationOf, type Task } from "../../protocol/replay/state.ts";
import { NO_HEAD } from "../../protocol/rules/ballots.ts";
import { phaseAt } from "../../protocol/rules/phases.ts";
import { nextWeight } from "../../protocol/rules/weights.ts";
import type { Terms } from "../../protocol/terms.ts";
import { Phase, type Role } from "../../protocol/words.ts";
import type { Game, Move } from "./game.ts";
import * as moves from "./moves.ts";
import { creator } from "./players.ts";
import * as rounds from "./roundMoves.ts";
import { addressOf, headOf, wordOf } from "./words.ts";

/** The n-th trainer or validator of a scene, or of the one pool of drawn roles. */
export const trainer = (n: number) => addressOf(0x7a0000 + n);
export const voter = (n: number) => addressOf(0x70e000 + n);
export const anyone = addressOf(0xa11);

/** Everybody who plays in scenes and needs tokens. */
export const actors = [
  anyone,
  ...Array.from({ length: 16 }, (_, i) => trainer(i)),
  ...Array.from({ length: 40 }, (_, i) => voter(i)),
];

/** One task of a game that is played as a script: whoever has the whole of a pool, or an even part of it, has certain seats. */
export class Stage {
  readonly game: Game;
  readonly id: bigint;
  private readonly proposals = new Map<Address, rounds.ProposalSecret>();
  private readonly ballots = new Map<Address, rounds.BallotSecret>();

  private constructor(game: Game, id: bigint) {
    this.game = game;
    this.id = id;
  }

  /** Creates a task and funds it. */
  static async open(game: Game, terms: Terms, deposit: bigint): Promise<Stage> {
    const stage = new Stage(game, BigInt(game.state.tasks.size + 1));
    await stage.must(moves.createTask(creator, terms, wordOf(0x57a6e)));
    if (deposit > 0n) await stage.must(moves.fund(creator, stage.id, deposit));
    return stage;
  }

  get task(): Task {
    return this.game.state.tasks.get(this.id)!;
  }

  get round() {
    return this.task.round!;
  }

  /** Plays what contracts and rules must accept, at `at` or now. */
  async must(move: Move, at = 0): Promise<void> {
    const time = Math.max(at, this.game.now + 1);
    assert.ok(await this.game.play(move, time), `${move.name} is refused`);
  }

  /** Plays what both must refuse. */
  async refuse(move: Move, at = 0): Promise<void> {
    const time = Math.max(at, this.game.now + 1);
    assert.equal(await this.game.play(move, time), false, `${move.name} is accepted`);
  }

  /** The first moment at which the round, if nobody acts, is in a phase. */
  starts(phase: Phase): number {
    let at = this.game.now + 1;
    while (phaseAt(this.task.terms, clockOf(this.round, false), at).phase < phase) at += 1;
    return at;
  }

  /** Stakes so that each operator's weight in the next round is `weight`. */
  async weigh(role: Role, operators: readonly Address[], weight: bigint): Promise<void> {
    const { terms } = this.task;
    for (const operator of operators) {
      const has = nextWeight(terms, accountOf(this.task, operator), delegationOf(this.task, operator));
      if (has < weight) await this.must(moves.stake(operator, this.id, role, weight - has));
    }
  }

  async openRound(): Promise<void> {
    await this.must(rounds.openRound(anyone, this.id, this.game.state));
  }

  /** The value of the block of the round's seed, or of the voters'. */
  async value(block = this.round.seedBlock): Promise<Hex> {
    const hash = await this.game.chain.hashOf(block);
    this.game.now = await this.game.chain.now();
    return hash;
  }

  async sealProposal(operator: Address, artifact: bigint, from = operator): Promise<void> {
    await this.must(await this.proposalOf(operator, artifact, from));
  }

  async proposalOf(operator: Address, artifact: bigint, from = operator): Promise<Move> {
    const secret = { artifact: wordOf(artifact), salt: wordOf(artifact + 0x5a17n) };
    const seed = await this.value();
    this.proposals.set(operator, secret);
    return rounds.commitProposal(this.game.state, operator, this.id, secret, seed, from);
  }

  async publish(operator: Address, at = 0): Promise<void> {
    await this.must(rounds.publishProposal(anyone, operator, this.id, this.proposals.get(operator)!), at);
  }

  /** Publishes all as soon as it can be done. */
  async publishAll(operators: readonly Address[]): Promise<void> {
    const at = this.starts(Phase.Publish);
    for (const operator of operators) await this.publish(operator, at);
  }

  async ballotOf(
    operator: Address,
    scores: readonly number[],
    sealing: Partial<rounds.Sealing> & { head?: number } = {},
  ) {
    const { head = 1, copy, from } = sealing;
    const n = BigInt(operator) & 0xffffn;
    const named = head === 0 ? NO_HEAD : headOf(head);
    const secret = { scores, report: wordOf(n), head: named, salt: wordOf(n + 0x5a17n) };
    const value = await this.value(this.round.voterBlock);
    this.ballots.set(operator, secret);
    return rounds.commitBallot(this.game.state, operator, this.id, secret, { value, copy, from });
  }

  async sealBallot(operator: Address, scores: readonly number[], head = 1): Promise<void> {
    await this.must(await this.ballotOf(operator, scores, { head }), this.starts(Phase.Ballot));
  }

  revealOf(operator: Address): Move {
    return rounds.revealBallot(anyone, operator, this.id, this.ballots.get(operator)!);
  }

  async reveal(operators: readonly Address[], at = 0): Promise<void> {
    const start = Math.max(at, this.starts(Phase.Reveal));
    for (const operator of operators) await this.must(this.revealOf(operator), start);
  }

  async settle(): Promise<void> {
    await this.must(rounds.settle(anyone, this.game.state, this.id), this.starts(Phase.Settle));
  }

  /** A whole round: who proposes what, and who scores how. */
  async play(proposals: readonly (readonly [Address, bigint])[], ballots: readonly (readonly [Address, number[]])[]) {
    await this.openRound();
    for (const [operator, artifact] of proposals) await this.sealProposal(operator, artifact);
    await this.publishAll(proposals.map(([operator]) => operator));
    for (const [operator, scores] of ballots) await this.sealBallot(operator, scores);
    await this.reveal(ballots.map(([operator]) => operator));
    await this.settle();
  }
}
