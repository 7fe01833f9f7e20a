/** From the people of many plans to written contacts. */
import { type Job, type Wording, writePeople } from '@wrapup/destination/delivery';
import type { RecordVerbs } from '@wrapup/destination/engine';
import { contactWriter } from './known-people.ts';
import { lookUp } from './look-up.ts';
import { createPeople } from './new-people.ts';
import { knownById } from './new-person.ts';
import type { Account } from './objects.ts';
import type { Session } from './session.ts';

/** How people are called in HubSpot, for what is said of them. */
export const WORDING: Wording = {
  crm: 'HubSpot',
  person: 'contact',
  people: 'contacts',
  vanished: 'The contact was deleted or merged while it was being written.',
};

/** Finds, creates and updates the people of all jobs. Never rejects. */
export function writeAllPeople(
  session: Session,
  jobs: Job[],
  crm: RecordVerbs,
  weaker: boolean,
  account: Account | undefined,
): Promise<void> {
  return writePeople(session.ctx, jobs, {
    ...contactWriter(session, crm, account),
    wording: WORDING,
    byId: knownById,
    lookUp: (questions, properties) => lookUp(session, questions, properties),
    create: (people) => createPeople(session, people, { crm, weaker }),
  });
}
