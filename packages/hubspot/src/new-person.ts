/** One person whom nobody knows yet, with all the calls that are about them. */
import type { Failure } from '@wrapup/destination';
import {
  dropUnproved,
  failJobs,
  handBack,
  judgeClaim,
  type KnownPerson,
  type NewPerson,
  noteDropped,
  rememberNew,
  settleJob,
} from '@wrapup/destination/delivery';
import type { Row, RowResult } from '@wrapup/destination/engine';
import type { CrmRecord } from './client/batch-read.ts';
import { asHubSpotFailure, type HubSpotFailure } from './errors/classify.ts';
import { explainRefusal, isKeyRefused } from './keys/key-ladder.ts';
import { keyProperty, WATERMARK } from './objects.ts';
import { addIdentity, makePatch } from './person-patch.ts';
import type { Session } from './session.ts';

/**
 * People whose key the account refused. `begun` says whether they may have been created before: not at all, only by a
 * request that carried the key, or in some other way.
 */
export type RefusedPeople = { person: NewPerson; failure: HubSpotFailure; begun: 'not' | 'with_key' | 'perhaps' }[];

export const KEY = keyProperty('contacts');

/** A contact of whom nothing but the id is known. */
export function knownById(id: string): CrmRecord {
  return { id, properties: {} };
}

/** @returns false when it is open whether the person exists now */
export async function settle(
  session: Session,
  person: NewPerson,
  row: Row,
  result: RowResult,
  known: KnownPerson<CrmRecord>[],
  refused: RefusedPeople,
): Promise<boolean> {
  for (const job of person.jobs) noteDropped(job, 'person', result.dropped);
  if (result.ok) {
    known.push({ person: knownById(result.id), jobs: person.jobs, created: true });
    await rememberNew(session.ctx, person, result.id, result.fields, WATERMARK);
    return true;
  }
  const failure = asHubSpotFailure(result.failure);
  if (failure.code === 'conflict') {
    const owner = failure.vendor?.owner;
    const claim = judgeClaim(person.jobs, claimedValues(person, row, failure));
    if (claim === 'without') dropUnproved(person.jobs);
    if (owner === undefined || claim === 'without') return false;
    handBack(person, { person: knownById(owner) }, known, claim);
    return true;
  }
  if (failure.doubt && session.usable) return false;
  if (isKeyRefused('contacts', failure)) refused.push({ person, failure, begun: 'not' });
  else failJobs(person.jobs, failure, 'person');
  return true;
}

/** HubSpot tells only in words which value another contact holds: the key stands in them; `Existing ID` is said of an address. */
function claimedValues({ key }: NewPerson, { fields }: Row, { vendor }: HubSpotFailure): unknown[] {
  const words = [vendor?.message ?? '', ...(vendor?.details ?? []).map(({ message }) => message)].join('\n');
  if (words.includes(key)) return [key];
  return /Existing ID/i.test(words) ? [fields.email] : Object.values(fields);
}

export function rowOf(person: NewPerson): Row {
  for (const job of person.jobs) settleJob(job, {});
  return {
    object: 'contacts',
    key: person.key,
    fields: addIdentity(makePatch(person.jobs, undefined, undefined), person.jobs),
    plans: plansOfPerson(person),
    required: new Set([KEY]),
  };
}

export function plansOfPerson(person: NewPerson): number[] {
  return person.jobs.map((job) => job.index);
}

/** Without the unique key nobody is created: a repeat could not be told from a first time. */
export function keyMissing(failure: HubSpotFailure): Failure {
  return failure.code === 'missing_property' ? explainRefusal(failure) : failure;
}
