/** A span of seconds in words: "7 d", "12 h", "90 s". */
export function duration(seconds: number): string {
  for (const [unit, length] of [
    ["d", 86_400],
    ["h", 3600],
    ["min", 60],
  ] as const) {
    if (seconds >= 2 * length || seconds === length) return `${Number((seconds / length).toFixed(1))} ${unit}`;
  }
  return `${seconds} s`;
}

/** A moment (seconds since 1970) as people read it. */
export function moment(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z").replace("T", " ");
}
