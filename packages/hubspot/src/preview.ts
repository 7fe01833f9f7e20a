/** What `write` would do, told from reads alone. */
import type { Context, Preview } from '@wrapup/destination';
import {
  changeOf,
  giveOwners,
  type Job,
  lookUpAll,
  makeJob,
  type Previewer,
  previewJob,
  propertiesToRead,
} from '@wrapup/destination/delivery';
import type { Plan } from '@wrapup/mapping';
import { accountForReader } from './account/account.ts';
import type { Transport } from './client/transport.ts';
import { COMPANIES, findCompanies, keyedByDomain } from './companies.ts';
import { nameDispositions } from './dispositions.ts';
import { IDENTIFYING, toRecord } from './find.ts';
import { lookUp } from './look-up.ts';
import { keyProperty, WATERMARK } from './objects.ts';
import { ownerSource } from './owners.ts';
import { WORDING } from './people.ts';
import { type CrmRecord, readMany } from './read-many.ts';
import { Session } from './session.ts';
import type { HubSpotSettings } from './settings.ts';
import { decideFields } from './write-modes.ts';

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
  await giveOwners(ctx, jobs, ownerSource(session));
  const properties = [...propertiesToRead(plans, WATERMARK), ...IDENTIFYING];
  const answerOf = await lookUpAll(ctx, jobs, (questions) => lookUp(session, questions, properties));
  await nameDispositions(session, jobs, { drop: settings.on_refused_field === 'drop', weaker: false });
  const existing = await readExisting(session, jobs);
  const previewer: Previewer<CrmRecord> = {
    wording: WORDING,
    watermark: WATERMARK,
    objectOf: () => 'contacts',
    existing: (record) => existing.get(`${record.object} ${keyedByDomain(record).key}`),
    changes: (_object, fields, current, call) => decideFields(fields, current, call).map(changeOf),
    toRecord: (contact) => toRecord(contact, account),
    wayOf: ({ by }) => by,
    estimate,
  };
  const previews: Preview[] = [];
  for (const job of jobs) previews.push(await previewJob(ctx, job, answerOf(job), previewer));
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
    const properties = [...new Set(all.flatMap(({ fields }) => fields.map(({ name }) => name)))];
    const keys = all.map((record) => record.key);
    const reading = await readMany(session, object, keys, properties, () => [], keyProperty(object));
    const failure = [...reading.failed.values()][0];
    // An account that has no key property yet has none of our records either.
    if (failure && failure.code !== 'missing_property') throw failure;
    for (const [key, record] of reading.found) existing.set(`${object} ${key}`, record);
  }
  return existing;
}

/** One request for each object that is written, and those for links and for what is there already. */
function estimate(job: Job, records: Preview['records']): number {
  let requests = 0;
  for (const record of records) {
    if (record.did === 'update' && record.name === 'person' && !record.fields.some((field) => field.applies)) continue;
    if (record.object === COMPANIES) {
      // Looked for by its domain; what is there is updated where a field applies, and linked apart.
      requests += record.did === 'create' || !record.fields.some((field) => field.applies) ? 2 : 3;
      continue;
    }
    requests += 1;
    // A log that exists is found out by a refused creation, then upserted and linked.
    if (record.did === 'update' && record.name !== 'person') requests += job.log_only ? 1 : 2;
  }
  return requests;
}
