import * as yaml from 'yaml';
import type { Place } from './finding.ts';

/**
 * Where a character of a text stands in its file: exact where the text is written as it reads, on one line or as a
 * literal block; where the text begins otherwise.
 */
export function locateCharacters(node: yaml.Scalar, at: Place, text: string): (offset: number) => Place {
  const value = String(node.value);
  if (node.type === yaml.Scalar.BLOCK_LITERAL) return locateInBlock(value, at, text);
  const quote = node.type === yaml.Scalar.PLAIN ? 0 : 1;
  const start = (node.range?.[0] ?? 0) + quote;
  if (text.slice(start, start + value.length) !== value || value.includes('\n')) return () => at;
  return (offset) => ({ ...at, column: at.column + quote + offset });
}

function locateInBlock(value: string, at: Place, text: string): (offset: number) => Place {
  let lines: { starts: number[]; indent: number } | undefined;
  return (offset) => {
    lines ??= { starts: lineStarts(value), indent: indentOf(text, at.line + 1) };
    const index = lines.starts.findLastIndex((start) => start <= offset);
    const start = lines.starts[index] ?? 0;
    return { ...at, line: at.line + 1 + index, column: lines.indent + offset - start + 1 };
  };
}

function lineStarts(value: string): number[] {
  return [0, ...[...value.matchAll(/\n/g)].map(({ index }) => index + 1)];
}

/** Blanks before a block's first line; a block may begin with empty ones. */
function indentOf(text: string, line: number): number {
  const rest = text.split('\n').slice(line - 1);
  const first = rest.find((candidate) => candidate.trim() !== '') ?? '';
  return first.length - first.trimStart().length;
}
