/** The fields of one record: what the mapping writes under `fields`, and its own words. */
import type { Call } from '@wrapup/call';
import type { Place } from '@wrapup/findings';
import { get, isMap, type Node, textOf, truncate } from '@wrapup/findings';
import type { Compiling } from '../language/compile-path.ts';
import { looksLikePath } from '../language/path.ts';
import type { Condition } from '../language/predicate.ts';
import { type CompiledValue, compileValue } from '../language/value.ts';
import type { MappedField, ValueKind } from '../model/compiled.ts';
import type { RecordDialect, WordDialect } from '../model/dialect.ts';
import { type FieldWrite, type LeftOut, NOT_NOW, PARK, type Value, type WriteMode } from '../model/plan.ts';
import { placeInOrder } from '../model/write-modes.ts';
import { render } from '../texts/render.ts';
import { compileDue, DUE_SHAPE, isBefore } from '../time/due.ts';
import { Absent, type Evaluate, LONGEST_TEXT, type Scope, toValue } from '../values/found.ts';
import { BODY_KEYS, compileBody } from './body.ts';
import { partsSource, type TextSource } from './text-source.ts';

/** One CRM property and how its value is computed. */
export interface Field {
  property: string;
  write: WriteMode;
  /** The mapping says itself how it is written. */
  says_write?: true;
  order?: string[];
  when?: Condition;
  clear: boolean;
  required: boolean | 'park';
  values?: (string | number | boolean)[];
  gives?: ValueKind;
  at: Place;
  compute(scope: Scope): Exclude<Value, null> | Absent;
}

export interface FieldsContext {
  compiling: Compiling;
  /** `person`, `call_log`, or the record's name. */
  record: string;
  /** How a property is written where the mapping does not say. */
  write(property: string): WriteMode;
  zone: string;
  /** What the record's own words and rich fields are. */
  words: RecordDialect['words'];
  check?: RecordDialect['check'];
}

/** All fields of a record, words first, then `fields`. A property that is set twice is reported. */
export function compileFields(node: Node, context: FieldsContext): Field[] {
  const fields: Field[] = [];
  const { report } = context.compiling;
  const add = (field: Field | undefined, key: Place, name: string) => {
    const known = field && fields.find(({ property }) => property === field.property);
    if (!field) return;
    if (known)
      report.error(
        'duplicate-field',
        `${name} sets ${field.property}, which line ${known.at.line} sets too`,
        key,
        'keep one of the two',
      );
    else fields.push(field);
  };
  for (const [word, dialect] of Object.entries(context.words)) {
    const entry = isMap(node) ? node.entries.get(word) : undefined;
    if (entry) add(compileWord(entry.value, word, dialect, context), entry.key, word);
  }
  const own = get(node, 'fields');
  const rich = new Map(Object.values(context.words).map((word) => [word.property, word]));
  for (const [property, { key, value }] of isMap(own) ? own.entries : []) {
    const compiled = compileValue(value, 'path', context.compiling);
    if (compiled?.write === 'add') checkSum(compiled, context, key);
    const sum: Pick<CompiledValue, 'gives'> = compiled?.write === 'add' ? { gives: 'number' } : {};
    if (compiled) add(toField(property, { ...compiled, ...sum }, rich.get(property), context, key), key, property);
  }
  for (const { property, problem, hint } of context.check?.(fields.map((field) => field.property)) ?? []) {
    const field = fields.find((known) => known.property === property);
    if (field) report.error('bad-field', `the field ${property} ${problem}`, field.at, hint);
  }
  return fields;
}

/** Only a person has a mark of the calls that were written to them, which says whether this one has been added. */
function checkSum({ values, gives, clear }: CompiledValue, { record, compiling }: FieldsContext, at: Place): void {
  const { report } = compiling;
  if (record !== 'person')
    report.error(
      'bad-value',
      'write: add belongs to fields of the person',
      at,
      'count on the person, or write overwrite',
    );
  if (values?.some((value) => typeof value !== 'number') || (gives !== undefined && gives !== 'number'))
    report.error('bad-value', 'write: add takes numbers', at, 'write value: 1, or add transform: number');
  if (clear) report.error('bad-value', 'write: add empties nothing', at, 'leave clear out');
}

function compileWord(node: Node, word: string, dialect: WordDialect, context: FieldsContext): Field | undefined {
  if (dialect.literal) return literalField(node, dialect, context);
  if (dialect.as === 'due') return compileDueField(node, word, dialect, context);
  if (dialect.as === 'body') {
    const body = compileBody(node, context.compiling);
    if (body) return bodyField(body, dialect, context, node.at);
    if (isMap(node) && BODY_KEYS.some((key) => node.entries.has(key))) return undefined;
  }
  const compiled = compileValue(node, 'text', context.compiling);
  if (dialect.as === 'choice') checkChoice(node, word, context);
  return compiled && toField(dialect.property, compiled, dialect, context, node.at);
}

/** One of the CRM's values without `{ value: … }`, which earlier versions took: it still means the same. */
function checkChoice(node: Node, word: string, { compiling: { report } }: FieldsContext): void {
  const from = isMap(node) ? node.entries.get('from') : { key: node.at, value: node };
  const text = textOf(from?.value);
  if (!from || text === undefined || text.includes('{{') || looksLikePath(text)) return;
  const { key, value } = from;
  // A text that another file adds to: `HIGH`, with `{ write: overwrite }` over it.
  const isBare = key.line === value.at.line && key.column === value.at.column;
  report.warn(
    'bare-constant',
    `${word}: "${truncate(text, LONGEST_QUOTED)}" is a constant, and a text without braces is a path`,
    isBare ? value.at : key,
    `write { value: ${truncate(text, LONGEST_QUOTED)} }; \`wrapup check --fix\` does`,
    isBare ? { wrap: 'value' } : { replace: 'value' },
  );
}

/** Characters of a text that a finding repeats. */
const LONGEST_QUOTED = 60;

function literalField(node: Node, { property }: WordDialect, context: FieldsContext): Field | undefined {
  const text = textOf(node);
  return text === undefined ? undefined : { ...plain(property, context, node.at), values: [text], compute: () => text };
}

function compileDueField(node: Node, word: string, dialect: WordDialect, context: FieldsContext): Field | undefined {
  const text = textOf(node);
  if (text === undefined) return undefined;
  const due = isBefore(text) ? undefined : compileDue(text, context.zone, context.compiling.office);
  if (!due) {
    context.compiling.report.error('bad-value', `${word}: "${text}" is no time to wait`, node.at, `write ${DUE_SHAPE}`);
    return undefined;
  }
  return {
    ...plain(dialect.property, context, node.at),
    gives: 'datetime',
    compute: ({ call }) => {
      const ended = endOf(call);
      return (ended === undefined ? undefined : due(ended)) ?? NO_END;
    },
  };
}

const NO_END = new Absent('the call says nothing of when it ended');

/** When the call ended, in epoch ms; when it began or came in, where that is all that is known. */
export function endOf(call: Call): number | undefined {
  for (const time of [call.ended_at, call.started_at, call.received_at]) {
    const ms = typeof time === 'string' ? Date.parse(time) : Number.NaN;
    if (Number.isFinite(ms)) return ms;
  }
  return undefined;
}

function plain(property: string, { write }: FieldsContext, at: Place): Omit<Field, 'compute'> {
  return { property, write: write(property), clear: false, required: false, at };
}

function bodyField(body: TextSource, dialect: WordDialect, context: FieldsContext, at: Place): Field {
  return {
    ...plain(dialect.property, context, at),
    compute: (scope) => {
      const pieces = body(scope);
      return pieces instanceof Absent ? pieces : render(pieces, dialect.text, dialect.limit ?? LONGEST_TEXT);
    },
  };
}

function toField(
  property: string,
  compiled: CompiledValue,
  word: WordDialect | undefined,
  context: FieldsContext,
  at: Place,
): Field {
  const { clear, required, values, gives, order, when } = compiled;
  const rich = word && (word.text === 'html' || word.limit !== undefined || word.as === 'body');
  const compute = rich ? computeText(compiled, word) : computeValue(compiled.evaluate);
  return {
    property,
    write: compiled.write ?? context.write(property),
    ...(compiled.write ? { says_write: true } : {}),
    clear,
    required,
    ...(order ? { order } : {}),
    ...(when ? { when } : {}),
    ...(values ? { values } : {}),
    ...(gives ? { gives } : {}),
    at,
    compute,
  };
}

function computeValue(evaluate: Evaluate): Field['compute'] {
  return (scope) => {
    const value = toValue(evaluate(scope));
    return typeof value === 'string' ? render([{ said: value }], 'text', LONGEST_TEXT) : value;
  };
}

/** A text whose own words are markup and whose placeholders are escaped. */
function computeText({ parts, evaluate }: CompiledValue, word: WordDialect): Field['compute'] {
  const source = parts ? partsSource(parts) : partsSource([evaluate]);
  return (scope) => {
    const pieces = source(scope);
    return pieces instanceof Absent ? pieces : render(pieces, word.text, word.limit ?? LONGEST_TEXT);
  };
}

/** What is written and what is left out, for one call. */
export function evaluateFields(
  fields: Field[],
  record: string,
  scope: Scope,
): { writes: FieldWrite[]; left: LeftOut[]; missing?: { field: Field; absent: Absent }; parked?: LeftOut } {
  const writes: FieldWrite[] = [];
  const left: LeftOut[] = [];
  let missing: { field: Field; absent: Absent } | undefined;
  let parked: LeftOut | undefined;
  for (const field of fields) {
    const { property: name, write, order, at } = field;
    if (field.when && !field.when(scope)) {
      left.push({ field: `${record}.${name}`, reason: NOT_NOW, at });
      continue;
    }
    const value = computeSafely(field, scope);
    if (!(value instanceof Absent)) {
      writes.push({ name, value, write, at, ...(order ? { order } : {}) });
      continue;
    }
    const { reason, unusable } = value;
    if (field.required === PARK) parked ??= { field: `${record}.${name}`, reason, at };
    else if (field.required) missing ??= { field, absent: value };
    if (field.clear) writes.push({ name: field.property, value: null, write: field.write, at: field.at });
    else left.push({ field: `${record}.${name}`, reason, at, ...(unusable ? { unusable } : {}) });
  }
  return { writes, left, ...(missing ? { missing } : {}), ...(parked ? { parked } : {}) };
}

const UNORDERED = new Absent('the order does not name it', 'unmapped_value');

const FAILED = new Absent('it could not be computed', 'unreadable_value');

/** The language is total; should a part of it not be, one field is lost and no call. */
function computeSafely(field: Field, scope: Scope): Exclude<Value, null> | Absent {
  try {
    const value = field.compute(scope);
    if (!field.order || value instanceof Absent) return value;
    return placeInOrder(field.order, value) === undefined ? UNORDERED : value;
  } catch {
    return FAILED;
  }
}

/** For schema checks and provisioning. */
export function describeFields(fields: Field[], record: string, object: string): MappedField[] {
  return fields.map(({ property, write, order, values, gives, at }) => ({
    record,
    object,
    property,
    use: 'write',
    write,
    ...(order ? { order } : {}),
    ...(values ? { values } : {}),
    ...(gives ? { gives } : {}),
    at,
  }));
}
