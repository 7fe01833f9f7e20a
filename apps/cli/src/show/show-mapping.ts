import type { ExplainedLine, ExplainedMapping } from '@wrapup/mapping';
import { clean } from '../terminal/clean.ts';
import type { Output } from '../terminal/output.ts';

/** Column at which remarks stand beside short lines. */
const COLUMN = 60;
/** Characters of a line, its remark included. */
const WIDTH = 100;
/** Characters of a line of a mapping that are shown. */
const LONGEST_LINE = 4000;

/** The mapping as YAML with remarks: how a field is written, and where the line stands. */
export function explainedRows({ mapping, lines }: ExplainedMapping, { style }: Output): string[] {
  const head = [
    `# ${clean(mapping.name)} (${mapping.kind}, ${mapping.hash}), with all that it extends and all defaults.`,
    '# Remarks: how a field is written, where nothing says so in brackets; then where the line stands.',
  ];
  return [...head.map((line) => style('dim', line)), ...lines.flatMap((line) => rowsOf(line, style))];
}

function rowsOf(line: ExplainedLine, style: Output['style']): string[] {
  const remark = `# ${remarkOf(line)}`;
  const rows = line.yaml.split('\n').map((row) => clean(row, LONGEST_LINE));
  const [first = ''] = rows;
  const beside = `${first.padEnd(COLUMN)}  `;
  // A text over several lines takes no remark within.
  if (rows.length === 1 && beside.length + remark.length <= WIDTH) return [`${beside}${style('dim', remark)}`];
  if (rows.length === 1 && first.length + 2 + remark.length <= WIDTH) return [`${first}  ${style('dim', remark)}`];
  const indent = /^[ -]*/.exec(first)?.[0].length ?? 0;
  return [style('dim', `${' '.repeat(indent)}${remark}`), ...rows];
}

function remarkOf({ field, from }: ExplainedLine): string {
  const place = from ? `${clean(from.file.replace(/^preset /, ''))}:${from.line}` : 'default';
  if (!field) return place;
  return `${field.says_write ? field.write : `(${field.write})`} ${place}`;
}
