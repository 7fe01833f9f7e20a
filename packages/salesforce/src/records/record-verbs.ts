/** Salesforce's records, as the write engine asks for them. */
import type { FieldRules, PlanWrite, RecordVerbs, RowWriter } from '@wrapup/destination/engine';
import type { FieldWrite, RecordPlan } from '@wrapup/mapping';
import { fitFields, isOfOtherPerson } from '../account/fields.ts';
import { forgetObject, type Org, type SObject } from '../account/schema.ts';
import { dayIn, fitValue } from '../account/values.ts';
import { MAX_ROWS } from '../client/api.ts';
import { batchVerbs } from '../client/batch-write.ts';
import { SalesforceFailure } from '../errors/classify.ts';
import { keyLadder } from '../keys/key-ladder.ts';
import { OWNER, recordUrl } from '../objects.ts';
import type { SalesforceSession } from '../session.ts';
import type { SalesforceSettings } from '../settings.ts';
import { attachTexts } from './files.ts';
import { linksOf } from './link-fields.ts';

/** Characters of a long text, where the definition does not say. */
const TEXT_LIMIT = 32_000;

/** Fields without which a record would be another thing than the mapping says: a call that shows as open work. */
const REQUIRED_OF: Record<string, ReadonlySet<string>> = { call_log: new Set(['Status']) };
const NONE: ReadonlySet<string> = new Set();

export function recordVerbs(
  session: SalesforceSession,
  settings: SalesforceSettings,
  org: Org,
  org_url: string | undefined,
): RecordVerbs {
  const drops_fields = settings.on_refused_field === 'drop';
  const rows: RowWriter = {
    session,
    limits: { rows: MAX_ROWS, mixed: true, shrinks: true },
    drops_fields,
    owner: OWNER,
    ...batchVerbs(session, settings),
    // What is remembered of the object may not be so any more.
    knownFields: async (object) => {
      await forgetObject(session.ctx, object).catch(() => {});
      return undefined;
    },
  };
  return {
    ...rows,
    keys: keyLadder(session, org, rows),
    fields: fieldRules(org, drops_fields),
    urlOf: (_object, id) => recordUrl(org_url, id),
    implied: (write, record, verb) => impliedFields(org, write, record, verb),
    requiredOf: ({ type }) => REQUIRED_OF[type] ?? NONE,
    linkFields(name, targets, there) {
      const object = org.object(name);
      if (!object) return { fields: {}, notes: [] };
      const links = linksOf(object, targets);
      const fields = Object.entries(links.fields).filter(([field, id]) => {
        const known = object.fields.get(field);
        return there ? known?.updateable && there.properties[field] !== id : known?.createable;
      });
      return { fields: Object.fromEntries(fields), notes: links.notes, ...parentOf(links.fields) };
    },
    associate: async (written) => ({ failed: new Map(), notes: await attachTexts(session, written) }),
  };
}

function fieldRules(org: Org, drops_fields: boolean): FieldRules {
  return {
    fit(name, fields, { verb, required, person }) {
      const object = org.object(name);
      if (!object) {
        const refused = new SalesforceFailure('refused', `The org has no object ${name}.`);
        return { fields: [], dropped: [], cut: new Map(), refused };
      }
      return fitFields(object, fields, {
        verb,
        time_zone: org.time_zone,
        drop: drops_fields,
        required,
        ...(person ? { elsewhere: (field) => isOfOtherPerson(org, object, field) } : {}),
      });
    },
    has: (name, field) => {
      const known = org.object(name)?.fields.get(field);
      return known?.updateable === true || known?.createable === true;
    },
    limitOf: (name, field) => org.object(name)?.fields.get(field)?.length || TEXT_LIMIT,
    // Of an appended text only the block was fitted: the whole is fitted now.
    encode(name, { name: field, write }, value) {
      const known = write === 'append' ? org.object(name)?.fields.get(field) : undefined;
      const fitted = known && fitValue(known, value, org.time_zone);
      return fitted?.ok ? fitted.value : value;
    },
  };
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
function impliedFields(org: Org, write: PlanWrite, record: RecordPlan, verb: 'create' | 'update'): FieldWrite[] {
  const object = org.object(record.object);
  if (!object || (object.name !== 'Task' && object.name !== 'Event')) return [];
  const at = { file: write.plan.mapping.name, line: 1, column: 1 };
  const says = (name: string) => record.fields.some((field) => field.name === name);
  const field = (name: string, value: FieldWrite['value'] | undefined): FieldWrite[] =>
    value === undefined || says(name) || !object.fields.has(name) ? [] : [{ name, value, write: 'overwrite', at }];
  const reminds = record.fields.some(({ name, value }) => name === 'ReminderDateTime' && value !== null);
  const always = reminds ? field('IsReminderSet', true) : [];
  if (record.type !== 'call_log' || object.name !== 'Task') return always;
  const calls = object.fields.get('TaskSubtype');
  const subtype = calls?.values && !calls.values.includes('Call') ? undefined : 'Call';
  return [
    ...always,
    ...field('Status', closedStatus(org, object)),
    ...(verb === 'create' ? field('TaskSubtype', subtype) : []),
    ...field('ActivityDate', dayIn(write.ended_at || Date.now(), org.time_zone)),
  ];
}

/** The usual word for done where the org has it, else its own first one. */
function closedStatus({ closed_statuses }: Org, object: SObject): string | undefined {
  const values = object.fields.get('Status')?.values;
  const known = closed_statuses.filter((status) => values === undefined || values.includes(status));
  return known.find((status) => status === 'Completed') ?? known[0];
}
