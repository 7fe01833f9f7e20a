/** What `write` would do, told from reads alone. */
import { type Context, Failure, type Preview } from '@wrapup/destination';
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
import type { Item, PlanWrite, Reading } from '@wrapup/destination/engine';
import type { Plan } from '@wrapup/mapping';
import { accountForReader } from './account/account.ts';
import type { CrmRecord } from './client/batch-read.ts';
import type { Transport } from './client/transport.ts';
import { IDENTIFYING, toRecord } from './find.ts';
import { keyLadder } from './keys/key-ladder.ts';
import { lookUp } from './look-up.ts';
import { WATERMARK } from './objects.ts';
import { WORDING } from './people.ts';
import { companyKey, findCompanies } from './records/companies.ts';
import { resolveDispositions } from './records/dispositions.ts';
import { ownerSource } from './records/owners.ts';
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
  const drops = settings.on_refused_field === 'drop';
  const { writes } = await resolveDispositions(session, jobs.map(writeOf), drops);
  for (const { index, plan } of writes) if (jobs[index]) jobs[index].plan = plan;
  const existing = await readExisting(session, writes);
  const previewer: Previewer<CrmRecord> = {
    wording: WORDING,
    watermark: WATERMARK,
    objectOf: () => 'contacts',
    existing: (record) => existing.get(`${record.object} ${companyKey(record) ?? record.key}`),
    changes: (_object, fields, current, call) => decideFields(fields, current, call).map(changeOf),
    toRecord: (contact) => toRecord(contact, account),
    wayOf: ({ by }) => by,
    estimate,
  };
  const previews: Preview[] = [];
  for (const job of jobs) previews.push(await previewJob(ctx, job, answerOf(job), previewer));
  return previews;
}

function writeOf({ index, plan, ended_at, log_only }: Job): PlanWrite {
  return { index, plan, ended_at, log_only };
}

/** Our own records that are there already, by object and key. */
async function readExisting(session: Session, writes: PlanWrite[]): Promise<Map<string, CrmRecord>> {
  const items = writes.flatMap((write) => write.plan.records.map((record): Item => ({ write, record, targets: [] })));
  const existing = new Map<string, CrmRecord>();
  const isCompany = ({ record }: Item) => companyKey(record) !== undefined;
  const note = (item: Item, reading: Reading | undefined) => {
    // An account that has no key property yet has none of our records either.
    if (reading instanceof Failure && reading.code !== 'missing_property') throw reading;
    if (reading && reading !== 'absent' && !(reading instanceof Failure))
      existing.set(`${item.record.object} ${companyKey(item.record) ?? item.record.key}`, reading as CrmRecord);
  };
  const companies = items.filter(isCompany);
  for (const [item, reading] of await findCompanies(session, companies)) note(item, reading);
  const strategy = await keyLadder(session, false).strategyFor('');
  for (const [item, reading] of await strategy.read(items.filter((item) => !isCompany(item)))) note(item, reading);
  return existing;
}

/** One request for each object that is written, and those for links and for what is there already. */
function estimate(job: Job, records: Preview['records']): number {
  let requests = 0;
  for (const record of records) {
    if (record.did === 'update' && record.name === 'person' && !record.fields.some((field) => field.applies)) continue;
    if (record.object === 'companies') {
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
