import type { Finding } from './finding.ts';
import type { Place } from './plan.ts';
import { truncate } from './transforms/texts.ts';

/** Findings that one file can have; who has more mends these first. */
const MOST = 200;
/** Characters of a message or hint; what the mapping says is quoted in them. */
const LONGEST = 600;

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
    const { length } = this.findings;
    const known = this.findings.some((one) => one.code === code && one.message === message && isSame(one.at, at));
    if (known || length > MOST) return;
    const finding: Finding =
      length === MOST
        ? { severity: 'error', code: 'too-many', message: 'there is more, which is not told', at }
        : {
            severity,
            code,
            message: truncate(message, LONGEST),
            ...(hint ? { hint: truncate(hint, LONGEST) } : {}),
            at,
          };
    this.findings.push(finding);
  }
}

function isSame(one: Place | undefined, other: Place): boolean {
  return one?.file === other.file && one.line === other.line && one.column === other.column;
}
