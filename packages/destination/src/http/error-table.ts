/** What the adapters' tables of errors have in common, and how they become a page for people. */
import { FAILURE_CODES, type FailureCode, type Next } from '../port/failure.ts';

/** One row: what a CRM answers, and what that means. The first row of a table whose conditions all hold is taken. */
export interface TableRow {
  /** HTTP status, or the first and the last of several. */
  status?: number | [from: number, to: number];
  becomes: FailureCode;
  /** Only when it differs from what the code usually means. */
  next?: Next;
  /** What happened, within a sentence. */
  says: string;
  /** What to do about it. */
  hint?: string;
}

/** True when a row holds for that status; one without a status holds for all. */
export function fitsStatus(wanted: TableRow['status'], status: number): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'number' ? wanted === status : wanted[0] <= status && status <= wanted[1];
}

/** What of a row only its adapter can put into words. */
export interface DescribedRow {
  /** What the CRM answers. */
  answers: string;
  /** What happens besides `next`. */
  also?: string[];
  /** How long is waited. */
  wait: string;
}

/** What each `next` means, as a table in Markdown. */
export const NEXT_LEGEND = `| next | means |
| --- | --- |
| retry | again later; an attempt is used up |
| throttle | again after the wait; no attempt is used up |
| reauthenticate | the connection pauses, its calls wait; it goes on by itself once the credentials work |
| park | waits for a person: mend it, then \`wrapup parked replay\` |
| die | Wrapup's own mistake, in \`wrapup dead list\` |`;

/** A table of errors as Markdown. */
export function describeTable<Row extends TableRow>(
  crm: string,
  rows: Row[],
  describe: (row: Row) => DescribedRow,
): string {
  const lines = rows.map((row) => {
    const { answers, also = [], wait } = describe(row);
    const next = [row.next ?? FAILURE_CODES[row.becomes], ...also].join(', ');
    const cells = [answers, `\`${row.becomes}\``, next, wait, row.says, row.hint ?? ''];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    `| ${crm} answers | is | next | wait | says | hint |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

/** `90 s`, `5 min`, `1 h`. @param ms milliseconds */
export function describeDuration(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}
