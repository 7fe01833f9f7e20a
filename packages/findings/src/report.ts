import type { Finding, Fix, Place } from './finding.ts';

/** Findings that one file can have; the first ones come first. */
const MAX_FINDINGS = 200;
/** Characters of a message or hint: both quote the file. */
const MAX_CHARACTERS = 600;

/** Collects findings, so that a user sees all of them at once. */
export class Report {
  readonly findings: Finding[] = [];

  error(code: string, message: string, at: Place, hint?: string, fix?: Fix): void {
    this.#add('error', code, message, at, hint, fix);
  }

  warn(code: string, message: string, at: Place, hint?: string, fix?: Fix): void {
    this.#add('warning', code, message, at, hint, fix);
  }

  get failed(): boolean {
    return this.findings.some(({ severity }) => severity === 'error');
  }

  #add(
    severity: Finding['severity'],
    code: string,
    message: string,
    at: Place,
    hint: string | undefined,
    fix: Fix | undefined,
  ): void {
    const { length } = this.findings;
    const known = this.findings.some((one) => one.code === code && one.message === message && isSame(one.at, at));
    if (known || length > MAX_FINDINGS) return;
    const finding: Finding =
      length === MAX_FINDINGS
        ? { severity: 'error', code: 'too-many', message: 'there are more findings, which are left out', at }
        : {
            severity,
            code,
            message: truncate(message, MAX_CHARACTERS),
            ...(hint ? { hint: truncate(hint, MAX_CHARACTERS) } : {}),
            at,
            ...(fix ? { fix } : {}),
          };
    this.findings.push(finding);
  }
}

function isSame(one: Place | undefined, other: Place): boolean {
  return one?.file === other.file && one.line === other.line && one.column === other.column;
}

/** Cuts a text to `length` characters with an ellipsis at its end; never cuts a character in two. */
export function truncate(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = length - 1;
  const code = text.charCodeAt(end - 1);
  return `${text.slice(0, code >= 0xd800 && code <= 0xdbff ? end - 1 : end).trimEnd()}…`;
}
