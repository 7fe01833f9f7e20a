/** What `write` would do, told from reads alone. */
import { type Context, Failure, type FieldChange, type Preview } from '@wrapup/destination';
import {
  type Decision,
  decide,
  doneBefore,
  type Job,
  makeJob,
  recallWatermark,
  settleJob,
  wantedRecords,
} from '@wrapup/destination/delivery';
import type { FieldWrite, Plan } from '@wrapup/mapping';
import type { Person } from './candidates.ts';
import { fitFields } from './fields.ts';
import { IDENTIFYING, toAnswer } from './find.ts';
import { type Found, lookUp } from './look-up.ts';
import { WATERMARK } from './objects.ts';
import { giveOwners } from './owners.ts';
import { questionOf, WORDING } from './people.ts';
import { createdAs, mustRead, propertiesToRead } from './person-patch.ts';
import { type Reading, readRecords } from './read-records.ts';
import type { Org, SObject } from './schema.ts';
import { orgUrl, Session } from './session.ts';
import type { SalesforceSettings } from './settings.ts';
import type { Transport } from './transport.ts';
import { readTime } from './values.ts';
import { readOrgFor } from './write.ts';
import { decideFields, type Properties, withoutNewer } from './write-modes.ts';

interface Looking {
  session: Session;
  org: Org;
  org_url: string | undefined;
}

/** @throws the failure of a look-up that failed */
export async function previewPlans(
  transport: Transport,
  settings: SalesforceSettings,
  plans: Plan[],
  ctx: Context,
): Promise<Preview[]> {
  const session = new Session(transport, ctx);
  const jobs = plans.map(makeJob);
  const org = await readOrgFor(session, jobs);
  await giveOwners(session, jobs);
  const withPerson = jobs.filter((job) => job.plan.person !== null);
  const questions = withPerson.map((job) => ({ ...questionOf(job), read: true }));
  const answers = await lookUp(session, org, questions, [...propertiesToRead(plans), ...IDENTIFYING]);
  const found = new Map(withPerson.map((job, index) => [job, answers[index] ?? { found: 'none' as const }]));
  const looking = { session, org, org_url: await orgUrl(transport, settings, ctx) };
  const there = await readExisting(looking, jobs);
  const previews: Preview[] = [];
  for (const job of jobs) previews.push(await previewJob(looking, job, found.get(job) ?? { found: 'none' }, there));
  return previews;
}

/** Our own records that are there already, by object and key. @throws the failure of a look-up that failed */
async function readExisting(looking: Looking, jobs: Job[]): Promise<Map<string, Reading>> {
  const items = jobs.flatMap((job) => job.plan.records.map((record) => ({ job, record, targets: [] })));
  const there = new Map<string, Reading>();
  for (const [{ record }, reading] of await readRecords(looking, items)) {
    if (reading instanceof Failure) throw reading;
    there.set(`${record.object} ${record.key}`, reading);
  }
  return there;
}

async function previewJob(looking: Looking, job: Job, answer: Found, there: Map<string, Reading>): Promise<Preview> {
  const decision = decide(job.plan, answer, WORDING);
  const person = decision.do === 'use' ? decision.record : undefined;
  settleJob(job, person?.properties ?? {});
  job.log_only = decision.do === 'log_only' && job.plan.person !== null;
  const call = { key: job.plan.key, ended_at: job.ended_at };
  const records: Preview['records'] = [];
  if (decision.do === 'use' || decision.do === 'create') {
    const name = person?.object ?? createdAs([job]);
    const watermark = person && (await watermarkOf(looking, person));
    const fields = changes(looking.org, name, job.plan.person?.fields ?? [], person?.properties, {
      ...call,
      watermark,
    });
    records.push({
      name: 'person',
      object: name,
      did: person ? 'update' : 'create',
      fields,
      ...(person ? { id: person.id } : {}),
    });
  }
  if (decision.do !== 'skip' && decision.do !== 'fail')
    for (const record of wantedRecords(job)) {
      const reading = there.get(`${record.object} ${record.key}`);
      const found = reading === 'absent' ? undefined : reading;
      records.push({
        name: record.name,
        object: record.object,
        did: found ? 'update' : 'create',
        fields: changes(looking.org, record.object, withoutNewer(record.fields), found?.current, {
          ...call,
          watermark: undefined,
        }),
        ...(found ? { id: found.id } : {}),
      });
    }
  return {
    person: toAnswer(answer, looking.org_url),
    decision: NAMES[decision.do],
    ...(decision.do === 'fail' && decision.failure.hint ? { hint: decision.failure.hint } : {}),
    records,
    left_out: job.plan.left_out.map(({ field, reason }) => ({ field, reason })),
    requests: estimate(job, answer, decision, records),
  };
}

const NAMES = {
  use: 'use',
  create: 'create',
  log_only: 'log_only',
  skip: 'skip',
  fail: 'park',
} as const satisfies Record<Decision<Person>['do'], Preview['decision']>;

async function watermarkOf({ session }: Looking, person: Person): Promise<number | undefined> {
  return readTime(person.properties[WATERMARK]) ?? readTime(await recallWatermark(session.ctx, person.id));
}

function changes(
  org: Org,
  object: string,
  fields: FieldWrite[],
  current: Properties | undefined,
  call: { key: string; ended_at: number; watermark: number | undefined },
): FieldChange[] {
  const known = org.object(object);
  if (!known) return [];
  return fields.flatMap((field) => changeOf(org, known, field, current, call));
}

function changeOf(
  org: Org,
  object: SObject,
  field: FieldWrite,
  current: Properties | undefined,
  call: { key: string; ended_at: number; watermark: number | undefined },
): FieldChange[] {
  const fitted = fitFields(object, [field], {
    verb: current ? 'update' : 'create',
    time_zone: org.time_zone,
    drop: true,
  });
  const { name, write, at, value } = field;
  const from = current?.[name] ?? undefined;
  const [left] = fitted.dropped;
  if (left) return [{ field: name, from, to: value, write, applies: false, why: left.failure.message, at }];
  return decideFields(object, fitted.fields, current, call).map(({ to, applies, why }) => ({
    field: name,
    from,
    to,
    write,
    applies,
    at,
    ...(why ? { why } : {}),
  }));
}

/** Requests that `write` would spend on this plan alone: its look-ups, the person, and one for each wave of records. */
function estimate(job: Job, answer: Found, decision: Decision<Person>, records: Preview['records']): number {
  const match = job.plan.person?.match ?? [];
  const until =
    answer.found === 'one' || answer.found === 'many'
      ? match.findIndex((step) => step.by === answer.by) + 1
      : match.length;
  const ways = new Set(match.slice(0, until).map((step) => (step.by === 'phone' ? 'search' : 'query')));
  let requests = ways.size;
  if (decision.do === 'fail' || decision.do === 'skip') return requests;
  const remembered = answer.found === 'one' && doneBefore(job, 'person') !== undefined && !mustRead([job]);
  if (remembered) requests -= 1;
  const [person, ...rest] = records[0]?.name === 'person' ? records : [undefined, ...records];
  if (person && (person.did === 'create' || person.fields.some((field) => field.applies))) requests += 1;
  const waves = 1 + Math.max(0, ...rest.map((record) => depthOf(job, record?.name ?? '')));
  if (rest.length > 0) requests += waves;
  // What is there already is found out by a refused creation, then read and updated.
  if (rest.some((record) => record?.did === 'update')) requests += 2;
  return requests;
}

/** How many records have to be there before this one. */
function depthOf(job: Job, name: string, seen: ReadonlySet<string> = new Set()): number {
  const others = job.plan.records.find((record) => record.name === name)?.associate ?? [];
  const depths = others
    .filter((other) => other !== 'person' && !seen.has(other))
    .map((other) => 1 + depthOf(job, other, new Set([...seen, other])));
  return Math.max(0, ...depths);
}
