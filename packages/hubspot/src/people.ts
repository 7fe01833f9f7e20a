/** From the people of many plans to written contacts: look up together, apply each plan's policy, write each once. */
import { Failure } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { contactSteps, doneBefore, failJob, isUnsettled, type Job, settleJob, unsettleJob } from './job.ts';
import { joinById, type KnownPerson, writePeople } from './known-people.ts';
import { type Found, lookUp, type Question } from './look-up.ts';
import { createPeople } from './new-people.ts';
import type { NewPerson } from './new-person.ts';
import type { Account } from './objects.ts';
import { mustRead, propertiesToRead } from './person-patch.ts';
import type { CrmRecord } from './read-many.ts';
import { forgetPerson } from './remembered.ts';
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
    const decision = decide(job.plan, answer);
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

export type Decision =
  | { do: 'use'; record: CrmRecord; read: boolean }
  | { do: 'create' }
  | { do: 'log_only' | 'skip'; note: string }
  | { do: 'fail'; failure: Failure };

/** What the plan's policy makes of an answer. */
export function decide({ person }: Plan, answer: Found): Decision {
  if (!person) return { do: 'log_only', note: 'The mapping has no person.' };
  if (answer.found === 'failed') return { do: 'fail', failure: answer.failure };
  if (answer.found === 'one') return { do: 'use', record: answer.record, read: answer.read };
  if (answer.found === 'many') {
    const chosen = person.ambiguous === 'oldest' ? answer.records[0] : answer.records.at(-1);
    if (person.ambiguous !== 'park' && chosen) return { do: 'use', record: chosen, read: answer.read };
    const candidates = answer.records.map((record) => record.id);
    return {
      do: 'fail',
      failure: new Failure('ambiguous_person', `${candidates.length} contacts have the caller’s ${answer.by}.`, {
        candidates,
        hint: 'Merge them in HubSpot, or set person.ambiguous to most_recent or oldest in the mapping; then replay.',
      }),
    };
  }
  if (person.unmatched === 'park')
    return {
      do: 'fail',
      failure: new Failure('unmatched_person', 'No contact has the caller’s number or address.', {
        hint: 'Create the contact in HubSpot, or change person.unmatched in the mapping; then replay.',
      }),
    };
  if (person.unmatched === 'create') {
    if (person.key !== null) return { do: 'create' };
    return { do: 'log_only', note: 'The call has no usable number or e-mail address: logged without a contact.' };
  }
  return person.unmatched === 'skip'
    ? { do: 'skip', note: 'Skipped: no contact was found, and the mapping skips such calls.' }
    : { do: 'log_only', note: 'No contact was found: logged without one, as the mapping says.' };
}

/** Jobs that share a number, an address or a key are one person. The key is that of the earliest call. */
export function groupUnknown(jobs: Job[]): NewPerson[] {
  const groups: { names: Set<string>; jobs: Job[] }[] = [];
  for (const job of jobs) {
    const names = new Set(contactSteps(job).map((step) => `${step.by}:${step.value.toLowerCase()}`));
    names.add(job.plan.person?.key ?? '');
    const same = groups.filter((group) => [...names].some((name) => group.names.has(name)));
    const merged = {
      names: new Set([...names, ...same.flatMap((group) => [...group.names])]),
      jobs: [...same.flatMap((group) => group.jobs), job].sort((a, b) => a.ended_at - b.ended_at || a.index - b.index),
    };
    for (const group of same) groups.splice(groups.indexOf(group), 1);
    groups.push(merged);
  }
  return groups.map((group) => ({ key: keyOf(group.jobs), jobs: group.jobs }));
}

/** A key made of a number is preferred: later calls bring the number more often than the address. */
function keyOf(jobs: Job[]): string {
  const byPhone = jobs.find((job) => job.plan.person?.match.some((step) => step.by === 'phone'));
  return (byPhone ?? jobs[0])?.plan.person?.key ?? '';
}
