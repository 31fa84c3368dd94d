/** What an operator may want to know of its machine. */
export type Check = {
  name: string;
  /** "wrong": work would fail. "warning": it works, but not well. "absent": something that this machine need not have. */
  state: "ok" | "warning" | "absent" | "wrong";
  /** What there is, in words. */
  found: string;
  /** What to do about it, in one sentence. */
  advice?: string | undefined;
};

/** A check that is a call: whatever it throws is what is wrong, in the words of the error. */
export async function attempt(name: string, look: () => Promise<Omit<Check, "name">>): Promise<Check> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    return { name, state: "wrong", found: "does not work", advice: (error as Error).message };
  }
}
