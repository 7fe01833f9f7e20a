/** The error table as a page for people: docs/reference/salesforce-errors.md is this text. */
import { type DescribedRow, describeDuration, describeTable, NEXT_LEGEND } from '@wrapup/destination/http';
import { ERROR_TABLE, type SalesforceErrorRule } from './error-table.ts';

const HEAD = `# What Salesforce answers, and what happens then

The first row that fits is taken, by code first: in answers of 4xx and 5xx it stands in \`errorCode\`, in rows of collections in
\`statusCode\`, in answers of the token endpoint in \`error\`. A row's errors are the row's alone; its neighbours are written.
Where several errors come together, those that only follow from another (\`PROCESSING_HALTED\`) are passed over for it. A
failure carries Salesforce's request id, to quote to its support, and no personal data.

${NEXT_LEGEND}

A refused field is left out and the rest written once more, with a note on the receipt, unless the connection says
\`on_refused_field: park\`: those rows are marked "or left out". Rows marked "fewer rows first" are sent again at once in smaller
requests, and the size that the org takes is remembered.
`;

const TAIL = `
An answer that none of these fits is \`unavailable\` and tried again. So are an answer that is cut off, a connection that breaks
(\`network\`), no whole answer in time (\`timeout\`), and a success that says nothing of a row (\`unaccounted\`): before anything is
created again it is looked for by its key. A 401 is answered with one new token and one repetition first.

What is answered without being an error: \`DUPLICATE_VALUE\` on a key of ours means that the record is there, and it is written to;
\`DUPLICATES_DETECTED\` is answered by the connection's \`duplicates\`; a record that is \`gone\` is looked up once more.
`;

/** The page, as Markdown. */
export function describeErrors(): string {
  return `${HEAD}\n${describeTable('Salesforce', ERROR_TABLE, describeRow)}\n${TAIL}`;
}

function describeRow(rule: SalesforceErrorRule): DescribedRow {
  return {
    answers: condition(rule),
    also: [...(rule.omits ? ['or left out'] : []), ...(rule.split_and_retry ? ['fewer rows first'] : [])],
    wait: rule.wait === undefined ? '' : describeDuration(rule.wait),
  };
}

function condition({ status, code, words }: SalesforceErrorRule): string {
  const parts = [
    ...(code === undefined ? [] : typeof code === 'string' ? [`\`${code}\``] : codesOf(code)),
    ...(status === undefined ? [] : [Array.isArray(status) ? `${status[0]} to ${status[1]}` : String(status)]),
    ...(words ? [`message like \`${words.source}\``] : []),
  ];
  return parts.join(', ');
}

/** `^(?:A|B)$` is A and B; other patterns stand as they are. */
function codesOf(pattern: RegExp): string[] {
  const list = /^\^\(\?:([\w|]+)\)\$$/.exec(pattern.source)?.[1] ?? /^\^(\w+)\$$/.exec(pattern.source)?.[1];
  return list ? list.split('|').map((code) => `\`${code}\``) : [`code like \`${pattern.source}\``];
}
