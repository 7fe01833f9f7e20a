/** From the people of many plans to written contacts: look up together, apply each plan's policy, write each once. */

import { Failure } from '@wrapup/destination';
import {
  contactSteps,
  decide,
  doneBefore,
  failJob,
  forgetPerson,
  groupUnknown,
  isUnsettled,
  type Job,
  settleJob,
  unsettleJob,
  type Wording,
} from '@wrapup/destination/delivery';
import { joinById, type KnownPerson, writePeople } from './known-people.ts';
import { lookUp, type Question } from './look-up.ts';
import { createPeople } from './new-people.ts';
import type { Account } from './objects.ts';
import { mustRead, propertiesToRead } from './person-patch.ts';
import type { RowPolicy } from './rows.ts';
import type { Session } from './session.ts';

/**
 * Finds, creates and updates the people of all jobs. Afterwards every job has its `person`, is `log_only`, has ended, or
 * has no person by its mapping. Never rejects.
 */
export async function writeAllPeople(
  session: Session,
  jobs: Job[],
  policy: RowPolicy,
  account: Account | undefined,
): Promise<void> {
  const properties = propertiesToRead(jobs.map((job) => job.plan));
  let open = jobs.filter((job) => job.plan.person !== null && !job.outcome);
  const gone = new Map<Job, Set<string>>();
  // The second round is for contacts that vanished between look-up and write: they are looked up once more.
  for (let round = 0; round < 2 && open.length > 0; round += 1) {
    const { known, unknown } = await findPeople(session, open, properties, gone);
    const created = await createPeople(session, groupUnknown(unknown), policy);
    const vanished = await writePeople(session, [...known, ...created], policy, account);
    open = [];
    for (const person of vanished) {
      for (const job of person.jobs) {
        unsettleJob(job);
        job.person_done = false;
        gone.set(job, new Set([...(gone.get(job) ?? []), person.id]));
        for (const step of contactSteps(job)) await forgetPerson(session.ctx, step).catch(() => {});
        open.push(job);
      }
    }
  }
  for (const job of open)
    failJob(job, new Failure('gone', 'The contact was deleted or merged while it was being written.'), 'person');
}

/** How people are called in HubSpot, for what is said of them. */
export const WORDING: Wording = { crm: 'HubSpot', person: 'contact', people: 'contacts' };

export function questionOf(job: Job, gone: ReadonlySet<string> = new Set()): Question {
  const id = doneBefore(job, 'person');
  const match = job.plan.person?.match ?? [];
  const steps = id === undefined ? match : [{ by: 'id' as const, value: id }, ...match];
  return {
    plan: job.index,
    match: steps.filter((step) => step.by !== 'id' || !gone.has(step.value)),
    read: mustRead([job]),
  };
}

/** An earlier attempt has written the person, and nothing of it is needed now. */
function isSettledBefore(job: Job, gone: ReadonlySet<string> = new Set()): boolean {
  const id = doneBefore(job, 'person');
  return id !== undefined && !gone.has(id) && !isUnsettled(job);
}

async function findPeople(
  session: Session,
  jobs: Job[],
  properties: string[],
  gone: Map<Job, Set<string>>,
): Promise<{ known: KnownPerson[]; unknown: Job[] }> {
  const known: KnownPerson[] = [];
  const unknown: Job[] = [];
  for (const job of jobs.filter((candidate) => isSettledBefore(candidate, gone.get(candidate)))) {
    job.person_done = true;
    known.push({ id: doneBefore(job, 'person') ?? '', jobs: [job] });
  }
  const asked = jobs.filter((job) => !job.person_done);
  const questions = asked.map((job) => questionOf(job, gone.get(job)));
  const answers = await lookUp(session, questions, properties);
  asked.forEach((job, index) => {
    const answer = answers[index];
    if (!answer) return;
    const decision = decide(job.plan, answer, WORDING);
    if (decision.do === 'use') {
      const { record, read } = decision;
      job.person_done = record.id === doneBefore(job, 'person');
      if (read) settleJob(job, record.properties);
      known.push({
        id: record.id,
        jobs: [job],
        ...(read ? { current: record.properties, read: new Set(properties) } : {}),
      });
    } else if (decision.do === 'fail') failJob(job, decision.failure, 'person');
    else if (decision.do === 'create') unknown.push(job);
    else if (decision.do === 'skip') {
      job.outcome = { ok: true, receipt: { records: [], requests: 0, notes: [decision.note] } };
    } else {
      settleJob(job, {});
      job.log_only = true;
      job.notes.push(decision.note);
    }
  });
  return { known: joinById(known), unknown };
}
