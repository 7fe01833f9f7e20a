/**
 * The value forms: a path, a text with placeholders, a constant, or `{ value: … }` and
 * `{ from, transform, map, default, write, clear, required }`. A value goes from → transform → map; `default` stands in
 * for what is absent after that.
 */

import type { Place } from '@wrapup/findings';
import {
  type Entry,
  get,
  isList,
  isMap,
  isNull,
  type MapNode,
  type Node,
  type Scalar,
  suggest,
  textOf,
  truncate,
} from '@wrapup/findings';
import type { ValueKind } from '../model/compiled.ts';
import { NOT_BY_TABLE, PARK, type WriteMode } from '../model/plan.ts';
import { normalise } from '../values/compare.ts';
import { Absent, type Evaluate, isScalar, type Present } from '../values/found.ts';
import type { CompiledPath, Compiling } from './compile-path.ts';
import { parsePath } from './path.ts';
import { parseText } from './placeholders.ts';
import { type Condition, compileCondition } from './predicate.ts';
import { ROOTS } from './roots.ts';
import { compileTransforms, pipe } from './steps.ts';
import { type Bare, type CompiledText, compileText, type Part } from './text.ts';

/** Keys of a value that is written as a form: `{ from: …, transform: … }`. */
export const FORM_KEYS: ReadonlySet<string> = new Set([
  'value',
  'from',
  'transform',
  'map',
  'default',
  'write',
  'order',
  'when',
  'clear',
  'required',
] satisfies FormKey[]);
export type FormKey =
  | 'value'
  | 'from'
  | 'transform'
  | 'map'
  | 'default'
  | 'write'
  | 'order'
  | 'when'
  | 'clear'
  | 'required';

export interface CompiledValue {
  evaluate: Evaluate;
  /** The text in its parts, where it is nothing but a text: what is the mapping's own and what the call says. */
  parts?: Part[];
  write?: WriteMode;
  /** With `forward`: the values from the first to the last. */
  order?: string[];
  /** For which calls the field is written. */
  when?: Condition;
  /** An absent value empties the CRM's field. */
  clear: boolean;
  /** Without a value the record is not written, or the call is parked. */
  required: boolean | 'park';
  /** Every value it can have, where that is known. */
  values?: (string | number | boolean)[] | undefined;
  /** What kind of value it is, where that is certain. */
  gives?: ValueKind | undefined;
  at: Place;
}

/** Compiles any value form, or reports what is wrong with it. The shape was checked before. */
export function compileValue(node: Node, bare: Bare, compiling: Compiling): CompiledValue | undefined {
  if (isMap(node)) return compileForm(node, bare, compiling);
  if (node.kind !== 'scalar' || node.value === null) return undefined;
  const plain = { clear: false, required: false, at: node.at };
  if (typeof node.value !== 'string') return { ...constant(node.value), ...plain };
  const text = compileText(node.value, node.locate, bare, compiling);
  return text && { ...ofText(text), ...plain };
}

function constant(value: Present & (string | number | boolean)): Pick<CompiledValue, 'evaluate' | 'values' | 'parts'> {
  return { evaluate: () => value, values: [value], ...(typeof value === 'string' ? { parts: [value] } : {}) };
}

function ofText({ evaluate, parts, path, constant: text, gives }: CompiledText) {
  const known = text === undefined ? path?.known.values : [text];
  return { evaluate, parts, values: known && [...known], gives };
}

function compileForm(node: MapNode, bare: Bare, compiling: Compiling): CompiledValue | undefined {
  const { report } = compiling;
  const written = node.entries.get('when');
  const when = written && compileCondition(written.value, compiling);
  const flags = {
    clear: isTrue(get(node, 'clear')),
    required: textOf(get(node, 'required')) === PARK ? PARK : isTrue(get(node, 'required')),
    at: node.at,
    ...writeOf(node),
    ...orderOf(node, report),
    ...(when ? { when } : {}),
  } as const;
  const fixed = node.entries.get('value');
  const from = node.entries.get('from');
  if (!fixed === !from) {
    // A mistyped key is reported by the schema; what it would have been is then not missed.
    if ([...node.entries.keys()].some((key) => !FORM_KEYS.has(key))) return undefined;
    const what = fixed ? 'both value and from are given' : 'it says neither value nor from';
    report.error('bad-value', what, fixed?.key ?? node.at, 'write { value: … } for a constant, { from: … } for a path');
    return undefined;
  }
  if (fixed) {
    for (const key of ['transform', 'map', 'default', 'clear', 'required']) {
      const entry = node.entries.get(key);
      if (entry)
        report.error(
          'bad-value',
          `a constant takes no ${key}`,
          entry.key,
          'write from instead of value to read a path',
        );
    }
    const { value } = fixed;
    if (value.kind !== 'scalar' || value.value === null) return undefined;
    if (typeof value.value === 'string') warnOfPlaceholder(value.value, fixed.key, compiling);
    return checkOrder({ ...constant(value.value), ...flags }, compiling);
  }
  const source = compileSource((from as Entry).value, bare, compiling);
  const transform = get(node, 'transform');
  const steps = transform ? compileTransforms(transform, compiling) : [];
  const table = compileTable(node, transform ? undefined : source?.path, compiling);
  const fallback = compileDefault(get(node, 'default'), compiling);
  if (!source || !steps) return undefined;
  if (steps.length === 0 && !table && !fallback) return checkOrder({ ...ofText(source), ...flags }, compiling);
  const values = table ? [...table.values(), ...(fallback?.values ?? [])] : undefined;
  const known = fallback && !fallback.values ? undefined : values;
  const gives = steps.length > 0 ? steps.at(-1)?.gives : source.gives;
  const value = {
    evaluate: finish(pipe(source.evaluate, steps), table, fallback?.evaluate, source.path?.text ?? 'the value'),
    values: known && [...new Set(known.filter((value) => value !== null))],
    gives: table || (fallback && fallback.gives !== gives) ? undefined : gives,
    ...flags,
  };
  return checkOrder(value, compiling);
}

/** A constant is written as it stands, which is not what one who writes a placeholder means; braces of other programs are. */
function warnOfPlaceholder(text: string, key: Place, { report }: Compiling): void {
  const parsed = parseText(text);
  if ('error' in parsed) return;
  for (const part of parsed.parts) {
    if (typeof part === 'string') continue;
    const path = parsePath(part.path);
    if ('error' in path || (path.segments[0] !== 'my' && !Object.hasOwn(ROOTS, String(path.segments[0])))) continue;
    const message = `a constant reads no placeholder: {{ ${truncate(part.path.trim(), LONGEST_PATH)} }} is written as it stands`;
    report.warn('placeholder-in-constant', message, key, 'write from instead of value');
    return;
  }
}

/** Characters of a path that a finding repeats. */
const LONGEST_PATH = 60;

function compileSource(node: Node, bare: Bare, compiling: Compiling): CompiledText | undefined {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') return undefined;
  return compileText(node.value, node.locate, bare, compiling);
}

const isTrue = (node: Node | undefined) => node?.kind === 'scalar' && node.value === true;

function writeOf(node: MapNode): { write?: WriteMode } {
  const write = textOf(get(node, 'write'));
  return write === undefined ? {} : { write: write as WriteMode };
}

function orderOf(node: MapNode, report: Compiling['report']): { order?: string[] } {
  const [entry, write] = [node.entries.get('order'), node.entries.get('write')];
  const isForward = textOf(write?.value) === 'forward';
  if (isForward && !entry)
    report.error(
      'missing-key',
      'forward needs to know the way',
      write?.value.at ?? node.at,
      'add order: [first, …, last]',
    );
  if (!entry || !isList(entry.value)) return {};
  if (!isForward) report.error('bad-value', 'order belongs to write: forward', entry.key, 'add write: forward');
  const order = entry.value.items.flatMap((item) => (item.kind === 'scalar' ? [String(item.value)] : []));
  const twice = entry.value.items.find((_, index) => order.indexOf(order[index] ?? '') < index);
  if (twice) report.error('bad-value', 'the order names a value twice', twice.at, 'keep the first');
  return { order };
}

/** A value that the order does not name would never be written. */
function checkOrder(value: CompiledValue, { report }: Compiling): CompiledValue {
  const { order, values = [], at } = value;
  if (!order) return value;
  for (const one of values)
    if (!order.some((step) => normalise(step) === normalise(one)))
      report.error(
        'unknown-value',
        `the order does not name "${one}", which the field can become`,
        at,
        'add it to order',
      );
  return value;
}

const LEAVE_OUT = new Absent(NOT_BY_TABLE);

type Table = Map<string, Scalar>;

/** `map:`, keys as text. */
function compileTable(node: MapNode, path: CompiledPath | undefined, { report }: Compiling): Table | undefined {
  const entry = node.entries.get('map');
  if (!entry || !isMap(entry.value)) return undefined;
  const table: Table = new Map();
  for (const [name, { value }] of entry.value.entries) if (value.kind === 'scalar') table.set(name, value.value);
  const values = path?.known.values?.map(String);
  if (!values) return table;
  for (const [name, { key }] of entry.value.entries)
    if (!values.includes(name))
      report.error('unknown-value', `${path?.text} is never "${name}"`, key, suggest(name, values));
  const missing = values.filter((value) => !table.has(value));
  if (missing.length > 0 && !node.entries.has('default'))
    report.error(
      'unmapped-value',
      `the map says nothing of ${path?.text} ${missing.join(', ')}`,
      entry.key,
      'add them (null leaves the field out), or a default',
    );
  return table;
}

function compileDefault(
  node: Node | undefined,
  compiling: Compiling,
): Pick<CompiledValue, 'evaluate' | 'values' | 'gives'> | undefined {
  if (!node || isNull(node)) return undefined;
  return compileValue(node, isMap(node) ? 'path' : 'text', compiling);
}

function finish(source: Evaluate, table: Table | undefined, fallback: Evaluate | undefined, what: string): Evaluate {
  const look = table ? lookUp(table, what) : (value: Present) => value;
  return (scope) => {
    const value = source(scope);
    const result = value instanceof Absent ? value : look(value);
    return result instanceof Absent && result !== LEAVE_OUT && fallback ? fallback(scope) : result;
  };
}

function lookUp(table: Table, what: string): (value: Present) => Present | Absent {
  const missed = new Absent(`the map has no entry for what ${what} says`, 'unmapped_value');
  const loose: Table = new Map();
  for (const [name, value] of table) if (!loose.has(normalise(name))) loose.set(normalise(name), value);
  return (value) => {
    if (!isScalar(value)) return missed;
    const found = table.has(String(value)) ? table.get(String(value)) : loose.get(normalise(value));
    if (found === undefined) return missed;
    return found === null ? LEAVE_OUT : found;
  };
}
