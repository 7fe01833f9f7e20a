/** From the people of many plans to written records: look up together, apply each plan's policy, write each once. */
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
import { knownById, lookUp, type Question } from './look-up.ts';
import { createPeople } from './new-people.ts';
import { mustRead, propertiesToRead } from './person-patch.ts';
import type { Work } from './work.ts';

/** How Salesforce's people are called in what is said of them. */
export const WORDING: Wording = { crm: 'Salesforce', person: 'contact or lead', people: 'records' };

const VANISHED = 'The person was deleted, merged or converted while being written.';

/** Finds, creates and updates the people of all jobs. Never rejects. */
export async function writeAllPeople(work: Work, jobs: Job[]): Promise<void> {
  const properties = propertiesToRead(jobs.map((job) => job.plan));
  await writeInRounds(work.session.ctx, jobs, VANISHED, async (open, gone) => {
    const { known, unknown } = await findPeople(work, open, properties, gone);
    const created = await createPeople(work, groupUnknown(unknown));
    return writePeople(work, [...known, ...created]);
  });
}

export function questionOf(job: Job, gone?: ReadonlySet<string>): Question {
  return { plan: job.index, match: stepsOf(job, gone), read: mustRead([job]) };
}

async function findPeople(
  { session, org }: Work,
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
    else known.push({ person: knownById(id), read: false, jobs: [job] });
  }
  const questions = asking.map((job) => questionOf(job, gone.get(job)));
  const answers = await lookUp(session, org, questions, properties);
  for (const [index, job] of asking.entries()) {
    const answer = answers[index];
    if (!answer) continue;
    const next = follow(job, decide(job.plan, answer, WORDING));
    if (next === 'create') unknown.push(job);
    else if (next)
      known.push({
        person: next.record,
        read: next.read,
        jobs: [job],
        ...(next.read ? { asked: new Set(properties) } : {}),
      });
  }
  return { known: joinById(known), unknown };
}
