import { type Address, type Hex, toHex } from "viem";
import { seatsIn } from "../../protocol/replay/rounds.ts";
import { signersOf, type Task } from "../../protocol/replay/state.ts";
import { NO_HEAD } from "../../protocol/rules/ballots.ts";
import { signerIn } from "../../protocol/rules/signers.ts";
import { mix, voterSeed } from "../../protocol/rules/sortition.ts";
import { ABSTAIN, MAX_COPY, MAX_SCORE, MIN_SCORE, MISSING, Phase, Role } from "../../protocol/words.ts";
import { type Players, signers } from "./players.ts";
import * as rounds from "./roundMoves.ts";
import { headOf, wordOf } from "./words.ts";

/** How a voter scores: honestly, against the truth, always the same, with gaps, or at random. */
type Temper = "honest" | "liar" | "constant" | "gaps" | "random";

/** What operators do in a round: most of it as they should, some of it wrong. */
export class RoundPlay {
  private readonly players: Players;
  private readonly proposals = new Map<string, rounds.ProposalSecret>();
  private readonly ballots = new Map<string, rounds.BallotSecret>();
  private readonly tempers: ReadonlyMap<Address, Temper>;
  private salt = 0n;

  constructor(players: Players) {
    this.players = players;
    const tempers: Temper[] = ["honest", "honest", "honest", "honest", "liar", "constant", "gaps", "random"];
    this.tempers = new Map(players.operators.map((operator) => [operator, players.chance.pick(tempers)]));
  }

  /** Operators that can do something in this phase. Whoever has no seats is among them at times. */
  async able(task: Task, phase: Phase): Promise<Address[]> {
    const { game, operators, chance } = this.players;
    const round = task.round!;
    if (phase === Phase.Publish) return [...round.proposals.keys()];
    const isSeated = (role: 0 | 1, seeds: { seed?: Hex | undefined; voterSeed?: Hex | undefined }) => {
      return (operator: Address) =>
        seatsIn(game.state, task, { ...round, ...seeds }, role, operator) > 0 || chance.below(12) === 0;
    };
    if (phase === Phase.Reveal) {
      const others = operators.filter((operator) => !round.ballots.has(operator));
      return [...round.ballots.keys(), ...others.filter(isSeated(Role.Validator, {}))];
    }
    const seed = await this.seed(task);
    const seeds = { seed, voterSeed: round.voterSeed };
    if (phase === Phase.Ballot)
      seeds.voterSeed ??= voterSeed(seed, mix(round.accumulator, await this.voterValue(task)));
    const role = phase === Phase.Propose ? Role.Trainer : Role.Validator;
    return operators.filter(isSeated(role, seeds));
  }

  /** The act of one operator in one phase. */
  async act(task: Task, phase: Phase, operator: Address, at: number): Promise<void> {
    const { players } = this;
    const { game, chance } = players;
    if (phase === Phase.None) await players.play(rounds.openRound(operator, task.id, game.state), at);
    else if (phase === Phase.Propose) await this.propose(task, operator, at);
    else if (phase === Phase.Publish) await this.publish(task, operator, at);
    else if (phase === Phase.Ballot) await this.vote(task, operator, at);
    else if (phase === Phase.Reveal) await this.reveal(task, operator, at);
    else if (chance.below(3) === 0) await players.play(rounds.openRound(operator, task.id, game.state), at);
    else await players.play(rounds.settle(operator, game.state, task.id), at);
  }

  private async propose(task: Task, operator: Address, at: number): Promise<void> {
    const { players } = this;
    const { chance, game } = players;
    const seed = await this.seed(task);
    if (chance.below(20) === 0) {
      await players.play(rounds.latchSeed(operator, task.id, seed), at);
      return;
    }
    const artifact = wordOf(chance.below(40) === 0 ? 1n : ++this.salt); // at times one that others have, too
    const secret = { artifact, salt: wordOf(++this.salt) };
    const from = this.sealer(task, operator);
    const sealed = await players.play(
      rounds.commitProposal(game.state, operator, task.id, secret, seed, from),
      Math.max(at, game.now + 1),
    );
    if (sealed) this.proposals.set(this.key(task, operator), secret);
    if (sealed && from !== operator) game.saw("a proposal sealed by a signer");
  }

  private async publish(task: Task, operator: Address, at: number): Promise<void> {
    const { chance } = this.players;
    const known = this.proposals.get(this.key(task, operator)) ?? { artifact: wordOf(1), salt: wordOf(2) };
    const secret = chance.below(25) === 0 ? { ...known, salt: wordOf(++this.salt) } : known;
    await this.players.play(rounds.publishProposal(this.players.someone(), operator, task.id, secret), at);
  }

  private async vote(task: Task, operator: Address, at: number): Promise<void> {
    const { players } = this;
    const { chance, game } = players;
    const value = await this.voterValue(task);
    if (chance.below(20) === 0) {
      await players.play(rounds.latchSeed(operator, task.id, value), at);
      return;
    }
    const scores = this.scoresBy(this.tempers.get(operator)!, task);
    const silent = scores.every((score) => score === ABSTAIN || score === MISSING);
    const head = silent && chance.below(2) === 0 ? NO_HEAD : headOf(chance.below(8) === 0 ? 2 : 1);
    const bad = chance.below(25) === 0;
    const secret = {
      scores: bad ? [...scores, 1].slice(0, 16) : scores,
      report: wordOf(++this.salt),
      head: bad && chance.below(2) === 0 ? NO_HEAD : head,
      salt: wordOf(++this.salt),
    };
    const copy = toHex(7n, { size: chance.below(30) === 0 ? MAX_COPY + chance.below(2) : 112 });
    const from = this.sealer(task, operator);
    const sealed = await players.play(
      rounds.commitBallot(game.state, operator, task.id, secret, { value, copy, from }),
      Math.max(at, game.now + 1),
    );
    if (sealed) this.ballots.set(this.key(task, operator), secret);
    if (sealed && from !== operator) game.saw("a ballot sealed by a signer");
  }

  /** Whoever sealed a ballot opens it, and whoever did not is accused. */
  private async reveal(task: Task, operator: Address, at: number): Promise<void> {
    const { players } = this;
    const known = this.ballots.get(this.key(task, operator));
    const isAccused = known === undefined ? players.chance.below(4) > 0 : players.chance.below(30) === 0;
    if (isAccused) {
      await players.play(rounds.accuseAbsence(players.someone(), operator, task.id), at);
      return;
    }
    const secret = known ?? { scores: [], report: wordOf(1), head: NO_HEAD, salt: wordOf(2) };
    await players.play(rounds.revealBallot(players.someone(), operator, task.id, secret), at);
  }

  /** Each proposal is good, poison, dull or lost, as its artifact says, the same for every voter. */
  private scoresBy(temper: Temper, task: Task): number[] {
    const { chance } = this.players;
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

  /** Who seals for an operator: itself, its signer, or somebody who may not. */
  private sealer(task: Task, operator: Address): Address {
    const { chance } = this.players;
    const signer = signerIn(signersOf(task, operator), task.round?.number ?? 0);
    if (chance.below(40) === 0) return chance.pick([...signers, this.players.someone()]);
    return BigInt(signer) > 0n && chance.below(2) === 0 ? signer : operator;
  }

  /** The values of the blocks of both seeds, which only the chain knows. */
  private async seed({ round }: Task): Promise<Hex> {
    if (round === undefined) return wordOf(1);
    return round.seed ?? (await this.hashOf(round.seedBlock));
  }

  private async voterValue({ round }: Task): Promise<Hex> {
    if (round === undefined || round.voterBlock === 0) return wordOf(1);
    return round.voterValue ?? (await this.hashOf(round.voterBlock));
  }

  private async hashOf(block: number): Promise<Hex> {
    const { game } = this.players;
    const hash = await game.chain.hashOf(block);
    game.now = await game.chain.now();
    return hash;
  }

  private key(task: Task, operator: Address): string {
    return `${task.id} ${task.round?.number} ${operator}`;
  }
}
