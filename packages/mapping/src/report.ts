import type { Finding } from './finding.ts';
import type { Place } from './plan.ts';

/** Collects what is wrong, so that all of it is told at once. */
export class Report {
  readonly findings: Finding[] = [];

  error(code: string, message: string, at: Place, hint?: string): void {
    this.#add('error', code, message, at, hint);
  }

  warn(code: string, message: string, at: Place, hint?: string): void {
    this.#add('warning', code, message, at, hint);
  }

  get failed(): boolean {
    return this.findings.some(({ severity }) => severity === 'error');
  }

  #add(severity: Finding['severity'], code: string, message: string, at: Place, hint: string | undefined): void {
    const same = this.findings.some(
      (known) => known.code === code && known.message === message && known.at && isSame(known.at, at),
    );
    if (!same) this.findings.push({ severity, code, message, ...(hint ? { hint } : {}), at });
  }
}

function isSame(one: Place, other: Place): boolean {
  return one.file === other.file && one.line === other.line && one.column === other.column;
}
