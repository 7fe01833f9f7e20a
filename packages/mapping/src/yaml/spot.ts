import * as yaml from 'yaml';
import type { Place } from '../plan.ts';

/**
 * Where a character of a text stands in its file: exact where the text is written as it reads, on one line or as a
 * literal block; where the text begins otherwise.
 */
export function makeSpot(node: yaml.Scalar, at: Place, text: string): (offset: number) => Place {
  const value = String(node.value);
  if (node.type === yaml.Scalar.BLOCK_LITERAL) return makeBlockSpot(value, at, text);
  const quote = node.type === yaml.Scalar.PLAIN ? 0 : 1;
  const start = (node.range?.[0] ?? 0) + quote;
  if (text.slice(start, start + value.length) !== value || value.includes('\n')) return () => at;
  return (offset) => ({ ...at, column: at.column + quote + offset });
}

function makeBlockSpot(value: string, at: Place, text: string): (offset: number) => Place {
  return (offset) => {
    const before = value.slice(0, offset).split('\n');
    const line = at.line + before.length;
    const written = nthLine(text, line);
    const indent = written.indexOf(value.split('\n')[before.length - 1] ?? '');
    return indent < 0 ? at : { ...at, line, column: indent + (before.at(-1) ?? '').length + 1 };
  };
}

function nthLine(text: string, line: number): string {
  return text.split('\n', line)[line - 1] ?? '';
}
