/** Salesforce's records, as the write engine asks for them. */
import type {
  Existing,
  FieldRules,
  LinkTarget,
  OwnerList,
  OwnerSource,
  PlanWrite,
  RecordVerbs,
  RowWriter,
} from '@wrapup/destination/engine';
import { asObject, asText } from '@wrapup/destination/http';
import type { FieldWrite, RecordPlan } from '@wrapup/mapping';
import { MAX_BYTES, MAX_ROWS } from '../client/api.ts';
import { batchVerbs } from '../client/batch-write.ts';
import { compositeVerbs, MAX_ROWS_TOGETHER } from '../client/composite-write.ts';
import { OWNER, oneEach, recordUrl } from '../client/objects.ts';
import { forgetObject, longId, queryTogether } from '../client/query.ts';
import type { SalesforceSettings } from '../client/settings.ts';
import type { SalesforceSession } from '../client/transport.ts';
import { asSalesforceFailure, SalesforceFailure, unaccounted } from '../errors/classify.ts';
import { keyLadder, readById } from '../keys/key-ladder.ts';
import { fitFields, isOfOtherPerson } from '../schema/fields.ts';
import type { OrgDefinitions, OrgObject } from '../schema/org.ts';
import { canonicalValue, dayIn, fitValue } from '../schema/values.ts';
import { attachTexts } from './files.ts';
import { recordSearch } from './record-search.ts';
import { readRelated } from './related.ts';

/** Characters of a long text, where the definition does not say. */
const TEXT_LIMIT = 32_000;

/** Fields without which a record would be another thing than the mapping says: a call that shows as open work. */
const REQUIRED_OF: Record<string, ReadonlySet<string>> = { call_log: new Set(['Status']) };
const NONE: ReadonlySet<string> = new Set();

export function recordVerbs(
  session: SalesforceSession,
  settings: SalesforceSettings,
  org: OrgDefinitions,
  org_url: string | undefined,
): RecordVerbs {
  const drops_fields = settings.on_refused_field === 'drop';
  const rows: RowWriter = {
    session,
    limits: { rows: settings.composite ? MAX_ROWS_TOGETHER : MAX_ROWS, bytes: MAX_BYTES, mixed: true, shrinks: true },
    drops_fields,
    owner: OWNER,
    ...(settings.composite ? compositeVerbs(session, settings) : batchVerbs(session, settings)),
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
    resolve: async (writes) => ({ writes: writes.map(shareOneEach), reports: [] }),
    implied: (write, record, verb) => impliedFields(org, write, record, verb),
    readById: (ids) => readById(session, org, ids),
    readRelated: (questions) => readRelated(session, questions),
    search: recordSearch(session, org),
    requiredOf: ({ type }) => REQUIRED_OF[type] ?? NONE,
    linkFields(name, targets, there, wasLinked) {
      const object = org.object(name);
      if (!object) return { fields: {}, notes: [] };
      const links = linksOf(object, targets);
      const fields = Object.entries({ ...left(links.fields, there, wasLinked), ...links.fields }).filter(
        ([field, id]) => {
          const known = object.fields.get(field);
          return there ? known?.updateable && there.properties[field] !== id : known?.createable;
        },
      );
      const pointed = fields.map(([field]) => [field, pointedAt(object, field, there)] as const);
      return {
        fields: Object.fromEntries(fields),
        notes: links.notes,
        left: Object.fromEntries(pointed),
        ...parentOf(links.fields),
      };
    },
    associate: async (written) => ({ failed: new Map(), notes: await attachTexts(session, written) }),
  };
}

/** What the org has once for a person, all calls of that person mean. */
function shareOneEach(write: PlanWrite): PlanWrite {
  const records = write.plan.records.map((record): RecordPlan => {
    const each = oneEach(record.object);
    if (!each || record.own_key || record.find) return record;
    const of = record.fields.find(({ name }) => name === each.of)?.value ?? '';
    return { ...record, key: `one-each:${record.object}:${of}`, own_key: { person: true } };
  });
  return { ...write, plan: { ...write.plan, records } };
}

function fieldRules(org: OrgDefinitions, drops_fields: boolean): FieldRules {
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
    canonical: (name, field, value) =>
      canonicalValue(org.object(name)?.fields.get(field), value ?? null, org.time_zone),
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
function impliedFields(
  org: OrgDefinitions,
  plan: PlanWrite,
  record: RecordPlan,
  verb: 'create' | 'update',
): FieldWrite[] {
  const object = org.object(record.object);
  if (!object || (object.name !== 'Task' && object.name !== 'Event')) return [];
  const at = { file: plan.plan.mapping.name, line: 1, column: 1 };
  const says = (name: string) => record.fields.some((field) => field.name === name);
  const field = (
    name: string,
    value: FieldWrite['value'] | undefined,
    write: FieldWrite['write'] = 'overwrite',
  ): FieldWrite[] =>
    value === undefined || says(name) || !object.fields.has(name) ? [] : [{ name, value, write, at }];
  const reminds = record.fields.some(({ name, value }) => name === 'ReminderDateTime' && value !== null);
  // A reminder that was dismissed stays so, and a call that was opened again.
  const always = reminds ? field('IsReminderSet', true, 'if_ours') : [];
  if (record.type !== 'call_log' || object.name !== 'Task') return always;
  const calls = object.fields.get('TaskSubtype');
  const subtype = calls?.values && !calls.values.includes('Call') ? undefined : 'Call';
  return [
    ...always,
    ...field('Status', closedStatus(org, object), 'if_ours'),
    ...(verb === 'create' ? field('TaskSubtype', subtype) : []),
    ...field('ActivityDate', dayIn(plan.ended_at || Date.now(), org.time_zone)),
  ];
}

/** The usual word for done where the org has it, else its own first one. */
function closedStatus({ closed_statuses }: OrgDefinitions, object: OrgObject): string | undefined {
  const values = object.fields.get('Status')?.values;
  const known = closed_statuses.filter((status) => values === undefined || values.includes(status));
  return known.find((status) => status === 'Completed') ?? known[0];
}

/* Who can own records: the org’s active users and queues, as far as one answer holds them. */

/** Users that are read at most: one answer of a query. */
const MAX_OWNERS = 2_000;

/** The org’s active users and queues. */
export function ownerSource(session: SalesforceSession): OwnerSource {
  return { property: OWNER, read: (plans) => readOwners(session, plans), toSet: (ids) => new IdSet(ids) };
}

/** Ids of 15 and of 18 characters are the same. */
class IdSet extends Set<string> {
  override has(id: string): boolean {
    return super.has(longId(id));
  }
}

const USERS = `SELECT Id, Email FROM User WHERE IsActive = true AND UserType = 'Standard' ORDER BY Id LIMIT ${MAX_OWNERS}`;
const QUEUES = `SELECT Id FROM Group WHERE Type = 'Queue' ORDER BY Id LIMIT ${MAX_OWNERS}`;

async function readOwners(session: SalesforceSession, plans: number[]): Promise<OwnerList> {
  try {
    const [users, queues] = await queryTogether(
      session,
      'read the owners',
      [
        { object: 'User', soql: USERS },
        { object: 'Group', soql: QUEUES },
      ],
      plans,
    );
    if (!users || !queues) throw unaccounted('read the owners');
    const rows = [...users.records, ...queues.records].map(asObject);
    return {
      owners: rows.map(({ Id, Email }) => [longId(asText(Id)), asText(Email).trim().toLowerCase()]),
      whole: users.whole && queues.whole && users.records.length < MAX_OWNERS && queues.records.length < MAX_OWNERS,
    };
  } catch (thrown) {
    const failure = asSalesforceFailure(thrown);
    if (failure.next !== 'park') throw failure;
    return { why: `the org’s users cannot be read (${failure.code}: give the integration user View All Users)` };
  }
}

/* Which field of a record points at a person or at another record. Pure. */

export interface Links {
  /** Ids by field. */
  fields: Record<string, string>;
  notes: string[];
}

/**
 * Fields that are known, by the object that points and the one it points at.
 * https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-task.html
 */
const KNOWN: Record<string, Record<string, string>> = {
  Task: { Contact: 'WhoId', Lead: 'WhoId', '*': 'WhatId' },
  Event: { Contact: 'WhoId', Lead: 'WhoId', '*': 'WhatId' },
  // Given once, when the opportunity is made: it becomes the primary contact role.
  Opportunity: { Contact: 'ContactId', Account: 'AccountId' },
  Case: { Contact: 'ContactId', Account: 'AccountId' },
};

/** Reference fields that mean something else than "about". */
const NOT_LINKS = new Set([OWNER, 'CreatedById', 'LastModifiedById', 'MasterRecordId', 'ParentId', 'ReportsToId']);

function linksOf(object: OrgObject, targets: readonly LinkTarget[]): Links {
  const links: Links = { fields: {}, notes: [] };
  for (const [name, all] of Map.groupBy(targets, (target) => target.name)) {
    const [target] = all;
    if (!target) continue;
    const field = fieldFor(object, target.object);
    if (field === undefined) note(links, object, target);
    else if (all.length > 1)
      links.notes.push(
        `${object.name}.${field} points at one record, and the person has ${all.length} ${name}: none was taken.`,
      );
    else if (links.fields[field] === undefined) links.fields[field] = target.id;
    else if (links.fields[field] !== target.id)
      links.notes.push(`${object.name} points at one record by ${field}: ${target.name} was left out of it.`);
    if (object.name === 'Opportunity' && target.account && object.fields.has('AccountId'))
      links.fields.AccountId ??= target.account;
  }
  return withoutRelatedToLeads(object, targets, links);
}

/** A task or event of a lead can have nothing that it relates to. */
function withoutRelatedToLeads(object: OrgObject, targets: readonly LinkTarget[], links: Links): Links {
  const lead = targets.some((target) => target.object === 'Lead' && links.fields.WhoId === target.id);
  if (!lead || links.fields.WhatId === undefined) return links;
  const { WhatId: _, ...fields } = links.fields;
  return {
    fields,
    notes: [...links.notes, `${object.name} of a lead can relate to nothing else: WhatId was left out.`],
  };
}

/** What the record pointed at because of a person whose it is no longer. */
function left(
  fields: Record<string, string>,
  there: Existing | undefined,
  wasLinked: (id: string) => boolean,
): Record<string, null> {
  const [who, what] = [there?.properties.WhoId, there?.properties.WhatId];
  const moves = who && fields.WhoId !== undefined && fields.WhoId !== who;
  return moves && typeof what === 'string' && wasLinked(what) ? { WhatId: null } : {};
}

/** What the field points at: the id alone does not say which of the objects it may be of. */
function pointedAt(object: OrgObject, field: string, there: Existing | undefined): { object: string; id: string }[] {
  const id = there?.properties[field];
  if (typeof id !== 'string' || id === '') return [];
  return (object.fields.get(field)?.references ?? []).map((name) => ({ object: name, id }));
}

function fieldFor(object: OrgObject, target: string): string | undefined {
  const known = KNOWN[object.name]?.[target] ?? KNOWN[object.name]?.['*'];
  if (known !== undefined) return object.fields.has(known) ? known : undefined;
  const pointing = [...object.fields.values()].filter(
    ({ name, createable, references }) => createable && references.includes(target) && !NOT_LINKS.has(name),
  );
  const own = pointing.filter(({ name }) => name.endsWith('__c'));
  const choice = own.length > 0 ? own : pointing;
  return choice.length === 1 ? choice[0]?.name : undefined;
}

/** An account knows nothing of people by itself: its contacts point at it. */
function note(links: Links, { name }: OrgObject, target: LinkTarget): void {
  if (name === 'Account') return;
  links.notes.push(
    `${name} has no one field that points at a ${target.object}: it was not linked to ${target.name}. Name the field in the mapping.`,
  );
}
