import type { LocalnetOptions } from "./options.ts";

/** One operator of the local network. */
export type Member = {
  /** "trainer 1", "validator 5": how tables call it. */
  name: string;
  role: "trainer" | "validator";
  /** Counts from 0 within its role. */
  index: number;
  honest: boolean;
  /** The domains whose examples it has; all of them for a validator. */
  domains: readonly string[];
};

/** A share of the domains, and of each the next one: who knows a single domain soon harms the others. */
function domainsOf(index: number, trainers: number, domains: readonly string[]): string[] {
  const isOwn = (domain: number) => domain % trainers === index % domains.length;
  const last = domains.length - 1;
  return domains.filter((_, domain) => isOwn(domain) || isOwn(domain === 0 ? last : domain - 1));
}

/**
 * Who takes part: honest trainers share the domains out among them, attackers have all domains (and poison them), the
 * last validator answers at random if there is an attacker.
 */
export function castOf({ trainers, validators, attackers }: LocalnetOptions, domains: readonly string[]): Member[] {
  const honestTrainers = trainers - attackers;
  const members: Member[] = [];
  for (let index = 0; index < trainers; index++) {
    const honest = index < honestTrainers;
    const own = honest ? domainsOf(index, honestTrainers, domains) : domains;
    const name = `trainer ${index + 1}`;
    members.push({ name, role: "trainer", index, honest, domains: own.length > 0 ? own : domains });
  }
  for (let index = 0; index < validators; index++) {
    const honest = attackers === 0 || index < validators - 1;
    members.push({ name: `validator ${index + 1}`, role: "validator", index, honest, domains });
  }
  return members;
}
