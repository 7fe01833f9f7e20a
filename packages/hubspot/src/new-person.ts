/** One person whom nobody knows yet, with all the calls that are about them. */
import type { Failure } from '@wrapup/destination';
import {
  contactSteps,
  failJob,
  type Job,
  type NewPerson,
  noteDropped,
  recallPerson,
  rememberPerson,
  rememberWatermark,
  settleJob,
  unsettleJob,
} from '@wrapup/destination/delivery';
import { asHubSpotFailure, type HubSpotFailure } from './errors.ts';
import { KEY_HINT } from './items.ts';
import { isKeyRefused } from './key-steps.ts';
import type { KnownPerson } from './known-people.ts';
import { keyProperty, WATERMARK } from './objects.ts';
import { addIdentity, makePatch } from './person-patch.ts';
import type { Row, RowResult } from './rows.ts';
import type { Session } from './session.ts';

/**
 * People whose key the account refused. `begun` says whether they may have been created before: not at all, only by a
 * request that carried the key, or in some other way.
 */
export type RefusedPeople = { person: NewPerson; failure: HubSpotFailure; begun: 'not' | 'with_key' | 'perhaps' }[];

export const KEY = keyProperty('contacts');

/** Somebody who exists after all is written like anybody known, and what the mappings read of them is read. */
export function handBack(person: NewPerson, found: Omit<KnownPerson, 'jobs'>, known: KnownPerson[]): void {
  for (const job of person.jobs) unsettleJob(job);
  known.push({ ...found, jobs: person.jobs });
}

/** @returns false when it is open whether the person exists now */
export async function settle(
  session: Session,
  person: NewPerson,
  row: Row,
  result: RowResult,
  known: KnownPerson[],
  refused: RefusedPeople,
): Promise<boolean> {
  for (const job of person.jobs) noteDropped(job, 'person', result.dropped);
  if (result.ok) {
    known.push({ id: result.id, current: row.properties, jobs: person.jobs, created: true });
    await rememberNew(session, person, result);
    return true;
  }
  const { failure } = result;
  if (failure.code === 'conflict') {
    const owner = failure.vendor?.owner;
    if (owner === undefined) return false;
    handBack(person, { id: owner }, known);
    return true;
  }
  if (failure.doubt && session.usable) return false;
  if (isKeyRefused('contacts', failure)) refused.push({ person, failure, begun: 'not' });
  else failAll(person.jobs, failure);
  return true;
}

/** Id of a contact to whom one of the number or address was written of late. */
export async function recallAny(session: Session, person: NewPerson): Promise<string | undefined> {
  for (const step of person.jobs.flatMap(contactSteps)) {
    const id = await recallPerson(session.ctx, step);
    if (id !== undefined) return id;
  }
  return undefined;
}

async function rememberNew(session: Session, person: NewPerson, result: RowResult & { ok: true }): Promise<void> {
  try {
    await rememberPerson(session.ctx, person.jobs.flatMap(contactSteps), result.id);
    if (result.dropped.some(({ property }) => property === WATERMARK)) {
      const latest = Math.max(...person.jobs.map((job) => job.ended_at));
      await rememberWatermark(session.ctx, result.id, new Date(latest).toISOString());
    }
  } catch (thrown) {
    // The contact exists and its key finds it; only the short cut is lost.
    session.ctx.log.warn({ error: asHubSpotFailure(thrown).message }, 'a new contact could not be remembered');
  }
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

export function failAll(jobs: Job[], failure: Failure): void {
  for (const job of jobs) failJob(job, failure, 'person');
}

/** Without the unique key nobody is created: a repeat could not be told from a first time. */
export function keyMissing(failure: HubSpotFailure): Failure {
  return failure.code === 'missing_property' ? failure.with({ hint: KEY_HINT }) : failure;
}
