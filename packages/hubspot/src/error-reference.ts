/** The error table as a page for people: docs/reference/hubspot-errors.md is this text. */
import { FAILURE_CODES } from '@wrapup/destination';
import { ERROR_TABLE, type ErrorRule } from './error-table.ts';

const HEAD = `# What HubSpot answers, and what happens then

The first row that fits is taken. Where a row names a code, it is looked for in \`errors[].code\` and, in older answers, in the
JSON inside the message. A failure carries HubSpot's correlation id, to quote to its support, and no personal data.

| next | means |
| --- | --- |
| retry | again later; an attempt is used up |
| throttle | again after the wait; no attempt is used up |
| reauthenticate | the connection pauses, its calls wait; it goes on by itself once the credentials work |
| park | waits for a person: mend it, then \`wrapup parked replay\` |
| die | Wrapup's own mistake, in \`wrapup dead list\` |

A refused property is left out and the rest written once more, with a note on the receipt, unless the connection says
\`on_refused_field: park\`: those rows are marked "or left out".

| HubSpot answers | is | next | wait | says | hint |
| --- | --- | --- | --- | --- | --- |
`;

const TAIL = `
An answer that none of these fits is \`unavailable\` and tried again. So are an answer that is cut off, a connection that breaks
(\`network\`), no answer in time (\`timeout\`), and a success that says nothing of a record (\`unaccounted\`): before anything is
created again it is looked for by its key.
`;

/** The page, as Markdown. */
export function describeErrors(): string {
  return `${HEAD}${ERROR_TABLE.map(row).join('\n')}\n${TAIL}`;
}

function row(rule: ErrorRule): string {
  const next = rule.next ?? FAILURE_CODES[rule.becomes];
  const cells = [
    condition(rule),
    `\`${rule.becomes}\``,
    rule.field ? `${next}, or left out` : next,
    wait(rule),
    rule.says,
    rule.hint ?? '',
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function condition({ status, category, sub_category, policy, code, message }: ErrorRule): string {
  const parts = [
    ...(status === undefined ? [] : [Array.isArray(status) ? `${status[0]} to ${status[1]}` : String(status)]),
    ...(category ? [`category \`${category}\``] : []),
    ...(sub_category ? [`sub-category like \`${sub_category.source}\``] : []),
    ...(policy ? [`policy \`${policy}\``] : []),
    ...(code ? [typeof code === 'string' ? `code \`${code}\`` : `code like \`${code.source}\``] : []),
    ...(message ? [`message like \`${message.source}\``] : []),
  ];
  return parts.join(', ');
}

function wait({ wait: without, longest }: ErrorRule): string {
  if (without === undefined) return longest === undefined ? '' : `Retry-After, at most ${duration(longest)}`;
  return longest === undefined
    ? duration(without)
    : `Retry-After, at most ${duration(longest)}; else ${duration(without)}`;
}

function duration(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}
