/** Exit codes of every command (docs/operating.md lists them). */
export const ExitCode = {
  ok: 0,
  /** Something broke that we did not foresee. */
  unexpected: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** A file from the user or from another party is wrong: manifest, data, artifact, model. */
  badInput: 3,
  /** The chain says something else than expected: wrong chain id, unknown contracts, a refused act. */
  chain: 4,
  /** A server cannot be reached, or a disk is full, now; trying again later may help. */
  unreachable: 5,
  /** An audit found a difference. */
  difference: 6,
  /** The user interrupted. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export type ErrorDetails = { cause?: unknown; exitCode?: ExitCode };

/**
 * Every error that Flock throws on purpose. The message is one sentence that says what is wrong, where, and what to do.
 * Subclasses tell whether doing it again can help.
 */
export class FlockError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, { cause, exitCode = ExitCode.unexpected }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.exitCode = exitCode;
  }
}

/** Doing it again gives the same error: a malformed file, a wrong chain, a refused act. Never retried. */
export class PermanentError extends FlockError {
  constructor(message: string, { exitCode = ExitCode.badInput, ...details }: ErrorDetails = {}) {
    super(message, { ...details, exitCode });
  }
}

/** May go away by itself: a server down, a dropped connection, a full queue. Retried with back-off. */
export class PassingError extends FlockError {
  constructor(message: string, { exitCode = ExitCode.unreachable, ...details }: ErrorDetails = {}) {
    super(message, { ...details, exitCode });
  }
}
