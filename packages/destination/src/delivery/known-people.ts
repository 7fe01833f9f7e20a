/**
 * Writes what calls say onto people who exist: one write a person, read first only where something depends on its values.
 *
 *   told      an id: of an earlier attempt, from memory, or named by the CRM
 *   read      -> plans are settled with its values, and may ask for more of them -> read once more
 *   written   -> `updated`; `unchanged` where there was nothing to write
 *   refused   -> the jobs that wrote the refused field end; what the others say is written once more
 *   gone      -> handed back, to be looked up once more
 */
import type { Context } from '../context.ts';
import type { RecordReceipt } from '../destination.ts';
import { Failure } from '../failure.ts';
import { readTime } from './field-decisions.ts';
import { contactSteps, failJobs, type Job, noteDropped, settleJob } from './job.ts';
import { joinById, type KnownPerson, type LostPerson, type PeopleWriter, type Person } from './known-person.ts';
import { latestOf, mustRead, propertiesToRead } from './person-fields.ts';
import { recallWatermark, rememberPerson, rememberWatermark } from './remembered.ts';

/** Rounds after the first are for those who shared a write with a job whose field was refused. */
const ROUNDS = 3;

/** Writes them, and returns those whose record turned out to be gone. Never rejects. */
export async function writeKnown<P extends Person, Row>(
  ctx: Context,
  people: KnownPerson<P>[],
  crm: PeopleWriter<P, Row>,
): Promise<LostPerson[]> {
  const gone: LostPerson[] = [];
  // Two ids may turn out to be one person when they are read: merged, or converted.
  let waiting = joinById(await readWhereNeeded(joinById(people), crm, gone));
  for (const known of waiting) settle(known);
  // A plan may write more properties once it knows the person: those are read as well.
  waiting = joinById(await readWhereNeeded(waiting, crm, gone));
  for (let round = 1; round <= ROUNDS && waiting.length > 0; round += 1) {
    const rows = new Map<Row, Writing<P>>();
    for (const known of waiting) await prepare(ctx, known, crm, rows);
    waiting = [];
    for (const [row, result] of await crm.send([...rows.keys()])) {
      const writing = rows.get(row);
      if (!writing) continue;
      for (const job of writing.known.jobs) noteDropped(job, 'person', result.dropped);
      if (result.ok) await conclude(ctx, writing, result.fields, result.id, crm);
      else if (result.failure.code === 'gone') gone.push(lost(writing.known));
      else waiting.push(...refuse(writing.known, row, result.failure, crm, round === ROUNDS));
    }
  }
  return gone;
}

/** Reads those who cannot be written without their values. */
async function readWhereNeeded<P extends Person>(
  people: KnownPerson<P>[],
  crm: Pick<PeopleWriter<P, never>, 'read' | 'watermark'>,
  gone: LostPerson[],
): Promise<KnownPerson<P>[]> {
  const unread = new Set(people.filter((known) => isUnread(known, crm.watermark)));
  if (unread.size === 0) return people;
  const names = [...new Set([...unread].flatMap((known) => neededOf(known, crm.watermark)))];
  const plansOf = (id: string) => [...unread].filter(({ person }) => person.id === id).flatMap(plansOfPerson);
  const { found, failed } = await crm.read(
    [...unread].map(({ person }) => person.id),
    names,
    plansOf,
  );
  return people.flatMap((known): KnownPerson<P>[] => {
    if (!unread.has(known)) return [known];
    const person = found.get(known.person.id);
    if (person) return [{ ...known, person, asked: new Set(names), verify: false }];
    const failure = failed.get(known.person.id);
    if (failure) failJobs(known.jobs, failure, 'person');
    else gone.push(lost(known));
    return [];
  });
}

function isUnread(known: KnownPerson, watermark: string): boolean {
  if (known.created) return false;
  if (known.verify) return true;
  if (!mustRead(known.jobs)) return false;
  return !known.asked || neededOf(known, watermark).some((name) => !known.asked?.has(name));
}

function neededOf({ jobs }: KnownPerson, watermark: string): string[] {
  return propertiesToRead(
    jobs.map((job) => job.plan),
    watermark,
  );
}

function plansOfPerson({ jobs }: KnownPerson): number[] {
  return jobs.map((job) => job.index);
}

function lost({ person, jobs }: KnownPerson): LostPerson {
  return { id: person.id, jobs };
}

/** Fills in what the mappings read of the person. A new one was written with what they say of somebody new. */
function settle({ person, asked, created, jobs }: KnownPerson): void {
  if (asked && !created) for (const job of jobs) settleJob(job, person.properties);
}

interface Writing<P extends Person> {
  known: KnownPerson<P>;
  /** Epoch ms of the latest call, when the person's watermark has to move to it. */
  latest: number | undefined;
}

/** Adds the person's row, or ends with that person when there is nothing to write. */
async function prepare<P extends Person, Row>(
  ctx: Context,
  known: KnownPerson<P>,
  crm: Pick<PeopleWriter<P, Row>, 'watermark' | 'rowOf' | 'receiptOf' | 'accountOf'>,
  rows: Map<Row, Writing<P>>,
): Promise<void> {
  const { person } = known;
  const jobs = known.jobs.filter((job) => !job.person_done && !job.outcome && !job.limited);
  try {
    const ends = known.created ? undefined : latestOf(jobs);
    const watermark = ends === undefined ? undefined : await watermarkOf(ctx, person, crm.watermark);
    const latest = ends === undefined || ends <= (watermark ?? 0) ? undefined : ends;
    const row = known.created || jobs.length === 0 ? undefined : crm.rowOf(person, jobs, watermark);
    if (row) {
      rows.set(row, { known, latest });
      return;
    }
    // Where the account has the property, a watermark that moves is itself something to write.
    if (latest !== undefined) await rememberWatermark(ctx, person.id, new Date(latest).toISOString());
    finish(known, known.created ? 'created' : 'unchanged', crm);
  } catch (thrown) {
    failJobs(known.jobs, Failure.of(thrown), 'person');
  }
}

/** Epoch ms when the last call ended that was written to the person: by its property, or by memory where it has none. */
export async function watermarkOf(ctx: Context, { id, properties }: Person, name: string): Promise<number | undefined> {
  return readTime(properties[name]) ?? readTime(await recallWatermark(ctx, id));
}

async function conclude<P extends Person, Row>(
  ctx: Context,
  { known, latest }: Writing<P>,
  values: Record<string, unknown>,
  answered: string,
  crm: PeopleWriter<P, Row>,
): Promise<void> {
  const id = crm.idOf(known.person, answered);
  try {
    if (crm.foundBy(known.person).some((name) => name in values))
      await rememberPerson(ctx, known.jobs.filter((job) => !job.limited).flatMap(contactSteps), id);
    if (latest !== undefined && !(crm.watermark in values))
      await rememberWatermark(ctx, id, new Date(latest).toISOString());
  } catch (thrown) {
    ctx.log.warn({ error: Failure.of(thrown).message }, 'a written person could not be remembered');
  }
  finish({ ...known, person: { ...known.person, id } }, 'updated', crm);
}

/** Ends the jobs whose fault it is. @returns who is left, to be written without them */
function refuse<P extends Person, Row>(
  known: KnownPerson<P>,
  row: Row,
  failure: Failure,
  crm: Pick<PeopleWriter<P, Row>, 'judge'>,
  last: boolean,
): KnownPerson<P>[] {
  const judged = crm.judge(known, row, failure);
  if (judged === 'again' && !last) return [known];
  const guilty = last ? known.jobs : guiltyJobs(known.jobs, failure);
  failJobs(guilty, judged === 'again' ? failure : judged, 'person');
  const jobs = known.jobs.filter((job) => !guilty.includes(job));
  return jobs.length > 0 ? [{ ...known, jobs }] : [];
}

/** Jobs that wrote the refused field; all of them when the refusal names none. */
function guiltyJobs(jobs: Job[], { details: { field } }: Failure): Job[] {
  if (field === undefined) return jobs;
  const guilty = jobs.filter((job) => job.plan.person?.fields.some(({ name }) => name === field));
  return guilty.length > 0 ? guilty : jobs;
}

function finish<P extends Person>(
  { person, jobs }: KnownPerson<P>,
  did: RecordReceipt['did'],
  crm: Pick<PeopleWriter<P, never>, 'receiptOf' | 'accountOf'>,
): void {
  const account = crm.accountOf?.(person);
  for (const job of jobs) {
    if (job.outcome) continue;
    job.person = person.id;
    delete job.account;
    if (account !== undefined) job.account = account;
    const mine = job.limited ? 'unchanged' : did;
    job.records.set('person', { name: 'person', id: person.id, did: mine, ...crm.receiptOf(person) });
  }
}
