/** What `write` would do, told from reads alone. */
import { type Context, Failure, type FieldChange, type Preview } from '@wrapup/destination';
import {
  type CallFacts,
  changeOf,
  giveOwners,
  type Job,
  lookUpAll,
  makeJob,
  type Previewer,
  type Properties,
  previewJob,
  propertiesToRead,
} from '@wrapup/destination/delivery';
import type { Existing, Item } from '@wrapup/destination/engine';
import type { FieldWrite, Plan } from '@wrapup/mapping';
import { fitFields } from './account/fields.ts';
import type { Org, SObject } from './account/schema.ts';
import type { Person } from './candidates.ts';
import type { Transport } from './client/transport.ts';
import { IDENTIFYING, toRecord } from './find.ts';
import { readByKey } from './keys/read-by-key.ts';
import { lookUp } from './look-up.ts';
import { WATERMARK } from './objects.ts';
import { WORDING } from './people.ts';
import { createdAs } from './person-patch.ts';
import { ownerSource } from './records/owners.ts';
import { orgUrl, Session } from './session.ts';
import type { SalesforceSettings } from './settings.ts';
import { readOrgFor } from './write.ts';
import { decideFields } from './write-modes.ts';

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
  await giveOwners(ctx, jobs, ownerSource(session));
  const properties = [...propertiesToRead(plans, WATERMARK), ...IDENTIFYING];
  const answerOf = await lookUpAll(ctx, jobs, (questions) => lookUp(session, org, questions, properties));
  const org_url = await orgUrl(transport, settings, ctx);
  const there = await readExisting(session, org, jobs);
  const previewer: Previewer<Person> = {
    wording: WORDING,
    watermark: WATERMARK,
    objectOf: (job, person) => person?.object ?? createdAs([job]),
    existing: ({ object, key }) => there.get(`${object} ${key}`),
    changes: (object, fields, current, call) => changes(org, org.object(object), fields, current, call),
    toRecord: (person) => toRecord(person, org_url),
    wayOf: ({ by }) => (by === 'phone' ? 'search' : 'query'),
    estimate,
  };
  const previews: Preview[] = [];
  for (const job of jobs) previews.push(await previewJob(ctx, job, answerOf(job), previewer));
  return previews;
}

/** Our own records that are there already, by object and key. @throws the failure of a look-up that failed */
async function readExisting(session: Session, org: Org, jobs: Job[]): Promise<Map<string, Existing>> {
  const items = jobs.flatMap(({ index, plan, ended_at, log_only }) =>
    plan.records.map((record): Item => ({ write: { index, plan, ended_at, log_only }, record, targets: [] })),
  );
  const there = new Map<string, Existing>();
  for (const [{ record }, reading] of await readByKey(session, org, items)) {
    if (reading instanceof Failure) throw reading;
    if (reading !== 'absent') there.set(`${record.object} ${record.key}`, reading);
  }
  return there;
}

/** Fields as the org takes them: what does not fit is told as what `write` would leave out. */
function changes(
  org: Org,
  object: SObject | undefined,
  fields: FieldWrite[],
  current: Properties | undefined,
  call: CallFacts,
): FieldChange[] {
  if (!object) return [];
  const verb = current ? 'update' : 'create';
  return fields.flatMap((field) => {
    const fitted = fitFields(object, [field], { verb, time_zone: org.time_zone, drop: true });
    const [left] = fitted.dropped;
    if (!left) return decideFields(object, fitted.fields, current, call).map(changeOf);
    const from = current?.[field.name] ?? undefined;
    return [changeOf({ field, from, to: field.value, applies: false, why: left.failure.message })];
  });
}

/** The person, and one request for each wave of records. */
function estimate(job: Job, records: Preview['records']): number {
  const [person, ...rest] = records[0]?.name === 'person' ? records : [undefined, ...records];
  let requests = person && (person.did === 'create' || person.fields.some((field) => field.applies)) ? 1 : 0;
  if (rest.length > 0) requests += 1 + Math.max(0, ...rest.map((record) => depthOf(job, record?.name ?? '')));
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
