/** How people are written onto, one row a person: a lead, a contact, or the account that a person is. */
import type { Failure } from '@wrapup/destination';
import { failJob, type Job, type KnownPerson, noteDropped, type PeopleWriter } from '@wrapup/destination/delivery';
import { type Row, writeRows } from '@wrapup/destination/engine';
import type { SObject } from './account/schema.ts';
import { type Person, phoneFieldsOf } from './candidates.ts';
import { asSalesforceFailure } from './errors/classify.ts';
import { readPeopleById } from './look-up.ts';
import { recordUrl, WATERMARK } from './objects.ts';
import { makePatch, onAccount } from './person-patch.ts';
import type { Work } from './work.ts';

export function personWriter(work: Work): PeopleWriter<Person, Row> {
  const { session, org, crm, org_url } = work;
  return {
    watermark: WATERMARK,
    read: (ids, properties, plansOf) => readPeopleById(session, org, ids, properties, plansOf),
    rowOf: (person, jobs, watermark) => rowOf(work, person, jobs, watermark),
    send: (rows) => writeRows(crm, 'update', rows),
    judge,
    foundBy(person) {
      const object = org.object(person.object);
      return [...(object ? phoneFieldsOf(object) : []), 'Email'];
    },
    idOf: ({ id }) => id,
    receiptOf({ object, id }) {
      const url = recordUrl(org_url, id);
      return { object, ...(url ? { url } : {}) };
    },
    accountOf: ({ account }) => account,
  };
}

/** What is to be written; undefined when that is nothing. @throws SalesforceFailure */
function rowOf({ org, crm }: Work, person: Person, jobs: Job[], watermark: number | undefined): Row | undefined {
  const object = org.object(person.object);
  if (!object) return undefined;
  if (person.object === 'Account') {
    // A company: what the call says of a person is not said of it.
    for (const job of jobs) job.notes.push('The caller’s number is that of an account: the call is logged there.');
    return undefined;
  }
  const patch = makePatch(jobs, { org, object, drop: crm.drops_fields, current: person.properties, watermark });
  for (const [job, dropped] of patch.dropped) noteDropped(job, 'person', dropped);
  for (const [job, failure] of patch.refused) failJob(job, failure, 'person');
  if (Object.keys(patch.fields).length === 0) return undefined;
  return {
    ...targetOf(person, org.object('Account'), patch.fields),
    // The account of a contact is locked with it.
    parent: person.account ?? person.id,
    plans: jobs.map((job) => job.index),
    required: new Set(),
  };
}

/** A person account is written as the account that it is. */
function targetOf(
  { object, id, person_account }: Person,
  account: SObject | undefined,
  fields: Row['fields'],
): Pick<Row, 'object' | 'id' | 'fields'> {
  if (!account || person_account === undefined) return { object, id, fields };
  return { object: 'Account', id: person_account, fields: asAccount(account, fields) };
}

function asAccount(account: SObject, fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      const there = onAccount(account, name);
      return there === undefined ? [] : [[there, value]];
    }),
  );
}

/** Where somebody else has what the call says of this person, a person has to look. */
function judge({ person }: KnownPerson<Person>, _row: Row, failure: Failure): Failure {
  if (failure.code !== 'conflict' && failure.code !== 'ambiguous_person') return failure;
  const { holder, matches = [] } = asSalesforceFailure(failure).vendor ?? {};
  const others = [...(holder ? [holder] : []), ...matches.map(({ id }) => id)];
  return failure.with({
    next: 'park',
    candidates: [person.id, ...others],
    hint: `Record ${person.id} and ${others[0] ?? 'another one'} claim the same value: merge them in Salesforce, then replay.`,
  });
}
