import { hostname, userInfo } from 'node:os';
import type { AuditedOperator } from '@wrapup/queue';

/** Who runs this command, for ledger and audit: the user of the operating system, and the host. */
export function operator(): AuditedOperator {
  return { name: userName(), via: 'command line', from: hostname() };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user without a name.
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
