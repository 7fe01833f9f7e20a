/** From the people of many plans to written records. */
import { type Job, type Wording, writePeople } from '@wrapup/destination/delivery';
import { personWriter } from './known-people.ts';
import { knownById, lookUp } from './look-up.ts';
import { createPeople } from './new-people.ts';
import type { Work } from './work.ts';

/** How Salesforce's people are called in what is said of them. */
export const WORDING: Wording = {
  crm: 'Salesforce',
  person: 'contact or lead',
  people: 'records',
  vanished: 'The person was deleted, merged or converted while being written.',
};

/** Finds, creates and updates the people of all jobs. Never rejects. */
export function writeAllPeople(work: Work, jobs: Job[]): Promise<void> {
  const { session, org } = work;
  return writePeople(session.ctx, jobs, {
    ...personWriter(work),
    wording: WORDING,
    byId: knownById,
    lookUp: (questions, properties) => lookUp(session, org, questions, properties),
    create: (people) => createPeople(work, people),
  });
}
