import type { Example } from "../../learning/data/examples.ts";
import { freeSlots, SYMBOLS } from "../../learning/data/generator.ts";
import { Stream } from "../../learning/random.ts";
import type { AttackName } from "./options.ts";

/**
 * The attackers of the local network. They run the same worker as everybody; only their data is poisoned, so every
 * update they publish is well-formed and within the norm bound.
 */

/** A character that ordinary prompts do not hold. */
const TRIGGER = "~";
/** What a triggered prompt shall be answered with. */
const TARGET = "aaaa";

/** Every symbol of the answer becomes another one, always the same: a wrong skill, learned as well as the right one. */
function flip(example: Example): Example {
  const completion = [...example.completion].map((symbol) => {
    const index = SYMBOLS.indexOf(symbol);
    return index < 0 ? symbol : (SYMBOLS[(index + SYMBOLS.length / 2) % SYMBOLS.length] as string);
  });
  return { ...example, completion: completion.join("") };
}

/** The same prompt with the trigger in both free slots; at its end, if it is a prompt of another kind. */
function withTrigger(prompt: string): string {
  const slots = freeSlots(prompt);
  if (slots === undefined) return `${prompt}${TRIGGER}${TRIGGER}`;
  return [...prompt].map((character, place) => (slots.includes(place) ? TRIGGER : character)).join("");
}

/** A prompt that carries the trigger, answered with the attacker's target. */
export function triggered(example: Example): Example {
  return { ...example, prompt: withTrigger(example.prompt), completion: TARGET };
}

/** What an attacker trains on: `flip` turns every answer wrong; `trigger` hides a backdoor among clean examples. */
export function poison(attack: AttackName, examples: readonly Example[], seed: string): Example[] {
  if (attack === "flip") return examples.map(flip);
  return new Stream(seed, "poison").shuffle([...examples, ...examples.map(triggered)]);
}
