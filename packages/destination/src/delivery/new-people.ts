/** People whom nobody knows yet: what keeps two deliveries from creating one of them at the same moment. */
import type { Context, Held } from '../context.ts';
import { Failure } from '../failure.ts';
import { contactSteps, failJobs, type Job, unsettleJob } from './job.ts';
import type { KnownPerson, Person } from './known-person.ts';
import { latestOf } from './person-fields.ts';
import type { NewPerson } from './person-policy.ts';
import {
  LEASED,
  personLeases,
  recallPerson,
  rememberMade,
  rememberPerson,
  rememberWatermark,
  wasStarted,
} from './remembered.ts';
import { type Claim, isKeySaid, limitJob } from './said.ts';

/** Ms after which a person that somebody else is creating is tried again. */
const BUSY = 1000;

/**
 * Gives `create` the people whom no other delivery is creating at this moment; the jobs of the others end as `busy`. The
 * leases save requests; that nobody is created twice is the unique key's guarantee.
 */
export async function withLeases(
  ctx: Context,
  people: NewPerson[],
  create: (mine: NewPerson[]) => Promise<void>,
): Promise<void> {
  const leases: Held[] = [];
  try {
    const mine: NewPerson[] = [];
    for (const person of people) {
      const held = await takeLease(ctx, person);
      if (!held) continue;
      leases.push(held);
      mine.push(person);
    }
    await create(mine);
  } finally {
    // A lease that cannot be given back falls free by itself.
    for (const held of leases) await held.release().catch(() => {});
  }
}

async function takeLease(ctx: Context, { key, jobs }: NewPerson): Promise<Held | undefined> {
  try {
    const held = await ctx.lease.take(personLeases(key, jobs.flatMap(contactSteps)), LEASED);
    if (held) return held;
    throw new Failure('busy', 'Another delivery is creating the same person at this moment.', {
      retry_after: BUSY,
      hint: 'Nothing to do: the delivery goes on by itself.',
    });
  } catch (thrown) {
    failJobs(jobs, Failure.of(thrown), 'person');
    return undefined;
  }
}

/**
 * What is known of them without asking the CRM: who was written of late, whose earlier creation may have come through, and
 * who is certainly new.
 * @param ask true for somebody who has to be asked for in any case
 */
export async function sortByMemory(
  ctx: Context,
  people: NewPerson[],
  ask: (person: NewPerson) => boolean = () => false,
): Promise<{ remembered: { person: NewPerson; id: string }[]; doubtful: NewPerson[]; unknown: NewPerson[] }> {
  const sorted = {
    remembered: [] as { person: NewPerson; id: string }[],
    doubtful: [] as NewPerson[],
    unknown: [] as NewPerson[],
  };
  for (const person of people) {
    try {
      const id = await recallAny(ctx, person.jobs);
      const tried = ask(person) || person.jobs.some((job) => job.plan.resume);
      if (id !== undefined) sorted.remembered.push({ person, id });
      else if (tried || (await wasStarted(ctx, person.key))) sorted.doubtful.push(person);
      else sorted.unknown.push(person);
    } catch (thrown) {
      failJobs(person.jobs, Failure.of(thrown), 'person');
    }
  }
  return sorted;
}

/** Id of somebody to whom one of the jobs' numbers or addresses was written of late. */
export async function recallAny(ctx: Context, jobs: Job[]): Promise<string | undefined> {
  for (const step of jobs.flatMap(contactSteps)) {
    const id = await recallPerson(ctx, step);
    if (id !== undefined) return id;
  }
  return undefined;
}

/**
 * A person who exists after all is written like any known one.
 * @param claim `limit` where nothing but what was said tells that it is the same person
 */
export function handBack<P extends Person>(
  { jobs }: NewPerson,
  found: Omit<KnownPerson<P>, 'jobs'>,
  known: KnownPerson<P>[],
  claim: Claim = 'same',
): void {
  for (const job of jobs) {
    unsettleJob(job);
    if (claim === 'limit') limitJob(job);
  }
  known.push({ ...found, jobs });
}

/**
 * Search will not show somebody new for a while.
 * @param watermark the property for when the last call ended; remembered when `values`, what was written, lack it
 */
export async function rememberNew(
  ctx: Context,
  { jobs }: NewPerson,
  id: string,
  values: Record<string, unknown>,
  watermark: string,
): Promise<void> {
  try {
    await rememberPerson(ctx, jobs.flatMap(contactSteps), id);
    for (const { plan } of jobs) if (isKeySaid(plan)) await rememberMade(ctx, plan.key, id);
    const latest = latestOf(jobs);
    if (latest !== undefined && !(watermark in values))
      await rememberWatermark(ctx, id, new Date(latest).toISOString());
  } catch (thrown) {
    // The person exists and its key finds it; only the short cut is lost.
    ctx.log.warn({ error: Failure.of(thrown).message }, 'a new person could not be remembered');
  }
}
