/**
 * How the command ends.
 *
 * 0  done, nothing to complain about
 * 1  done, and the answer is bad: findings with errors, a refused delivery, nothing found, not allowed
 * 2  called wrongly: unknown option, missing argument, unreadable file
 * 3  no answer from Redis, ingress, the CRM or Synthflow
 */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a message for its user and no stack. */
export class CliError extends Error {
  override name = 'CliError';
  readonly exit: ExitCode;
  readonly hint: string | undefined;

  constructor(exit: ExitCode, message: string, hint?: string) {
    super(message);
    this.exit = exit;
    this.hint = hint;
  }
}
