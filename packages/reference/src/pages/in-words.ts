/** Values and conditions of mappings in words, for people who read no YAML. */
import { get, isList, isMap, type MapNode, type Node, textOf } from '@wrapup/findings';
import { type Bare, looksLikePath } from '@wrapup/mapping';
import { code } from './markdown.ts';

/** Entries of a table that are written out. */
const MOST_ENTRIES = 4;

/** `` `vars.budget`, through `number`; else `lead.email` ``. */
export function valueInWords(node: Node, bare: Bare): string {
  if (node.kind === 'scalar') return sourceInWords(node, bare);
  if (!isMap(node)) return 'a list';
  const fixed = get(node, 'value');
  if (fixed) return `always ${constant(fixed)}${conditionOf(node)}`;
  const [from, text] = [get(node, 'from'), get(node, 'text')];
  const template = textOf(get(node, 'template'));
  const parts = [
    template === undefined
      ? from
        ? sourceInWords(from, bare)
        : text && sourceInWords(text, 'text')
      : `the text ${code(template)}, ${TRANSCRIPTS[textOf(get(node, 'transcript')) ?? 'none'] ?? 'without what was said'}`,
    stepsInWords(get(node, 'transform')),
    tableInWords(get(node, 'map')),
    get(node, 'clear') && 'emptied where the call says nothing',
    requiredInWords(get(node, 'required')),
  ];
  const otherwise = get(node, 'default');
  const fallback =
    otherwise && !isNothing(otherwise) ? `; else ${valueInWords(otherwise, isMap(otherwise) ? 'path' : 'text')}` : '';
  return `${parts.filter(Boolean).join(', ')}${fallback}${conditionOf(node)}`;
}

const TRANSCRIPTS: Record<string, string> = {
  full: 'with every word that was said',
  link: 'with the link to the recording',
  none: 'without what was said',
};

const isNothing = (node: Node) => node.kind === 'scalar' && node.value === null;

function sourceInWords(node: Node, bare: Bare): string {
  const text = textOf(node);
  if (text === undefined) return `always ${constant(node)}`;
  if (text.includes('{{')) return `the text ${code(text)}`;
  return bare === 'path' || looksLikePath(text) ? code(text) : `always ${constant(node)}`;
}

function constant(node: Node): string {
  return node.kind === 'scalar' ? code(String(node.value)) : 'a list';
}

function stepsInWords(node: Node | undefined): string | undefined {
  if (!node) return undefined;
  const steps = isList(node) ? node.items : [node];
  return `through ${steps.map((step) => code(stepText(step))).join(', ')}`;
}

function stepText(step: Node): string {
  if (!isMap(step)) return textOf(step) ?? '';
  return [...step.entries].map(([name, { value }]) => `${name}: ${constant(value).slice(1, -1)}`).join(', ');
}

function tableInWords(node: Node | undefined): string | undefined {
  if (!isMap(node)) return undefined;
  const entries = [...node.entries].map(([name, { value }]) => ({ name, value }));
  const shown = entries.filter(({ value }) => !isNothing(value)).slice(0, MOST_ENTRIES);
  const more = entries.filter(({ value }) => !isNothing(value)).length - shown.length;
  const list = shown.map(({ name, value }) => `${name} → ${constant(value)}`).join(', ');
  return `by a table: ${list}${more > 0 ? `, and ${more} more` : ''}`;
}

function requiredInWords(node: Node | undefined): string | undefined {
  if (!node) return undefined;
  return textOf(node) === 'park' ? 'without it the call waits for a person' : 'without it the record is not written';
}

function conditionOf(node: MapNode): string {
  const when = get(node, 'when');
  return when ? `, where ${whenInWords(when)}` : '';
}

const COMPARED: Record<string, string> = {
  gt: 'is greater than',
  gte: 'is at least',
  lt: 'is less than',
  lte: 'is at most',
  contains: 'contains',
  starts_with: 'begins with',
};

/** `` `vars.qualified` is `true` and not (`call.outcome` is one of …) ``. */
export function whenInWords(node: Node): string {
  for (const [key, word] of [
    ['all', ' and '],
    ['any', ' or '],
  ] as const) {
    const list = get(node, key);
    if (isList(list)) return list.items.map((item) => inner(item)).join(word);
  }
  const not = get(node, 'not');
  if (not) return `not (${whenInWords(not)})`;
  const path = code(textOf(get(node, 'path')) ?? '');
  if (!isMap(node)) return path;
  return [...node.entries].flatMap(([key, { value }]) => predicateInWords(path, key, value) ?? []).join(' and ');
}

function inner(node: Node): string {
  const text = whenInWords(node);
  const isCombined = ['all', 'any'].some((key) => get(node, key));
  return isCombined ? `(${text})` : text;
}

function predicateInWords(path: string, key: string, value: Node): string | undefined {
  if (key === 'path' || key === 'transform') return undefined;
  if (key === 'equals') return `${path} is ${constant(value)}`;
  if (key === 'in') return `${path} is one of ${isList(value) ? value.items.map(constant).join(', ') : ''}`;
  if (key === 'exists')
    return value.kind === 'scalar' && value.value === false ? `there is no ${path}` : `there is a ${path}`;
  return `${path} ${COMPARED[key] ?? key} ${constant(value)}`;
}
