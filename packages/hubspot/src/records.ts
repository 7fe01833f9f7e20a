/**
 * Writes call logs, tasks and the like, each once.
 *
 * A first attempt creates them in one batch an object, with key, trace id and links. Whatever is in doubt, a retry, a
 * lost answer, a success without a result, "already has that value", goes through upsert by the key and a link apart,
 * since upserts take no links; both can be repeated.
 */
import { Failure, type RecordReceipt } from '@wrapup/destination';
import { needsReading, type RecordPlan } from '@wrapup/mapping';
import type { Link } from './api.ts';
import type { HubSpotFailure } from './errors.ts';
import { noteFormer } from './former-links.ts';
import { doneBefore, failJob, type Job, noteDropped } from './job.ts';
import { type Linkable, linkAll, type Written } from './links.ts';
import { ACTIVITIES, type Account, keyProperty, linkType, recordUrl } from './objects.ts';
import { readMany } from './read-many.ts';
import { type Row, type RowPolicy, sendRows, type Verb } from './rows.ts';
import type { Session } from './session.ts';
import { decideFields, type Properties, toText } from './write-modes.ts';

interface Item extends Linkable {
  /** Why it goes through upsert. */
  doubt?: HubSpotFailure;
}

/** Writes the records of all jobs that have not ended. Never rejects. */
export async function writeRecords(
  session: Session,
  jobs: Job[],
  policy: RowPolicy,
  account: Account | undefined,
): Promise<void> {
  for (const job of jobs) noteResumed(job, account);
  await noteFormer(session, jobs);
  // Each wave writes what depends only on records that are written already.
  for (;;) {
    const ready = jobs.filter((job) => !job.outcome).flatMap((job) => nextItems(job));
    if (ready.length === 0) break;
    for (const items of byObject(firstOfEachKey(ready)).values()) {
      // What another record of the same call ran into ends the call's further records too.
      const wanted = items.filter(({ job }) => !job.outcome);
      if (wanted.length > 0) await writeObject(session, wanted, policy, account);
    }
  }
  for (const job of jobs) {
    const missing = job.outcome ? undefined : wantedRecords(job).find((record) => !job.records.has(record.name));
    if (missing)
      failJob(
        job,
        new Failure('mapping', `Record ${missing.name} is linked to a record that the plan does not write.`, {
          hint: 'Correct its `associate` in the mapping, then replay.',
        }),
        missing.name,
      );
  }
}

/** Log only: the call log, and nothing that would need a person. */
export function wantedRecords(job: Job): RecordPlan[] {
  return job.log_only ? job.plan.records.filter((record) => record.type === 'call_log') : job.plan.records;
}

/** What an earlier attempt is known to have written is not repeated. */
function noteResumed(job: Job, account: Account | undefined): void {
  for (const { name, object } of wantedRecords(job)) {
    const id = doneBefore(job, name);
    if (id !== undefined && !job.outcome) job.records.set(name, receiptOf(name, object, id, 'unchanged', account));
  }
}

function nextItems(job: Job): Item[] {
  const items: Item[] = [];
  for (const record of wantedRecords(job)) {
    if (job.records.has(record.name)) continue;
    const targets = targetsOf(job, record);
    if (targets) items.push({ job, record, targets });
  }
  return items;
}

/** Records to link to; undefined while one of them is not written. */
function targetsOf(job: Job, record: RecordPlan): Item['targets'] | undefined {
  if (job.log_only) return [];
  const targets: Item['targets'] = [];
  for (const name of record.associate) {
    if (name === 'person') {
      if (job.person !== undefined) targets.push({ object: 'contacts', id: job.person });
      continue;
    }
    const other = job.records.get(name);
    if (!other) return undefined;
    targets.push({ object: other.object, id: other.id });
  }
  return targets;
}

/** A key may stand once in a batch; the same record of another plan follows in the next wave, by upsert. */
function firstOfEachKey(items: Item[]): Item[] {
  const seen = new Set<string>();
  return items.filter(({ record }) => {
    const name = `${record.object} ${record.key}`;
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

function byObject(items: Item[]): Map<string, Item[]> {
  return Map.groupBy(items, (item) => item.record.object);
}

async function writeObject(
  session: Session,
  items: Item[],
  policy: RowPolicy,
  account: Account | undefined,
): Promise<void> {
  const first = items.filter(({ job }) => !job.plan.resume);
  const doubtful = items.filter(({ job }) => job.plan.resume);
  const linked: Written[] = [];
  const created = new Map(first.map((item) => [rowOf(item, undefined, true), item]));
  for (const [row, result] of await send(session, 'create', created, policy)) {
    const item = created.get(row);
    if (!item) continue;
    noteDropped(item.job, item.record.name, result.dropped);
    if (result.ok) {
      const receipt = receiptOf(item.record.name, item.record.object, result.id, 'created', account);
      const rest = item.targets.filter((target) => linkType(item.record.object, target.object) === undefined);
      if (rest.length === 0) item.job.records.set(item.record.name, receipt);
      else linked.push({ item: { ...item, targets: rest }, receipt });
    } else if (session.usable && (result.failure.doubt || result.failure.code === 'conflict')) {
      doubtful.push({ ...item, doubt: result.failure });
    } else failJob(item.job, keyMissing(result.failure), item.record.name);
  }
  linked.push(...(await upsert(session, doubtful, policy, account)));
  await linkAll(session, linked);
}

async function upsert(
  session: Session,
  items: Item[],
  policy: RowPolicy,
  account: Account | undefined,
): Promise<Written[]> {
  const written: Written[] = [];
  let waiting = new Map(
    (await withCurrent(session, items)).map(({ item, current }) => [rowOf(item, current, false), item]),
  );
  // A race for one new key is lost once: after that its owner exists and is updated.
  for (let round = 0; round < 2 && waiting.size > 0; round += 1) {
    const again = new Map<Row, Item>();
    for (const [row, result] of await send(session, 'upsert', waiting, policy)) {
      const item = waiting.get(row);
      if (!item) continue;
      const { job, record } = item;
      noteDropped(job, record.name, result.dropped);
      if (result.ok)
        written.push({
          item,
          receipt: receiptOf(record.name, record.object, result.id, result.created ? 'created' : 'updated', account),
        });
      else if (result.failure.code === 'conflict' && round === 0) again.set(row, item);
      else failJob(job, keyMissing(result.failure), record.name);
    }
    waiting = again;
  }
  return written;
}

function send(session: Session, verb: Verb, rows: Map<Row, Item>, policy: RowPolicy) {
  const object = rows.values().next().value?.record.object ?? '';
  return sendRows(session, verb, object, [...rows.keys()], policy);
}

/** Reads the values of records that exist already, where a write mode asks for them. */
async function withCurrent(
  session: Session,
  items: Item[],
): Promise<{ item: Item; current: Properties | undefined }[]> {
  const careful = items.filter(({ record }) => needsReading(withoutNewer(record)));
  if (careful.length === 0) return items.map((item) => ({ item, current: undefined }));
  const object = careful[0]?.record.object ?? '';
  const plansOf = (key: string) => careful.filter(({ record }) => record.key === key).map(({ job }) => job.index);
  const properties = [...new Set(careful.flatMap(({ record }) => record.fields.map(({ name }) => name)))];
  const keys = careful.map(({ record }) => record.key);
  const reading = await readMany(session, object, keys, properties, plansOf, keyProperty(object));
  return items.flatMap((item) => {
    const failure = reading.failed.get(item.record.key);
    if (!failure) return [{ item, current: reading.found.get(item.record.key)?.properties }];
    failJob(item.job, failure, item.record.name);
    return [];
  });
}

/** A record of one call has no later call: `if_newer` always writes. */
function withoutNewer(record: RecordPlan): RecordPlan['fields'] {
  return record.fields.map((field) => (field.write === 'if_newer' ? { ...field, write: 'overwrite' } : field));
}

function rowOf({ job, record, targets }: Item, current: Properties | undefined, withLinks: boolean): Row {
  const properties: Record<string, string> = {};
  const call = { key: job.plan.key, ended_at: job.ended_at, watermark: undefined };
  for (const decision of decideFields(withoutNewer(record), current, call))
    if (decision.applies && (current !== undefined || toText(decision.field.value) !== ''))
      properties[decision.field.name] = decision.to;
  if (ACTIVITIES.has(record.object) && current === undefined) properties.hs_timestamp ??= job.plan.ended_at;
  const property = keyProperty(record.object);
  return {
    trace: `${job.index}-${record.name}`,
    key: { property, value: record.key },
    properties,
    links: withLinks ? targets.flatMap((target) => inlineLink(record.object, target)) : [],
    plans: [job.index],
    required: new Set([property, 'hs_timestamp']),
  };
}

function inlineLink(from: string, target: { object: string; id: string }): Link[] {
  const type = linkType(from, target.object);
  return type === undefined ? [] : [{ to: target.id, type }];
}

function receiptOf(
  name: string,
  object: string,
  id: string,
  did: RecordReceipt['did'],
  account: Account | undefined,
): RecordReceipt {
  const url = recordUrl(account, object, id);
  return { name, object, id, did, ...(url ? { url } : {}) };
}

/**
 * Without its unique key a record is not written: a repeat could not be told from a first time. A unique value that
 * stays contested after the upsert is somebody else's, and a matter for a person.
 */
function keyMissing(failure: HubSpotFailure): Failure {
  if (failure.code === 'missing_property')
    return failure.with({ hint: 'Run `wrapup provision` (or create the property by hand), then replay.' });
  return failure.code === 'conflict' ? failure.with({ next: 'park' }) : failure;
}
