/**
 * Addresses that were only said: what they are good for on the way from plans to written records.
 *
 *   given    the line, the customer's own list or our own look-up vouches for it: it finds, creates and is written
 *   said     it finds a person who then gets the call log and the tasks, marked, and nothing else (`limitToSaid`); it
 *            creates a person whom the CRM does not know; it never makes a record that exists the caller's own
 *
 * A CRM that refuses a new person because a record holds one of the values has found a person, too: by which value decides.
 */
import { limitToSaid, type MatchStep, type Plan } from '@wrapup/mapping';
import type { Context } from '../context.ts';
import type { Job } from './job.ts';
import { recallMade, wasIssued } from './remembered.ts';

const NAMES: Record<MatchStep['by'], string> = { id: 'id', email: 'e-mail address', phone: 'number' };

/** Whether the key that a new person gets is made of something that was only said. */
export function isKeySaid({ person }: Plan): boolean {
  const { phone, email, said = [] } = person?.fallback ?? {};
  return (
    said.length > 0 &&
    (phone === undefined || said.includes('phone')) &&
    (email === undefined || said.includes('email'))
  );
}

/**
 * Settles which of the ids that a call claims may be looked for: those that our own look-up did not give for its number
 * are none. @throws what memory throws
 */
export async function settleClaim(ctx: Pick<Context, 'memory'>, job: Job): Promise<void> {
  const { person } = job.plan;
  if (!person?.match.some((step) => step.by === 'id' && step.issued_to !== undefined)) return;
  const match: MatchStep[] = [];
  for (const step of person.match)
    if (step.by !== 'id' || step.issued_to === undefined) match.push(step);
    else if (await wasIssued(ctx, step.issued_to, step.value)) match.push({ by: 'id', value: step.value });
  job.plan = { ...job.plan, person: { ...person, match } };
}

/** Leaves of the job what a person gets who was found only by what was said. @param by what it was; absent where the CRM does not say */
export function limitJob(job: Job, by?: MatchStep['by']): void {
  if (job.limited) return;
  job.limited = job.plan;
  job.plan = limitToSaid(job.plan);
  job.notes.push(
    `Found by an ${by ? NAMES[by] : 'address'} that was only said: the call log and the tasks are marked, nothing else was written. Where what is said may be trusted, the mapping says so: person: { said: match }.`.replace(
      'an number',
      'a number',
    ),
  );
}

/** Whether the person was created by this very call, in an earlier attempt: what was said then is its own. */
export async function isOwn(ctx: Context, { plan }: Job, id: string): Promise<boolean> {
  return (await recallMade(ctx, plan.key)) === id;
}

/**
 * What it means for a new person that a record holds one of its values already.
 * `same` it is that person · `limit` only what was said tells so · `without` write the person without that value
 */
export type Claim = 'same' | 'limit' | 'without';

/**
 * @param jobs of one new person
 * @param values those that may be meant: one where the CRM says which, else all that would be written
 */
export function judgeClaim(jobs: Job[], values: unknown[]): Claim {
  const claims = jobs.map((job) => claimOf(job, values));
  return claims.includes('without') ? 'without' : claims.includes('limit') ? 'limit' : 'same';
}

function claimOf({ plan }: Job, values: unknown[]): Claim {
  const { person } = plan;
  if (!person || person.said === 'match') return 'same';
  const doubtful = values.some((value) => (value === person.key ? isKeySaid(plan) : isUnproved(plan, value)));
  if (!doubtful) return 'same';
  return person.said === 'ignore' ? 'without' : 'limit';
}

/** An address or a number that was only said. */
function isUnproved({ person }: Plan, value: unknown): boolean {
  if (typeof value !== 'string' || !person) return false;
  const { fallback, said_values = [] } = person;
  const said = [...(fallback.said ?? []).map((by) => fallback[by]), ...said_values];
  const text = value.trim().toLowerCase();
  return said.some((one) => one?.trim().toLowerCase() === text);
}

/** Takes what was only said out of what would be written of a new person, and notes it. */
export function dropUnproved(jobs: Job[]): void {
  for (const job of jobs) {
    const { plan } = job;
    if (!plan.person) continue;
    const { said_values: _, ...person } = plan.person;
    const dropped = person.fields.filter(({ value }) => isUnproved(plan, value));
    for (const { name } of dropped)
      job.notes.push(`person.${name} was left out: another record holds it, and it was only said.`);
    const { said = [], ...fallback } = person.fallback;
    const kept = { ...fallback };
    for (const by of said) delete kept[by];
    job.plan = {
      ...plan,
      person: { ...person, fields: person.fields.filter((field) => !dropped.includes(field)), fallback: kept },
    };
  }
}
