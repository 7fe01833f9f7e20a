/** From the people of many plans to written contacts: look up together, apply each plan's policy, write each once. */
import {
  decide,
  follow,
  type Gone,
  groupUnknown,
  type Job,
  settledBefore,
  stepsOf,
  type Wording,
  writeInRounds,
} from '@wrapup/destination/delivery';
import { joinById, type KnownPerson, writePeople } from './known-people.ts';
import { lookUp, type Question } from './look-up.ts';
import { createPeople } from './new-people.ts';
import type { Account } from './objects.ts';
import { mustRead, propertiesToRead } from './person-patch.ts';
import type { RowPolicy } from './rows.ts';
import type { Session } from './session.ts';

const VANISHED = 'The contact was deleted or merged while it was being written.';

/** Finds, creates and updates the people of all jobs. Never rejects. */
export async function writeAllPeople(
  session: Session,
  jobs: Job[],
  policy: RowPolicy,
  account: Account | undefined,
): Promise<void> {
  const properties = propertiesToRead(jobs.map((job) => job.plan));
  await writeInRounds(session.ctx, jobs, VANISHED, async (open, gone) => {
    const { known, unknown } = await findPeople(session, open, properties, gone);
    const created = await createPeople(session, groupUnknown(unknown), policy);
    return writePeople(session, [...known, ...created], policy, account);
  });
}

/** How people are called in HubSpot, for what is said of them. */
export const WORDING: Wording = { crm: 'HubSpot', person: 'contact', people: 'contacts' };

export function questionOf(job: Job, gone?: ReadonlySet<string>): Question {
  return { plan: job.index, match: stepsOf(job, gone), read: mustRead([job]) };
}

async function findPeople(
  session: Session,
  jobs: Job[],
  properties: string[],
  gone: Gone,
): Promise<{ known: KnownPerson[]; unknown: Job[] }> {
  const known: KnownPerson[] = [];
  const unknown: Job[] = [];
  const asking: Job[] = [];
  for (const job of jobs) {
    const id = settledBefore(job, gone.get(job));
    job.person_done = id !== undefined;
    if (id === undefined) asking.push(job);
    else known.push({ id, jobs: [job] });
  }
  const questions = asking.map((job) => questionOf(job, gone.get(job)));
  const answers = await lookUp(session, questions, properties);
  for (const [index, job] of asking.entries()) {
    const answer = answers[index];
    if (!answer) continue;
    const next = follow(job, decide(job.plan, answer, WORDING));
    if (next === 'create') unknown.push(job);
    else if (next)
      known.push({
        id: next.record.id,
        jobs: [job],
        ...(next.read ? { current: next.record.properties, read: new Set(properties) } : {}),
      });
  }
  return { known: joinById(known), unknown };
}
