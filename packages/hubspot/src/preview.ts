/** What `write` would do, told from reads alone. */
import type { Context, FieldChange, Preview } from '@wrapup/destination';
import {
  type Decision,
  decide,
  doneBefore,
  type Job,
  makeJob,
  recallWatermark,
  settleJob,
  transcriptName,
  wantedRecords,
} from '@wrapup/destination/delivery';
import type { FieldWrite, Plan, RecordPlan } from '@wrapup/mapping';
import { accountForReader } from './account.ts';
import { COMPANIES, findCompanies, keyedByDomain } from './companies.ts';
import { nameDispositions } from './dispositions.ts';
import { IDENTIFYING, toAnswer } from './find.ts';
import { type Found, lookUp } from './look-up.ts';
import { type Account, keyProperty, WATERMARK } from './objects.ts';
import { giveOwners } from './owners.ts';
import { questionOf, WORDING } from './people.ts';
import { mustRead, propertiesToRead } from './person-patch.ts';
import { type CrmRecord, readMany } from './read-many.ts';
import { Session } from './session.ts';
import type { HubSpotSettings } from './settings.ts';
import { TRANSCRIPT_ID, TRANSCRIPTS } from './transcript-api.ts';
import type { Transport } from './transport.ts';
import { decideFields, type Properties, readTime } from './write-modes.ts';

/** @throws the failure of a look-up that failed */
export async function previewPlans(
  transport: Transport,
  settings: HubSpotSettings,
  plans: Plan[],
  ctx: Context,
): Promise<Preview[]> {
  const session = new Session(transport, ctx);
  const account = await accountForReader(session, settings);
  const jobs = plans.map(makeJob);
  await giveOwners(session, jobs);
  const withPerson = jobs.filter((job) => job.plan.person !== null);
  const questions = withPerson.map((job) => ({ ...questionOf(job), read: true }));
  const answers = await lookUp(session, questions, [...propertiesToRead(plans), ...IDENTIFYING]);
  const found = new Map(withPerson.map((job, index) => [job, answers[index] ?? { found: 'none' as const }]));
  await nameDispositions(session, jobs, { drop: settings.on_refused_field === 'drop', weaker: false });
  const existing = await readExisting(session, jobs);
  const previews: Preview[] = [];
  for (const job of jobs)
    previews.push(await previewJob(session, job, found.get(job) ?? { found: 'none' }, existing, account));
  return previews;
}

/** Our own records that are there already, by object and key. */
async function readExisting(session: Session, jobs: Job[]): Promise<Map<string, CrmRecord>> {
  const records = jobs.flatMap((job) => job.plan.records);
  const existing = new Map<string, CrmRecord>();
  const companies = await findCompanies(
    session,
    records.filter(({ object }) => object === COMPANIES),
    () => [],
  );
  for (const failure of companies.failed.values()) throw failure;
  for (const [domain, record] of companies.found) existing.set(`${COMPANIES} company:${domain}`, record);
  for (const [object, all] of Map.groupBy(records, (record) => record.object)) {
    if (object === COMPANIES) continue;
    const properties = [...new Set(all.flatMap(propertiesOf))];
    const keys = all.map((record) => record.key);
    const reading = await readMany(session, object, keys, properties, () => [], keyProperty(object));
    const failure = [...reading.failed.values()][0];
    // An account that has no key property yet has none of our records either.
    if (failure && failure.code !== 'missing_property') throw failure;
    for (const [key, record] of reading.found) existing.set(`${object} ${key}`, record);
  }
  return existing;
}

function propertiesOf({ fields, transcript }: RecordPlan): string[] {
  return [...fields.map(({ name }) => name), ...(transcript ? [TRANSCRIPT_ID] : [])];
}

/** The transcript that a record would be given; none where it has one already. */
function previewTranscript(record: RecordPlan, there: CrmRecord | undefined): Preview['records'] {
  const { transcript } = record;
  if (!transcript || there?.properties[TRANSCRIPT_ID]) return [];
  const field = (name: string, to: string | number): FieldChange => ({
    field: name,
    from: undefined,
    to,
    write: 'overwrite',
    applies: true,
    at: transcript.at,
  });
  const fields = [field('utterances', transcript.utterances.length), field('times', transcript.times)];
  return [{ name: transcriptName(record), object: TRANSCRIPTS, did: 'create', fields }];
}

async function previewJob(
  session: Session,
  job: Job,
  answer: Found,
  existing: Map<string, CrmRecord>,
  account: Account | undefined,
): Promise<Preview> {
  const decision = decide(job.plan, answer, WORDING);
  const person = decision.do === 'use' ? decision.record : undefined;
  settleJob(job, person?.properties ?? {});
  job.log_only = decision.do === 'log_only' && job.plan.person !== null;
  const call = { key: job.plan.key, ended_at: job.ended_at };
  const records: Preview['records'] = [];
  if (decision.do === 'use' || decision.do === 'create') {
    const watermark = person && (await watermarkOf(session, person));
    const fields = changes(job.plan.person?.fields ?? [], person?.properties, { ...call, watermark });
    records.push({
      name: 'person',
      object: 'contacts',
      did: person ? 'update' : 'create',
      fields,
      ...(person ? { id: person.id } : {}),
    });
  }
  if (decision.do !== 'skip' && decision.do !== 'fail') {
    for (const record of wantedRecords(job)) {
      const there = existing.get(`${record.object} ${keyedByDomain(record).key}`);
      const fields = record.fields.map(
        (field): FieldWrite => (field.write === 'if_newer' ? { ...field, write: 'overwrite' } : field),
      );
      records.push({
        name: record.name,
        object: record.object,
        did: there ? 'update' : 'create',
        fields: changes(fields, there?.properties, { ...call, watermark: undefined }),
        ...(there ? { id: there.id } : {}),
      });
      records.push(...previewTranscript(record, there));
    }
  }
  return {
    person: toAnswer(answer, account),
    decision: NAMES[decision.do],
    ...(decision.do === 'fail' && decision.failure.hint ? { hint: decision.failure.hint } : {}),
    records,
    left_out: job.plan.left_out.map(({ field, reason, at }) => ({ field, reason, at })),
    requests: estimate(job, answer, decision, records),
  };
}

const NAMES = {
  use: 'use',
  create: 'create',
  log_only: 'log_only',
  skip: 'skip',
  fail: 'park',
} as const satisfies Record<Decision<CrmRecord>['do'], Preview['decision']>;

async function watermarkOf(session: Session, person: CrmRecord): Promise<number | undefined> {
  return readTime(person.properties[WATERMARK]) ?? readTime(await recallWatermark(session.ctx, person.id));
}

function changes(
  fields: FieldWrite[],
  current: Properties | undefined,
  call: { key: string; ended_at: number; watermark: number | undefined },
): FieldChange[] {
  return decideFields(fields, current, call).map(({ field, from, to, applies, why }) => ({
    field: field.name,
    from,
    to,
    write: field.write,
    applies,
    at: field.at,
    ...(why ? { why } : {}),
  }));
}

/** Whether the record that carries a transcript was there. */
function isUpdated(records: Preview['records'], transcript: string): boolean {
  return records.some(({ name, did }) => did === 'update' && transcriptName({ name }) === transcript);
}

/** Requests that `write` would spend on this plan alone: its look-ups, and one for each object that it writes. */
function estimate(job: Job, answer: Found, decision: Decision<CrmRecord>, records: Preview['records']): number {
  const match = job.plan.person?.match ?? [];
  const until =
    answer.found === 'one' || answer.found === 'many'
      ? match.findIndex((step) => step.by === answer.by) + 1
      : match.length;
  const asked = new Set(match.slice(0, until).map((step) => step.by));
  let requests = [...asked].length;
  if (decision.do === 'fail' || decision.do === 'skip') return requests;
  const remembered = answer.found === 'one' && doneBefore(job, 'person') !== undefined && !mustRead([job]);
  if (remembered) requests -= 1;
  for (const record of records) {
    if (record.did === 'update' && record.name === 'person' && !record.fields.some((field) => field.applies)) continue;
    if (record.object === COMPANIES) {
      // Looked for by its domain; what is there is updated where a field applies, and linked apart.
      requests += record.did === 'create' || !record.fields.some((field) => field.applies) ? 2 : 3;
      continue;
    }
    requests += 1;
    // A call that was there is asked first whether it has one.
    if (record.object === TRANSCRIPTS && isUpdated(records, record.name)) requests += 1;
    // A log that exists is found out by a refused creation, then upserted and linked.
    if (record.did === 'update' && record.name !== 'person') requests += job.log_only ? 1 : 2;
  }
  return requests;
}
