/**
 * `find:`: a record that is there already, which the call changes instead of making one: by its id, as the open one of the
 * person or their company, or by what its fields say.
 */
import { createHash } from 'node:crypto';
import { type Call, clientOf } from '@wrapup/call';
import { type Entry, get, isMap, type MapNode, type Place, textOf } from '@wrapup/findings';
import type { Compiling, ReadPath } from '../language/compile-path.ts';
import { readOwn } from '../language/path.ts';
import { compileText } from '../language/text.ts';
import { compileValue } from '../language/value.ts';
import { FIND_BY, type FindBy } from '../model/compiled.ts';
import type { FindField, RecordFind, RecordPlan } from '../model/plan.ts';
import { Absent, type Evaluate, isNothing, type Scope, toText, toValue } from '../values/found.ts';
import type { Field } from './fields.ts';
import { isGiven, LONGEST_ID } from './person.ts';

export interface CompiledFind {
  by: FindBy;
  /** Fields that are looked at, of `by`. */
  fields: FoundField[];
  none: RecordFind['none'];
  several: NonNullable<RecordFind['several']>;
  /** @param name of the record */
  look(scope: Scope, name: string): Pick<RecordFind, 'id' | 'open' | 'by' | 'key'> & { why: string };
  at: Place;
}

/** What happens where nothing is found, or several are, and the mapping does not say. */
export const NONE_DEFAULT: RecordFind['none'] = 'create';
export const SEVERAL_DEFAULT: CompiledFind['several'] = 'park';

interface FoundField {
  property: string;
  at: Place;
}

/** Characters of a value to find by; what is longer is none. */
const LONGEST_VALUE = 255;

interface FindContext {
  /** What was only said counts like what is given. */
  trusts: boolean;
  /** Those that the record writes. */
  fields: Field[];
  /** The CRM's own object, and whether its records are open or closed. */
  object: string;
  has_open: boolean;
  hasPerson: boolean;
  /** The record has a key of its own. */
  keyed: boolean;
}

export function compileFind(node: MapNode, context: FindContext, compiling: Compiling): CompiledFind | undefined {
  const { report } = compiling;
  const [find, none, several] = ['find', 'none', 'several'].map((name) => node.entries.get(name));
  for (const [name, entry] of Object.entries({ none, several }))
    if (entry && !find)
      report.error('bad-value', `${name}: says what happens after find:, and there is none`, entry.key, WRITE_FIND);
  if (!find || !isMap(find.value)) return undefined;
  const way = wayOf(find.value, compiling);
  if (!way) return undefined;
  const { by, entry } = way;
  const look = LOOKS[by](entry, context, compiling);
  const wanted = by === 'open' ? textOf(entry.value) : undefined;
  if (several && by === 'id')
    report.error('bad-value', 'an id finds one record at most', several.key, 'take several: out');
  if (several && wanted === 'newest')
    report.warn(
      'no-effect',
      'open: newest takes the newest of several',
      several.key,
      'write open: only to let several: decide, or take several: out',
    );
  if (!look) return undefined;
  warnOfKept(context.fields, compiling);
  return {
    by,
    fields: by === 'by' && isMap(entry.value) ? fieldsOf(entry.value) : [],
    none: (textOf(none?.value) ?? NONE_DEFAULT) as RecordFind['none'],
    several: wanted === 'newest' ? 'newest' : ((textOf(several?.value) ?? SEVERAL_DEFAULT) as CompiledFind['several']),
    look,
    at: find.key,
  };
}

const WRITE_FIND = 'add find: { open: newest }, { id: … } or { by: … }';

/** The one of the three ways that is said. */
function wayOf(node: MapNode, { report }: Compiling): { by: FindBy; entry: Entry } | undefined {
  const ways = FIND_BY.flatMap((by) => {
    const entry = node.entries.get(by);
    return entry ? [{ by, entry }] : [];
  });
  const [way, other] = ways;
  // A mistyped key is reported by the schema; what it would have been is then not missed.
  if (node.entries.size === 0)
    report.error(
      'missing-key',
      'find does not say what by',
      node.at,
      'write find: { open: newest }, { id: prompt_variables.deal_id } or { by: { field: path } }',
    );
  if (way && other) {
    report.error('bad-value', `find says both ${way.by} and ${other.by}`, other.entry.key, 'keep one of them');
    return undefined;
  }
  return way;
}

type Look = CompiledFind['look'];
type CompileLook = (entry: Entry, context: FindContext, compiling: Compiling) => Look | undefined;

const LOOKS: Record<FindBy, CompileLook> = {
  /** Every caller can say any id: one that nothing but speech vouches for finds nothing, unless the mapping trusts what is said. */
  id({ value }, { trusts }, compiling) {
    const text = textOf(value);
    const paths: ReadPath[] = [];
    const source =
      text === undefined || value.kind !== 'scalar'
        ? undefined
        : compileText(text, value.locate, 'path', { ...compiling, paths });
    if (text === undefined || !source) return undefined;
    return (scope) => {
      const id = toText(source.evaluate(scope));
      if (id instanceof Absent || id.trim().length > LONGEST_ID) return { why: `the call has no ${text}` };
      const doubtful = trusts ? undefined : paths.find((path) => !isGiven(path, scope.call));
      if (doubtful) return { why: `${doubtful.path} was only said` };
      return { id: id.trim(), why: 'the CRM has no record with that id' };
    };
  },

  open(entry, { object, has_open, hasPerson, keyed }, { report }) {
    if (!has_open)
      report.error(
        'no-open-state',
        `${object} have no state that says whether one is open`,
        entry.key,
        'find it by a field that does: find: { by: { status: { value: open } } }',
      );
    if (!hasPerson)
      report.error(
        'unknown-path',
        'the mapping looks for no person whose open record it could be',
        entry.key,
        'add a person section',
      );
    if (!has_open || !hasPerson) return undefined;
    const why = 'neither the person nor their company has an open one';
    return ({ call }, name) => ({ open: true, why, ...(keyed ? {} : { key: keyOf(call, name) }) });
  },

  by({ value }, { trusts, keyed }, compiling) {
    const values = isMap(value) ? [...value.entries].map(([name, one]) => compileFound(name, one, compiling)) : [];
    if (values.length === 0)
      compiling.report.error(
        'missing-key',
        'by names no field',
        value.at,
        'write by: { order_number: prompt_variables.order_number }',
      );
    if (values.length === 0 || !values.every((one) => one !== undefined)) return undefined;
    return (scope, name) => {
      const by: FindField[] = [];
      for (const one of values) {
        const found = toValue(one.evaluate(scope));
        if (found instanceof Absent || String(found).length > LONGEST_VALUE)
          return { why: `the call has no ${one.text}` };
        by.push({ name: one.name, value: typeof found === 'string' ? found.trim() : found });
      }
      const doubtful = trusts ? undefined : doubtfulOf(values, scope);
      if (doubtful) return { why: `${doubtful.path} was only said` };
      const names = by.map((one) => one.name).join(' and ');
      return { by, why: `no record has that ${names}`, ...(keyed ? {} : { key: keyOf(scope.call, name, by) }) };
    };
  },
};

interface FoundValue {
  name: string;
  /** As it was written, for what is said of it. */
  text: string;
  paths: ReadPath[];
  evaluate: Evaluate;
}

function compileFound(name: string, { value: node }: Entry, compiling: Compiling): FoundValue | undefined {
  const paths: ReadPath[] = [];
  const compiled = compileValue(node, 'path', { ...compiling, paths });
  const text = textOf(isMap(node) ? get(node, 'from') : node) ?? name;
  return compiled && { name, text, paths, evaluate: compiled.evaluate };
}

/**
 * A path that only speech vouches for, where nothing else ties the record to the caller: a record that also has to
 * say something of the person who was found is theirs.
 */
function doubtfulOf(values: FoundValue[], scope: Scope): ReadPath | undefined {
  if (values.some(({ paths }) => isOfCaller(paths, scope))) return undefined;
  return values
    .flatMap(({ paths }) => paths)
    .find((path) => !isGiven(path, scope.call) && !isCallers(path, scope.call));
}

/** What else can give the value, a default for one, would let it say anything; so would a constant where no path has any. */
function isOfCaller(paths: ReadPath[], { call, person }: Scope): boolean {
  return (
    paths.every((path) => isCallers(path, call)) &&
    paths.some(({ segments }) => !isNothing(readOwn({ lead: call.lead, person }, segments)))
  );
}

/** What the CRM has of the person, and the caller's number or address, where the line or the customer's list gives it. */
function isCallers({ segments }: ReadPath, { lead }: Call): boolean {
  const [root, name] = segments;
  if (root === 'person') return true;
  return root === 'lead' && (name === 'phone' || name === 'email') && lead[`${name}_origin`] !== 'said';
}

/**
 * What the key of a record that is made is made of: its name, and what it is found by. Names of one client's file are
 * its own.
 */
function keyOf({ source }: Call, name: string, by: FindField[] = []): string {
  const key = `find:${[clientOf(source) ?? [], name].flat().join(':')}`;
  if (by.length === 0) return key;
  const hash = createHash('sha256');
  for (const one of by.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const value = String(one.value).toLowerCase();
    hash.update(`${one.name.length}\0${one.name}${value.length}\0${value}`);
  }
  return `${key}:${hash.digest('hex')}`;
}

function fieldsOf(node: MapNode): FoundField[] {
  return [...node.entries].map(([property, { key }]) => ({ property, at: key }));
}

/** What stands in a record that was made elsewhere was not written here, and stays under the default. */
function warnOfKept(fields: Field[], { report }: Compiling): void {
  for (const { property, write, says_write, at } of fields)
    if (write === 'if_ours' && !says_write)
      report.warn(
        'found-field',
        `${property} is written only where the record that is found has nothing there`,
        at,
        'say write: if_newer, or forward with an order; if_empty where that is meant',
      );
}

export function planFind(find: CompiledFind | undefined, name: string, scope: Scope): Pick<RecordPlan, 'find'> {
  if (!find) return {};
  const { none, several, at } = find;
  const { why, key, ...looked } = find.look(scope, name);
  return {
    find: {
      ...looked,
      none,
      ...(looked.open || looked.by ? { several } : {}),
      ...(key !== undefined && none === 'create' ? { key } : {}),
      why,
      at,
    },
  };
}
