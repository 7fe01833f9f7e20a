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
import type { HubSpotFailure } from './errors/classify.ts';
import { KEY_HINT } from './items.ts';
import { isKeyRefused } from './key-steps.ts';
import { keyProperty, WATERMARK } from './objects.ts';
import { addIdentity, makePatch } from './person-patch.ts';
import type { CrmRecord } from './read-many.ts';
import type { Row, RowResult } from './rows.ts';
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
    await rememberNew(session.ctx, person, result.id, row.properties, WATERMARK);
    return true;
  }
  const { failure } = result;
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

/** HubSpot tells only in words which value somebody holds: the key stands in them; `Existing ID` is said of an address. */
function claimedValues({ key }: NewPerson, { properties }: Row, { vendor }: HubSpotFailure): unknown[] {
  const told = [vendor?.message ?? '', ...(vendor?.details ?? []).map(({ message }) => message)].join('\n');
  if (told.includes(key)) return [key];
  return /Existing ID/i.test(told) ? [properties.email] : Object.values(properties);
}

export function rowOf(person: NewPerson): Row {
  for (const job of person.jobs) settleJob(job, {});
  return {
    trace: `person-${person.jobs[0]?.index ?? 0}`,
    key: { property: KEY, value: person.key },
    properties: addIdentity(makePatch(person.jobs, undefined, undefined), person.jobs),
    links: [],
    plans: plansOfPerson(person),
    required: new Set([KEY]),
  };
}

export function plansOfPerson(person: NewPerson): number[] {
  return person.jobs.map((job) => job.index);
}

/** Without the unique key nobody is created: a repeat could not be told from a first time. */
export function keyMissing(failure: HubSpotFailure): Failure {
  return failure.code === 'missing_property' ? failure.with({ hint: KEY_HINT }) : failure;
}
