/** The error table as a page for people: docs/reference/hubspot-errors.md is this text. */
import { type DescribedRow, describeDuration, describeTable, NEXT_LEGEND } from '@wrapup/destination/http';
import { ERROR_TABLE, type HubSpotErrorRule } from './error-table.ts';

const HEAD = `# What HubSpot answers, and what happens then

The first row that fits is taken. Where a row names a code, it is looked for in \`errors[].code\` and, in older answers, in the
JSON inside the message. A failure carries HubSpot's correlation id, to quote to its support, and no personal data.

${NEXT_LEGEND}

A refused property is left out and the rest written once more, with a note on the receipt, unless the connection says
\`on_refused_field: park\`: those rows are marked "or left out".
`;

const TAIL = `
An answer that none of these fits is \`unavailable\` and tried again. So are an answer that is cut off, a connection that breaks
(\`network\`), no answer in time (\`timeout\`), and a success that says nothing of a record (\`unaccounted\`): before anything is
created again it is looked for by its key.
`;

/** The page, as Markdown. */
export function describeErrors(): string {
  return `${HEAD}\n${describeTable('HubSpot', ERROR_TABLE, describeRow)}\n${TAIL}`;
}

function describeRow(rule: HubSpotErrorRule): DescribedRow {
  return { answers: condition(rule), ...(rule.omits ? { also: ['or left out'] } : {}), wait: wait(rule) };
}

function condition({ status, category, sub_category, policy, code, words }: HubSpotErrorRule): string {
  const parts = [
    ...(status === undefined ? [] : [Array.isArray(status) ? `${status[0]} to ${status[1]}` : String(status)]),
    ...(category ? [`category \`${category}\``] : []),
    ...(sub_category ? [`sub-category like \`${sub_category.source}\``] : []),
    ...(policy ? [`policy \`${policy}\``] : []),
    ...(code ? [typeof code === 'string' ? `code \`${code}\`` : `code like \`${code.source}\``] : []),
    ...(words ? [`message like \`${words.source}\``] : []),
  ];
  return parts.join(', ');
}

function wait({ wait: without, longest }: HubSpotErrorRule): string {
  if (without === undefined) return longest === undefined ? '' : `Retry-After, at most ${describeDuration(longest)}`;
  return longest === undefined
    ? describeDuration(without)
    : `Retry-After, at most ${describeDuration(longest)}; else ${describeDuration(without)}`;
}
