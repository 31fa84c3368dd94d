/** The largest of any number of numbers, as Math.max has it, which takes only so many arguments: -Infinity of none, NaN if one is. */
export function largest(numbers: Iterable<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const number of numbers) most = Math.max(most, number);
  return most;
}

/** The smallest of any number of numbers: Infinity of none, NaN if one is. */
export function smallest(numbers: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const number of numbers) least = Math.min(least, number);
  return least;
}
