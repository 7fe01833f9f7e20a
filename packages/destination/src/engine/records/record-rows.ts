/** One record of a plan as a row: its fields as the CRM takes them and the write modes allow, its links. Pure. */

import type { Failure } from '../../port/failure.ts';
import { decideFields, withoutNewer } from '../fields.ts';
import type { Dropped } from '../plan-write.ts';
import type { Existing, Item, RecordVerbs } from './record-verbs.ts';
import type { Row } from './row.ts';

export interface RecordRow {
  /** Absent: the record says all of it already, or it is refused. */
  row?: Row;
  refused?: Failure;
  dropped: Dropped[];
  notes: string[];
  /** Whole texts that were cut to fit, by field. */
  cut: ReadonlyMap<string, string>;
}

/** @param there the record that exists; undefined for one that is to be created, as far as is known */
export function makeRow(
  crm: Pick<RecordVerbs, 'fields' | 'implied' | 'requiredOf' | 'linkFields'>,
  { write, record, targets }: Item,
  there: Existing | undefined,
): RecordRow {
  const { object } = record;
  const verb = there ? 'update' : 'create';
  const required = crm.requiredOf(record);
  const planned = withoutNewer([...record.fields, ...(crm.implied?.(write, record, verb) ?? [])]);
  const { fields, dropped, refused, cut } = crm.fields.fit?.(object, planned, { verb, required }) ?? {
    fields: planned,
    dropped: [],
    cut: new Map(),
  };
  if (refused) return { refused, dropped, notes: [], cut };
  const call = { key: write.plan.key, ended_at: write.ended_at, watermark: undefined };
  const values: Record<string, unknown> = {};
  for (const { applies, field, to } of decideFields(fields, there?.properties, call, (name) =>
    crm.fields.limitOf(object, name),
  )) {
    const value = crm.fields.encode(object, field, to);
    if (applies && (there || (value !== null && value !== ''))) values[field.name] = value;
  }
  const links = crm.linkFields?.(object, targets, there) ?? { fields: {}, notes: [] };
  Object.assign(values, links.fields);
  const rest = { dropped, notes: links.notes, cut };
  if (there && Object.keys(values).length === 0) return rest;
  const row: Row = {
    object,
    ...(there ? { id: there.id } : { key: record.key, targets }),
    fields: values,
    ...(links.parent === undefined ? {} : { parent: links.parent }),
    plans: [write.index],
    required,
  };
  return { ...rest, row };
}
