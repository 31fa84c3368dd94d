import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Example, readDomains, writeJsonl } from "../../learning/data/examples.ts";
import { GENERATED_DOMAINS, generate } from "../../learning/data/generator.ts";
import { deal, splitHeldOut } from "../../learning/data/split.ts";
import { PermanentError } from "../../protocol/errors.ts";
import { poison } from "./attacks.ts";
import type { Member } from "./cast.ts";
import type { LocalnetOptions } from "./options.ts";

/** Examples of each domain that everybody may see: scores are measured on a slice of them. */
const PUBLIC_ROWS = 512;
/** Examples of each domain that only one validator has. */
const PRIVATE_ROWS = 128;
/** Examples of each of its domains that only one trainer has. */
const TRAIN_ROWS = 512;
/** Examples of each domain that the final figures are measured on. */
const TEST_ROWS = 256;
/** Fewest examples a file of the user's own data may hold: each party needs some of its own. */
const MIN_ROWS = 40;

type Split = {
  public: Example[];
  test: Example[];
  private(validator: number): Example[];
  train(trainer: number): Example[];
};

/** Examples by domain, drawn so that no two parties share one. */
export type Sources = Map<string, Split>;

function generated(seed: string): Sources {
  const set = (domain: string, split: string, count: number) => generate({ seed, domain, count, split });
  return new Map(
    GENERATED_DOMAINS.map((domain) => [
      domain,
      {
        public: set(domain, "public", PUBLIC_ROWS),
        test: set(domain, "test", TEST_ROWS),
        private: (validator) => set(domain, `private/${validator}`, PRIVATE_ROWS),
        train: (trainer) => set(domain, `train/${trainer}`, TRAIN_ROWS),
      },
    ]),
  );
}

/** A quarter of each file is public, a quarter is dealt among the validators, half among the trainers. */
function fromFiles(dir: string, { seed, trainers, validators }: LocalnetOptions): Sources {
  const sources: Sources = new Map();
  for (const [domain, examples] of readDomains(dir)) {
    if (examples.length < MIN_ROWS) {
      throw new PermanentError(
        `${join(dir, domain)}.jsonl holds ${examples.length} examples; at least ${MIN_ROWS} are needed to share them out.`,
      );
    }
    const quarter = Math.floor(examples.length / 4);
    const shared = splitHeldOut(examples, { seed: `${seed}-public`, heldOut: quarter });
    const rest = splitHeldOut(shared.train, { seed: `${seed}-private`, heldOut: quarter });
    const own = deal(rest.heldOut, { seed, hands: validators });
    const train = deal(rest.train, { seed, hands: trainers });
    if ([...own, ...train].some((hand) => hand.length === 0)) {
      throw new PermanentError(
        `${join(dir, domain)}.jsonl has too few prompts for ${trainers} trainers and ${validators} validators: add data, or ask for fewer.`,
      );
    }
    sources.set(domain, {
      public: shared.heldOut.slice(0, PUBLIC_ROWS),
      test: shared.heldOut.slice(0, TEST_ROWS), // a small file has no more to give than what the scores saw
      private: (validator) => own[validator] ?? [],
      train: (trainer) => train[trainer] ?? [],
    });
  }
  return sources;
}

/** The examples of a run: generated ones, or those of the user's folder. */
export function openSources(options: LocalnetOptions): Sources {
  return options.data === undefined ? generated(options.seed) : fromFiles(options.data, options);
}

function write(dir: string, domain: string, examples: readonly Example[]): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, `${domain}.jsonl`), writeJsonl(examples));
}

/** Writes the public sets into `dir`. */
export function writePublic(sources: Sources, dir: string): void {
  for (const [domain, split] of sources) write(dir, domain, split.public);
}

/** Writes what one member alone has: a trainer's examples (an attacker's poisoned), a validator's held-out ones. */
export function writeOwn(sources: Sources, member: Member, dir: string, { attack, seed }: LocalnetOptions): void {
  for (const [domain, split] of sources) {
    if (member.role === "validator") write(dir, domain, split.private(member.index));
    else if (member.domains.includes(domain)) {
      const own = split.train(member.index);
      write(dir, domain, member.honest ? own : poison(attack, own, `${seed}-${member.index}-${domain}`));
    }
  }
}
