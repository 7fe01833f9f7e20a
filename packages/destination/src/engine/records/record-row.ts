/** One record of a plan as a row: its fields as the CRM takes them and the write modes allow, its links. */
import { isRemembered, type RecordPlan, type Value } from '@wrapup/mapping';
import type { Failure } from '../../port/failure.ts';
import type { RecordReceipt } from '../../port/receipt.ts';
import {
  type CallStanding,
  type Dropped,
  decideFields,
  type Existing,
  type PlanReport,
  type PlanWrite,
  reportKept,
  withoutNewer,
} from '../plan/plan-write.ts';
import type { CrmRow, FieldRules, LinkTarget } from '../rows/row.ts';
import { canonicalOf, type LinkEnd, recordMemory, type WrittenValues } from '../rows/written-values.ts';
import type { Associated, Item, RecordVerbs, Written } from './record-verbs.ts';

/** What `if_ours` asks about a record. @param isShared other calls can mean the same record */
export function recordStanding(
  rules: FieldRules,
  { plan, ended_at }: Pick<PlanWrite, 'plan' | 'ended_at'>,
  record: RecordPlan,
  values: WrittenValues,
  isShared: boolean,
): CallStanding {
  const note = recordMemory(record);
  const canonical = (property: string, value: Value | undefined) => canonicalOf(rules, record.object, property, value);
  return {
    key: plan.key,
    ended_at,
    // A record of one call has no later call, and whatever comes to it comes again.
    watermark: isShared ? values.endedOf(note) : undefined,
    repeated: !isShared || values.isLast(note, plan),
    originOf: ({ name }, from, to) => values.originOf(note, name, canonical(name, from), canonical(name, to)),
  };
}

function relatedObjects({ related = {} }: RecordPlan): string[] {
  return Object.values(related).map(({ object }) => object);
}

export interface RecordRow {
  /** Absent: the record says all of it already, or it is refused. */
  row?: CrmRow;
  refused?: Failure;
  dropped: Dropped[];
  notes: string[];
  /** On fields that stay since a person gave them their value. */
  reports: PlanReport[];
  /** Values that have to be known again, by property, in canonical form. */
  remembered: ReadonlyMap<string, string>;
  /** Whole texts that were cut to fit, by field. */
  cut: ReadonlyMap<string, string>;
  /** What its fields name another record in place of. */
  left: { object: string; id: string }[];
}

/** @param there the record that exists; undefined for one that is to be created, as far as is known */
export function makeRow(
  crm: Pick<RecordVerbs, 'fields' | 'implied' | 'requiredOf' | 'linkFields' | 'sharedKey'> & { values: WrittenValues },
  { write, record, targets }: Item,
  there: Existing | undefined,
): RecordRow {
  const { object } = record;
  const verb = there ? 'update' : 'create';
  const required = crm.requiredOf(record);
  const isShared = record.own_key !== undefined || crm.sharedKey?.(record) !== undefined;
  const wanted = [...record.fields, ...(crm.implied?.(write, record, verb) ?? [])];
  const planned = isShared ? wanted : withoutNewer(wanted);
  const { fields, dropped, refused, cut } = crm.fields.fit?.(object, planned, { verb, required }) ?? {
    fields: planned,
    dropped: [],
    cut: new Map(),
  };
  const remembered = new Map<string, string>();
  if (refused) return { refused, dropped, notes: [], reports: [], remembered, cut, left: [] };
  const call = recordStanding(crm.fields, write, record, crm.values, isShared);
  const values: Record<string, unknown> = {};
  const decided = decideFields(fields, there?.properties, call, (name) => crm.fields.limitOf(object, name));
  for (const { applies, field, to } of decided) {
    const value = crm.fields.encode(object, field, to);
    if (!applies || (!there && (value === null || value === ''))) continue;
    values[field.name] = value;
    if (isRemembered(field)) remembered.set(field.name, canonicalOf(crm.fields, object, field.name, value));
  }
  const reports = reportKept(write, record.name, decided);
  const links = crm.linkFields?.(
    object,
    there ? targets.filter((target) => !isLinked(crm.values, record, target)) : targets,
    there,
    (id) => relatedObjects(record).some((one) => crm.values.wasLinked(recordMemory(record), { object: one, id })),
  ) ?? { fields: {}, notes: [] };
  // A record that was made elsewhere keeps what it points at.
  const isFound = write.found?.has(record.name) === true;
  const linked = Object.entries(links.fields).filter(([name]) => !isFound || (there?.properties[name] ?? '') === '');
  for (const [name, id] of linked) values[name] = id;
  const left = linked.flatMap(([name]) => links.left?.[name] ?? []);
  const rest = { dropped, notes: links.notes, reports, remembered, cut, left };
  if (there && Object.keys(values).length === 0) return rest;
  const row: CrmRow = {
    object,
    ...(there ? { id: there.id } : { key: record.key, targets }),
    fields: values,
    ...(links.parent === undefined ? {} : { parent: links.parent }),
    plans: [write.index],
    required,
  };
  return { ...rest, row };
}

/* What a record is linked to already, as far as it was noted, and what is noted of it. */

/** Whether the record was linked to it before, by us or by a colleague, and with that label. */
function isLinked(values: WrittenValues, record: RecordPlan, { name, object, id }: LinkTarget): boolean {
  const label = record.labels?.[name];
  const note = recordMemory(record);
  if (label === undefined) return values.hasLink(note, { object, id });
  return values.wasLinked(note, { object, id }) && values.wasLinked(note, { object, id, label });
}

/** A record of several plans is noted one plan after another. */
export async function noteLinks(
  values: WrittenValues,
  written: Written[],
  { failed, unlinked = [] }: Associated,
): Promise<void> {
  const byNote = Map.groupBy(written, ({ item }) => recordMemory(item.record));
  const note = async ([name, all]: [string, Written[]]) => {
    for (const { item, left, links, wasLinked } of all) {
      const { write, record, targets } = item;
      const isOurs = (target: LinkTarget) => links.includes(target) || wasLinked(target);
      const endsOf = (target: LinkTarget) => (isOurs(target) ? madeEnds(record, target) : [foundEnd(target)]);
      const made = failed.has(item) ? [] : targets.flatMap(endsOf);
      const gone = [...left, ...unlinked.filter(([one]) => one === item).map(([, end]) => end)];
      await values.noteLinks(name, { key: write.plan.key, ended_at: write.ended_at }, made, gone);
    }
  };
  await Promise.all([...byNote].map(note));
}

function madeEnds({ labels }: RecordPlan, { name, object, id }: LinkTarget): LinkEnd[] {
  const label = labels?.[name];
  return [{ object, id }, ...(label === undefined ? [] : [{ object, id, label }])];
}

/** Of a link that a record had when it was found. */
function foundEnd({ object, id }: LinkTarget): LinkEnd {
  return { object, id, found: true };
}

export function toWritten(
  values: WrittenValues,
  item: Item,
  receipt: RecordReceipt,
  rest: Pick<Written, 'linked' | 'cut' | 'left'>,
): Written {
  const { record, targets } = item;
  const found = item.write.found?.get(record.name);
  const isThere = ({ name, id }: LinkTarget) =>
    name === 'person' && record.labels?.[name] === undefined && found?.people?.has(id) === true;
  const links = rest.linked
    ? targets
    : targets.filter((target) => !isThere(target) && !isLinked(values, record, target));
  return { item, receipt, ...rest, links, wasLinked: (to) => values.wasLinked(recordMemory(record), to) };
}
