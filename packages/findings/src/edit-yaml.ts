/**
 * Changes to a YAML text that touch nothing else: comments, anchors, quotes and line endings stay. Text is replaced where the
 * parser found it; the file is never written anew.
 */
import * as yaml from 'yaml';
import type { Fix, Place } from './finding.ts';

export interface Edit {
  at: Place;
  fix: Fix;
}

/** A text after edits, and those of them that could be made at their places. */
export interface EditedText<One extends Edit> {
  text: string;
  made: One[];
}

interface Replacement {
  start: number;
  end: number;
  text: string;
}

/** Makes every edit that can be made at its place; the others are left out. */
export function applyEdits<One extends Edit>(text: string, edits: readonly One[]): EditedText<One> {
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'silent' });
  if (document.errors.length > 0) return { text, made: [] };
  const replacements = new Map<number, Replacement & { edits: One[] }>();
  for (const edit of edits) {
    const { at, fix } = edit;
    const offset = (lines.lineStarts[at.line - 1] ?? Number.NaN) + at.column - 1;
    const replacement = replacementOf(offset, fix, document, text);
    if (!replacement) continue;
    // Aliases lead to the place that they stand for: it is changed once.
    const before = replacements.get(replacement.start)?.edits ?? [];
    replacements.set(replacement.start, { ...replacement, edits: [...before, edit] });
  }
  let [changed, from] = [text, text.length];
  const made = new Set<One>();
  for (const { start, end, text: by, edits: here } of [...replacements.values()].sort((a, b) => b.start - a.start)) {
    // What lies within another change comes with the next round.
    if (end > from) continue;
    changed = changed.slice(0, start) + by + changed.slice(end);
    from = start;
    for (const edit of here) made.add(edit);
  }
  return { text: changed, made: edits.filter((edit) => made.has(edit)) };
}

function replacementOf(
  offset: number,
  fix: Fix,
  document: yaml.Document.Parsed,
  text: string,
): Replacement | undefined {
  let found: Replacement | undefined;
  yaml.visit(document, {
    Pair(_, pair, path) {
      const { key } = pair as yaml.Pair<yaml.Node | null, yaml.Node | null>;
      const map = path.at(-1);
      if (key?.range?.[0] !== offset || !yaml.isScalar(key) || !yaml.isMap(map)) return undefined;
      if ('remove' in fix) found = removalOf(pair as ParsedPair, map as yaml.YAMLMap, text);
      else if ('replace' in fix) found = { start: offset, end: key.range[1], text: quotedAs(key, fix.replace) };
      return yaml.visit.BREAK;
    },
    Scalar(key, node, path) {
      if (key === 'key' || node.range?.[0] !== offset) return undefined;
      if ('wrap' in fix) found = wrappingOf(node, fix.wrap, isInFlow(path), text);
      else if ('replace' in fix) found = { start: offset, end: node.range[1], text: quotedAs(node, fix.replace) };
      return yaml.visit.BREAK;
    },
  });
  return found;
}

type ParsedPair = yaml.Pair<yaml.Node, yaml.Node | null>;

function quotedAs({ type }: yaml.Scalar, text: string): string {
  if (type === yaml.Scalar.QUOTE_DOUBLE) return JSON.stringify(text);
  return type === yaml.Scalar.QUOTE_SINGLE ? `'${text.replaceAll("'", "''")}'` : text;
}

function isInFlow(path: readonly unknown[]): boolean {
  return path.some((one) => yaml.isCollection(one) && one.flow === true);
}

/** `HIGH` becomes `{ value: HIGH }`. A text in a block has no place on one line, and a tag such as !!str fits no section. */
function wrappingOf(node: yaml.Scalar, key: string, isFlow: boolean, text: string): Replacement | undefined {
  const [start, end] = node.range ?? [0, 0];
  const { type } = node;
  if (node.tag !== undefined || type === yaml.Scalar.BLOCK_FOLDED || type === yaml.Scalar.BLOCK_LITERAL)
    return undefined;
  const written = text.slice(start, end);
  // Between braces these end a text that stands without quotes.
  const isBare = type === yaml.Scalar.PLAIN && !isFlow && /[,[\]{}]/.test(written);
  return { start, end, text: `{ ${key}: ${isBare ? JSON.stringify(node.value) : written} }` };
}

function removalOf(pair: ParsedPair, map: yaml.YAMLMap, text: string): Replacement | undefined {
  const items = map.items as ParsedPair[];
  const index = items.indexOf(pair);
  const start = pair.key.range?.[0] ?? 0;
  const end = endOf(pair, text);
  if (items.length === 1) return { start, end, text: map.flow ? '' : '{}' };
  const next = items[index + 1]?.key.range?.[0];
  const before = items[index - 1];
  if (map.flow) {
    if (next !== undefined) return { start, end: next, text: '' };
    return before && { start: endOf(before, text), end, text: '' };
  }
  const line = text.lastIndexOf('\n', start - 1) + 1;
  if (/^[ \t]*$/.test(text.slice(line, start))) {
    const over = text.indexOf('\n', end);
    return { start: line, end: over < 0 ? text.length : over + 1, text: '' };
  }
  // The first key behind the dash of a list: the next one takes its place, unless a comment stands between.
  return next !== undefined && text.slice(end, next).trim() === '' ? { start, end: next, text: '' } : undefined;
}

/** Where its value ends, without blanks and line breaks. */
function endOf({ key, value }: ParsedPair, text: string): number {
  const end = value?.range?.[1] ?? key.range?.[1] ?? 0;
  return text.slice(0, end).trimEnd().length;
}
