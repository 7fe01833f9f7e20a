/** One record of a plan as a row: its fields as the org takes them, its links, its key, and what makes a call log one. Pure. */
import type { RecordReceipt } from '@wrapup/destination';
import { type Item, type Job, noteDropped, type Properties, withoutNewer } from '@wrapup/destination/delivery';
import type { FieldWrite, RecordPlan } from '@wrapup/mapping';
import { SalesforceFailure } from './errors.ts';
import { fitFields } from './fields.ts';
import { keyStepOf } from './key-step.ts';
import { linksOf } from './links.ts';
import { OWNER } from './objects.ts';
import type { Row } from './rows.ts';
import type { Org, SObject } from './schema.ts';
import { dayIn, fitValue } from './values.ts';
import type { Work } from './work.ts';
import { decideFields } from './write-modes.ts';

/** A record on its way, and its receipt once it is there. */
export interface Written {
  item: Item;
  receipt: RecordReceipt;
  /** Whole texts of fields that were too short for them. */
  cut: Map<string, string>;
}

/** Fields without which a record would be another thing than the mapping says: a call that shows as open work. */
const REQUIRED_OF: Record<string, ReadonlySet<string>> = { call_log: new Set(['Status']) };
const NONE: ReadonlySet<string> = new Set();

/**
 * The row to send; none when the record says all of it already.
 * @param there the record that exists; undefined for one to be created
 */
export function makeRow(
  work: Work,
  item: Item,
  there: { id: string; current: Properties } | undefined,
): { row?: Row; written: Omit<Written, 'receipt'> & { receipt: RecordReceipt } } | SalesforceFailure {
  const { org, policy } = work;
  const { job, record, targets } = item;
  const object = org.object(record.object);
  if (!object) return new SalesforceFailure('refused', `The org has no object ${record.object}.`);
  const verb = there ? 'update' : 'create';
  const required = REQUIRED_OF[record.type] ?? NONE;
  const planned = withoutNewer([...record.fields, ...implied(org, object, record, job, verb)]);
  const { fields, dropped, refused, cut } = fitFields(object, planned, {
    verb,
    time_zone: org.time_zone,
    drop: policy.drop,
    required,
  });
  if (refused) return refused;
  noteDropped(job, record.name, dropped);
  const sent: Record<string, unknown> = {};
  const call = { key: job.plan.key, ended_at: job.ended_at, watermark: undefined };
  for (const { applies, field, to } of decideFields(object, fields, there?.current, call))
    if (applies && (there || to !== null)) sent[field.name] = fit(object, field, to, org);
  const links = linksOf(object, targets);
  for (const note of links.notes) job.notes.push(note);
  for (const [name, id] of Object.entries(links.fields)) {
    const known = object.fields.get(name);
    if (there ? known?.updateable && there.current[name] !== id : known?.createable) sent[name] = id;
  }
  const written = {
    item,
    cut,
    receipt: { name: record.name, object: record.object, id: there?.id ?? '', did: 'unchanged' as const },
  };
  if (there && Object.keys(sent).length === 0) return { written };
  const step = keyStepOf(org, object);
  if (!there && step) sent[step.field] = record.key;
  return {
    written,
    row: {
      object: record.object,
      ...(there ? { id: there.id } : {}),
      fields: sent,
      ...parentOf(links.fields),
      plans: [job.index],
      required: new Set([...required, ...(step ? [step.field] : [])]),
    },
  };
}

function fit(object: SObject, { name, write }: FieldWrite, value: FieldWrite['value'], org: Org): FieldWrite['value'] {
  const known = object.fields.get(name);
  const fitted = write === 'append' && known ? fitValue(known, value, org.time_zone) : undefined;
  return fitted?.ok ? fitted.value : value;
}

/** What Salesforce locks while the row is written. */
function parentOf(links: Record<string, string>): { parent?: string } {
  const parent = links.WhoId ?? links.WhatId ?? links.AccountId ?? links.ContactId ?? Object.values(links)[0];
  return parent === undefined ? {} : { parent };
}

/**
 * What a record is without a mapping having to say it. A call log is a task that is done, of the kind that stands under
 * calls, on the day of the call; an org may call "done" what it likes.
 */
function implied(org: Org, object: SObject, record: RecordPlan, job: Job, verb: 'create' | 'update'): FieldWrite[] {
  const at = { file: job.plan.mapping.name, line: 1, column: 1 };
  const says = (name: string) => record.fields.some((field) => field.name === name);
  const field = (name: string, value: FieldWrite['value'] | undefined): FieldWrite[] =>
    value === undefined || says(name) || !object.fields.has(name) ? [] : [{ name, value, write: 'overwrite', at }];
  if (object.name !== 'Task' && object.name !== 'Event') return [];
  const reminds = record.fields.some(({ name, value }) => name === 'ReminderDateTime' && value !== null);
  const always = reminds ? field('IsReminderSet', true) : [];
  if (record.type !== 'call_log' || object.name !== 'Task') return always;
  const calls = object.fields.get('TaskSubtype');
  const subtype = calls?.values && !calls.values.includes('Call') ? undefined : 'Call';
  return [
    ...always,
    ...field('Status', closedStatus(org, object)),
    ...(verb === 'create' ? field('TaskSubtype', subtype) : []),
    ...field('ActivityDate', dayIn(job.ended_at || Date.now(), org.time_zone)),
  ];
}

/** The usual word for done where the org has it, else its own first one. */
function closedStatus({ closed_statuses }: Org, object: SObject): string | undefined {
  const values = object.fields.get('Status')?.values;
  const known = closed_statuses.filter((status) => values === undefined || values.includes(status));
  return known.find((status) => status === 'Completed') ?? known[0];
}

/** Fields to read of records that exist: what is written, and what links them. */
export function namesToRead(object: SObject, items: Item[]): string[] {
  const names = new Set(items.flatMap(({ record }) => record.fields.map(({ name }) => name)));
  for (const { name, references } of object.fields.values())
    if (references.length > 0 && name !== OWNER) names.add(name);
  for (const name of ['Status', 'ActivityDate', 'IsReminderSet', OWNER]) names.add(name);
  return [...names].filter((name) => object.fields.has(name));
}
