import { type Hex, pad } from "viem";
import { ABSTAIN, Role } from "../../protocol/words.ts";
import type { FlockChain } from "../../test/support/flockChain.ts";
import { accountOf, accountsOf, type Crew, type GasByAct, median, type Opinion, playRound } from "./gasRound.ts";
import { ACTING_STAKE, addPassive, endow, openTask } from "./gasTask.ts";

const HEAD: Hex = pad("0x01", { size: 20 });

/** Proposals and ballots of every round of a task. */
export type Size = { task: bigint; proposals: number; ballots: number };

/** The acts of one task, as its population grows. */
export class OrdinaryTask {
  readonly #chain: FlockChain;
  readonly #crew: Crew;
  /** The last voter seals nothing: it is there to be accused. */
  readonly #absent = accountOf("absent", 0);
  #population = 0;
  #rounds = 0;

  get #task(): bigint {
    return this.#crew.task;
  }

  private constructor(chain: FlockChain, crew: Crew) {
    this.#chain = chain;
    this.#crew = crew;
  }

  /** Opens the task, and plays until no slot is new to those who act. */
  static async open(chain: FlockChain, { task, proposals, ballots }: Size): Promise<OrdinaryTask> {
    const crew = { task, trainers: accountsOf("trainer", proposals), voters: accountsOf("voter", ballots) };
    const expected = { expectedTrainers: proposals, expectedVoters: ballots + 1 };
    const self = new OrdinaryTask(chain, await openTask(chain, crew, expected));
    await endow(chain, self.#absent, 2n);
    await chain.act(self.#absent, "Staking", "stake", [task, Role.Validator, ACTING_STAKE]);
    await self.#poolOf(accountOf("pool", 0));
    for (let round = 0; round < 2; round++) await self.#play({ accused: true });
    await self.#claim();
    return self;
  }

  /** Gas of every act with at least `population` passive operators beside those who act. */
  async measure(population: number): Promise<Record<string, number>> {
    const chain = this.#chain;
    await addPassive(chain, this.#task, this.#population, population);
    this.#population = population;
    const newcomer = accountOf("newcomer", population);
    await endow(chain, newcomer, 5n);
    const delegators = accountsOf(`delegator ${population}`, 2);
    for (const delegator of delegators) await endow(chain, delegator, 3n);

    const first = await this.#play({ newcomer, delegators, accused: true });
    const second = await this.#play({});
    const typical = (gas: GasByAct, act: string) => median(gas.get(act)!);
    return {
      stakeFirst: first.get("stake")![0]!,
      stakeAgain: first.get("stake")![1]!,
      delegate: first.get("delegate")!.at(-1)!,
      openRound: typical(second, "openRound"),
      commitProposal: typical(second, "commitProposal"),
      publishProposal: typical(second, "publishProposal"),
      commitBallotAgain: typical(second, "commitBallot"),
      settle: typical(second, "settle"),
      claim: await this.#claim(),
      accuseAbsence: typical(first, "accuseAbsence"),
    };
  }

  /** Plays one more round, of which the settlement is the newest transaction. Its gas. */
  async settle(): Promise<number> {
    return median((await this.#play({})).get("settle")!);
  }

  async #play(acts: {
    newcomer?: Hex | undefined;
    delegators?: readonly Hex[] | undefined;
    accused?: boolean | undefined;
  }): Promise<GasByAct> {
    const { newcomer, delegators = [], accused = false } = acts;
    return playRound(this.#chain, this.#crew, {
      round: ++this.#rounds,
      opinions: this.#crew.voters.map((_, v) => this.#opinion(v)),
      absent: accused ? [this.#absent] : [],
      opened: async (act) => {
        if (newcomer !== undefined) {
          for (let time = 0; time < 2; time++)
            await act(newcomer, "Staking", "stake", [this.#task, Role.Trainer, 10n ** 12n]);
        }
        // The first to join in a round makes the slot in which the settlement marks it for all.
        for (const delegator of delegators) {
          await act(delegator, "Staking", "delegate", [this.#task, accountOf("pool", 0), 10n ** 12n]);
        }
      },
    });
  }

  /** Good proposals and a bad one at the end, unless it is alone; one voter of eight dissents on all, one cannot judge one. */
  #opinion(voter: number): Opinion {
    const scores = this.#crew.trainers.map((_, slot) => {
      if (voter === 3 && slot === 2) return ABSTAIN;
      const score = slot === this.#crew.trainers.length - 1 && slot > 0 ? -2000 : 300 + 400 * slot;
      return (8 * voter < this.#crew.voters.length ? -score : score) + 3 * voter;
    });
    return { scores, head: HEAD };
  }

  async #poolOf(operator: Hex): Promise<void> {
    await endow(this.#chain, operator, 2n);
    await this.#chain.act(operator, "Staking", "stake", [this.#task, Role.Trainer, 10n ** 12n]);
    await this.#chain.act(operator, "Staking", "acceptDelegation", [this.#task, 1000]);
    const delegator = accountOf("first delegator", 0);
    await endow(this.#chain, delegator, 1n);
    await this.#chain.act(delegator, "Staking", "delegate", [this.#task, operator, 10n ** 12n]);
  }

  async #claim(): Promise<number> {
    const voter = this.#crew.voters.at(-1)!;
    const { gasUsed } = await this.#chain.act(voter, "Staking", "claim", [this.#task, voter, voter]);
    return Number(gasUsed);
  }
}
