/** The records that a call becomes besides the person: call log, tasks, notes, deals, … */
import { createHash } from 'node:crypto';
import { callKey, recordKey } from '@wrapup/call';
import type { Place } from '@wrapup/findings';
import { get, isList, isMap, type MapNode, type Node, textOf } from '@wrapup/findings';
import { CHANGED, type Compiling, tellsChangesOf } from '../language/compile-path.ts';
import { type Condition, compileCondition } from '../language/predicate.ts';
import { compileText } from '../language/text.ts';
import type { MappedRecord } from '../model/compiled.ts';
import type { Dialect, RecordDialect } from '../model/dialect.ts';
import type { LeftOut, RecordPlan, RelatedPlan } from '../model/plan.ts';
import { SINGLE } from '../schema/mapping-schema.ts';
import { Absent, type Evaluate, type Scope, toText } from '../values/found.ts';
import { checkAssociations, readLabels } from './associations.ts';
import { compileFields, evaluateFields, type Field } from './fields.ts';
import { type CompiledFind, compileFind, planFind } from './find.ts';
import { type CompiledOwner, checkOwnerOnce, compileOwner, planOwner } from './owner.ts';

export interface CompiledRecord {
  type: string;
  object: string;
  name: string;
  when?: Condition;
  /** Where the condition stands. */
  when_at?: Place;
  fields: Field[];
  owner?: CompiledOwner;
  /** Property of its title, or of its subject. */
  headline?: string;
  key?: CompiledKey;
  find?: CompiledFind;
  associate: { name: string; at: Place }[];
  /** Those of `associate` that mean records which the person has already. */
  related: Record<string, RelatedPlan>;
  labels?: Record<string, string>;
  at: Place;
}

/** All records, the call log first, then as the mapping has them. */
export function compileRecords(
  tree: MapNode,
  dialect: Dialect,
  zone: string,
  compiling: Compiling,
  personOwner?: CompiledOwner,
): CompiledRecord[] {
  const records: CompiledRecord[] = [];
  const hasPerson = tree.entries.has('person');
  const ofPerson = hasPerson ? dialect.person.owner : undefined;
  const person = tree.entries.get('person')?.value;
  const trustsSaid = textOf(get(person, 'said')) === 'match';
  const open_objects = new Set(
    Object.values(dialect.related ?? {}).flatMap(({ open, object }) => (open ? [object] : [])),
  );
  const context: RecordContext = { zone, compiling, hasPerson, ofPerson, personOwner, trustsSaid, open_objects };
  for (const [key, { value }] of tree.entries) {
    const known = Object.hasOwn(dialect.records, key) ? dialect.records[key] : undefined;
    if (!known) continue;
    if (key === SINGLE) {
      const record = compileRecord(value, SINGLE, known, context);
      if (record) records.unshift(record);
    } else if (isList(value)) {
      for (const item of value.items) {
        const record = compileRecord(item, textOf(get(item, 'name')), known, context);
        if (record) records.push(record);
      }
    }
  }
  checkNames(records, compiling);
  checkAssociations(records, hasPerson, dialect, compiling);
  return records;
}

interface RecordContext {
  zone: string;
  compiling: Compiling;
  hasPerson: boolean;
  /** Property that names the owner of the person, where there is one. */
  ofPerson: string | undefined;
  personOwner: CompiledOwner | undefined;
  /** What was only said counts like what is given. */
  trustsSaid: boolean;
  open_objects: ReadonlySet<string>;
}

function compileRecord(
  node: Node,
  name: string | undefined,
  dialect: RecordDialect,
  { zone, compiling, hasPerson, ofPerson, personOwner, trustsSaid, open_objects }: RecordContext,
): CompiledRecord | undefined {
  if (!isMap(node) || name === undefined) return undefined;
  const condition = node.entries.get('when');
  const when = condition && compileCondition(condition.value, compiling);
  const { words, check } = dialect;
  const fields = compileFields(node, {
    compiling,
    record: name,
    write: (property) => dialect.writes?.[property] ?? dialect.write ?? 'if_ours',
    zone,
    words,
    ...(check ? { check } : {}),
  });
  demandFields(node, dialect, fields, compiling);
  tellChange(name, dialect, fields, compiling);
  const list = get(node, 'associate');
  const associate = isList(list)
    ? list.items.map((item) => ({ name: textOf(item) ?? '', at: item.at }))
    : hasPerson
      ? [{ name: 'person', at: node.at }]
      : [];
  const labels = readLabels(get(node, 'labels'), associate, compiling);
  if (name === SINGLE)
    for (const field of fields)
      if (field.required === true)
        compiling.report.error(
          'bad-value',
          'a call log is written whatever the call lacks: required has no meaning here',
          field.at,
          'take it out, or let the call wait for a person: required: park',
        );
  const owner =
    dialect.owner === undefined
      ? undefined
      : compileOwner(node, { compiling, property: dialect.owner, ofPerson, personOwner });
  if (owner) checkOwnerOnce(owner, fields, compiling);
  const object = objectOf(node, dialect, compiling);
  if (object === undefined) return undefined;
  const key = compileKey(node, hasPerson, compiling);
  const find = compileFind(
    node,
    { trusts: trustsSaid, fields, object, has_open: open_objects.has(object), hasPerson, keyed: key !== undefined },
    compiling,
  );
  const headline = (words.title ?? words.subject)?.property;
  return {
    type: dialect.type,
    object,
    name,
    fields,
    associate,
    related: {},
    ...(headline === undefined ? {} : { headline }),
    ...(labels ? { labels } : {}),
    ...(key ? { key } : {}),
    ...(find ? { find } : {}),
    at: node.at,
    ...(owner ? { owner } : {}),
    ...(when && condition ? { when, when_at: condition.key } : {}),
  };
}

/** Fields of records were written whenever a call came again, in the version before. */
function tellChange(name: string, { write }: RecordDialect, fields: Field[], compiling: Compiling): void {
  const changed = fields.filter((field) => {
    const wasWritten = write === undefined || write === 'overwrite';
    return wasWritten && field.write === 'if_ours' && !field.says_write && tellsChangesOf(field.at, compiling);
  });
  const [first] = changed;
  if (!first) return;
  const properties = changed.map(({ property }) => property).join(', ');
  compiling.report.warn(
    CHANGED,
    `${name}: written only while they say what Wrapup wrote last (if_ours), and no more whatever a colleague changed: ${properties}`,
    first.at,
    'for the old meaning say write: overwrite on a field',
  );
}

/** What a record is known by, instead of its call. */
interface CompiledKey {
  person: boolean;
  parts: { text: string; evaluate: Evaluate }[];
  at: Place;
}

/** The word for the plan's person among the parts of a key. */
const PERSON = 'person';

function compileKey(node: MapNode, hasPerson: boolean, compiling: Compiling): CompiledKey | undefined {
  const list = get(node, 'key');
  if (!isList(list)) return undefined;
  const { report } = compiling;
  const key: CompiledKey = { person: false, parts: [], at: list.at };
  for (const item of list.items) {
    const text = textOf(item)?.trim();
    if (text === undefined || item.kind !== 'scalar') continue;
    if (text === PERSON) {
      key.person = true;
      if (!hasPerson) report.error('unknown-path', 'the mapping looks for no person', item.at, 'add a person section');
      continue;
    }
    const source = compileText(text, item.locate, 'path', compiling);
    if (source) key.parts.push({ text, evaluate: source.evaluate });
  }
  const texts = list.items.map((item) => textOf(item)?.trim());
  const twice = list.items.find((_, index) => texts.indexOf(texts[index]) < index);
  if (twice) report.error('bad-value', 'a part of the key is listed twice', twice.at, 'keep one');
  return key;
}

/** What the CRM cannot do without: the record is not written for calls that do not give it. */
function demandFields(
  node: MapNode,
  { required = [], words }: RecordDialect,
  fields: Field[],
  { report }: Compiling,
): void {
  for (const property of required) {
    const field = fields.find((one) => one.property === property);
    const word = Object.entries(words).find(([, { property: set }]) => set === property)?.[0] ?? property;
    if (field) field.required ||= true;
    else
      report.error(
        'missing-key',
        `the record cannot be distinguished from others without ${word}`,
        node.at,
        `write ${word}: …`,
      );
  }
}

function objectOf(node: MapNode, { any_object, object }: RecordDialect, { report }: Compiling): string | undefined {
  if (!any_object) return object;
  const entry = node.entries.get('object');
  const wanted = textOf(entry?.value);
  const read = wanted === undefined ? undefined : any_object.read(wanted);
  if (typeof read === 'string') return read;
  if (!entry)
    report.error(
      'missing-key',
      'the record does not say which object it is',
      node.at,
      `write object: ${any_object.such_as}`,
    );
  else if (read) report.error('bad-value', read.problem, entry.value.at, read.hint);
  return undefined;
}

const RESERVED = new Set(['person', SINGLE, 'call-log']);

function checkNames(records: CompiledRecord[], { report }: Compiling): void {
  const seen = new Map<string, CompiledRecord>();
  for (const record of records) {
    const { name, at } = record;
    const known = seen.get(name);
    if (known)
      report.error(
        'duplicate-name',
        `the name ${name} is already used in line ${known.at.line}`,
        at,
        'give every record its own name',
      );
    else if (name !== SINGLE && RESERVED.has(name))
      report.error('bad-name', `a record cannot be called ${name}`, at, 'choose another name');
    seen.set(name, known ?? record);
  }
}

/** What one call makes of the records. */
export function planRecords(
  records: CompiledRecord[],
  scope: Scope,
): { records: RecordPlan[]; left: LeftOut[]; parked?: LeftOut } {
  const plans: RecordPlan[] = [];
  const left: LeftOut[] = [];
  const gone = new Set<string>();
  let parked: LeftOut | undefined;
  for (const record of records) {
    const doubts: NonNullable<Scope['doubts']> = new Map();
    if (record.when && !record.when({ ...scope, doubts })) {
      gone.add(record.name);
      for (const [reason, unusable] of doubts)
        left.push({ field: record.name, reason, at: record.when_at ?? record.at, unusable });
      continue;
    }
    const { writes, left: fields, missing, parked: waits } = evaluateFields(record.fields, record.name, scope);
    parked ??= waits;
    if (missing && !waits) {
      gone.add(record.name);
      const { field, absent } = missing;
      const without = `it is not written without ${field.property}`;
      left.push({
        field: record.name,
        reason: absent.unusable ? `${without}: ${absent.reason}` : without,
        at: field.at,
        ...(absent.unusable ? { unusable: absent.unusable } : {}),
      });
      continue;
    }
    const key = keyOf(record, scope);
    if (key instanceof Absent) {
      gone.add(record.name);
      const { reason, unusable } = key;
      left.push({ field: record.name, reason, at: record.key?.at ?? record.at, ...(unusable ? { unusable } : {}) });
      continue;
    }
    const given = planOwner(record.owner, record.name, scope);
    left.push(...fields, ...given.left);
    plans.push({
      type: record.type,
      object: record.object,
      name: record.name,
      ...key,
      ...planFind(record.find, record.name, scope),
      fields: writes,
      ...(given.owner ? { owner: given.owner } : {}),
      ...(record.headline === undefined ? {} : { headline: record.headline }),
      associate: record.associate.map(({ name }) => name),
      ...(Object.keys(record.related).length > 0 ? { related: record.related } : {}),
      ...(record.labels ? { labels: record.labels } : {}),
    });
  }
  return { records: plans.map((plan) => withoutGone(plan, gone)), left, ...(parked ? { parked } : {}) };
}

/** What a mapping may write, for checks and pages. */
export function describeRecords(records: CompiledRecord[]): MappedRecord[] {
  return records.map(({ name, type, object, at, when_at, associate, related, find }) => {
    const own = associate.flatMap((one) => {
      const known = related[one.name];
      return known ? [{ object: known.object, at: one.at }] : [];
    });
    return {
      name,
      type,
      object,
      at,
      ...(when_at ? { when: when_at } : {}),
      ...(own.length > 0 ? { related: own } : {}),
      ...(find ? { find: { by: find.by, at: find.at } } : {}),
    };
  });
}

/** @returns why there is no record, where a part of its own key is absent */
function keyOf({ name, key }: CompiledRecord, scope: Scope): Pick<RecordPlan, 'key' | 'own_key'> | Absent {
  const { call } = scope;
  if (!key) return { key: name === SINGLE ? callKey(call) : recordKey(call, name) };
  const hash = createHash('sha256');
  for (const { text, evaluate } of key.parts) {
    const value = toText(evaluate(scope));
    if (value instanceof Absent) return new Absent(`its key has no ${text}: ${value.reason}`, value.unusable);
    const part = value.trim().toLowerCase();
    hash.update(`${part.length}\0${part}`);
  }
  return { key: `own:${name}:${hash.digest('hex')}`, own_key: { person: key.person } };
}

/** A record that this call does not make cannot be associated with. */
function withoutGone(plan: RecordPlan, gone: Set<string>): RecordPlan {
  const associate = plan.associate.filter((name) => !gone.has(name));
  return associate.length === plan.associate.length ? plan : { ...plan, associate };
}
