/** How contacts are written onto, one row a person. */
import type { Failure } from '@wrapup/destination';
import type { Job, KnownPerson, PeopleWriter } from '@wrapup/destination/delivery';
import { type RecordVerbs, type Row, writeRows } from '@wrapup/destination/engine';
import { type CrmRecord, readMany } from './client/batch-read.ts';
import { asHubSpotFailure } from './errors/classify.ts';
import { type Account, recordUrl, WATERMARK } from './objects.ts';
import { makePatch } from './person-patch.ts';
import type { Session } from './session.ts';

export function contactWriter(
  session: Session,
  crm: RecordVerbs,
  account: Account | undefined,
): PeopleWriter<CrmRecord, Row> {
  return {
    watermark: WATERMARK,
    read: (ids, properties, plansOf) => readMany(session, { object: 'contacts', ids, properties, plansOf }),
    rowOf,
    send: (rows) => writeRows(crm, 'update', rows),
    judge: (known, row, failure) =>
      failure.code === 'conflict' ? judgeConflict(known, row, failure, crm.drops_fields) : failure,
    foundBy: () => ['phone', 'mobilephone', 'email'],
    idOf: (_person, answered) => answered,
    receiptOf({ id }) {
      const url = recordUrl(account, 'contacts', id);
      return { object: 'contacts', ...(url ? { url } : {}) };
    },
  };
}

function rowOf({ id, properties }: CrmRecord, jobs: Job[], watermark: number | undefined): Row | undefined {
  const patch = makePatch(jobs, properties, watermark);
  if (Object.keys(patch).length === 0) return undefined;
  return {
    object: 'contacts',
    id,
    fields: patch,
    plans: jobs.map((job) => job.index),
    required: new Set(),
  };
}

/** The address that a call gave belongs to another contact. Where the policy drops fields the rest is written without it. */
function judgeConflict(
  { person, jobs }: KnownPerson<CrmRecord>,
  row: Row,
  failure: Failure,
  drops_fields: boolean,
): Failure | 'again' {
  const { owner } = asHubSpotFailure(failure).vendor ?? {};
  const hint = `Contact ${person.id} and contact ${owner ?? 'another one'} claim the same unique value, mostly an e-mail address: merge them in HubSpot, then replay.`;
  if (!drops_fields || !('email' in row.fields))
    return failure.with({ next: 'park', hint, ...(owner ? { candidates: [person.id, owner] } : {}) });
  for (const job of jobs) {
    job.notes.push(`person.email was left out. ${hint}`);
    const { plan } = job;
    if (!plan.person) continue;
    const fields = plan.person.fields.filter(({ name }) => name !== 'email');
    job.plan = { ...plan, person: { ...plan.person, fields } };
  }
  return 'again';
}
