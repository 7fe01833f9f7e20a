import { userInfo } from 'node:os';

/** Who runs this command, for what the ledger notes of an operator: the user of the operating system. */
export function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user without a name.
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
