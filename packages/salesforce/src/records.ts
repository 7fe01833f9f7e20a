/**
 * Writes call logs, tasks and the like, each once.
 *
 * A first attempt creates them, with their key and their links. Whatever is in doubt (a retry, a lost answer, a success
 * without a result, a key that somebody holds) is read by its key: what is there is updated, what is not is created. The
 * unique key makes either safe. Waves: each writes what depends only on records that are written already; objects share
 * the requests of a wave.
 */
import { Failure, type RecordReceipt } from '@wrapup/destination';
import {
  failJob,
  failWaiting,
  firstOfEachKey,
  type Item,
  type Job,
  nextWave,
  noteDropped,
  noteResumed,
  type Properties,
} from '@wrapup/destination/delivery';
import type { RecordPlan } from '@wrapup/mapping';
import type { SalesforceFailure } from './errors.ts';
import { attachTexts } from './files.ts';
import { keyStepOf } from './key-step.ts';
import { recordUrl } from './objects.ts';
import { readRecords } from './read-records.ts';
import { makeRow, type Written } from './record-row.ts';
import { type Row, sendRows } from './rows.ts';
import { claimTasks, nameTasks } from './task-claims.ts';
import type { Work } from './work.ts';

/** Writes the records of all jobs that have not ended. Never rejects. */
export async function writeRecords(work: Work, jobs: Job[]): Promise<void> {
  noteResumed(jobs, (record, id) => receiptOf(work, record, id, 'unchanged'));
  for (;;) {
    const items = firstOfEachKey(nextWave(jobs));
    if (items.length === 0) break;
    await writeWave(work, items);
    for (const { job, record } of items)
      if (!job.outcome && !job.records.has(record.name))
        failJob(
          job,
          new Failure('internal', `Nothing became of record ${record.name}.`, { next: 'retry' }),
          record.name,
        );
  }
  failWaiting(jobs);
}

/** Without its object, or a way to find it again, a record is not written: a repeat could not be told from a first time. */
function whyNotWritten({ org }: Work, { record }: Item): Failure | undefined {
  const object = org.object(record.object);
  if (!object)
    return new Failure('refused', `The org has no object ${record.object}, or the integration user may not see it.`, {
      hint: 'Correct the object in the mapping, or give the user access; then replay.',
    });
  if (keyStepOf(org, object)) return undefined;
  return new Failure('missing_property', `${record.object} has no unique key: nothing is written to it without one.`, {
    hint: 'Run `wrapup provision --deploy` (or deploy the package that it writes), then replay.',
  });
}

/** What became of a wave: what is there, and what is not. Failures are told last, so that they know what is done. */
interface Wave {
  written: Written[];
  failed: { item: Item; failure: Failure }[];
}

async function writeWave(work: Work, items: Item[]): Promise<void> {
  const wave: Wave = { written: [], failed: [] };
  // What cannot be written does not keep the call's other records from being written.
  const live = items.filter((item) => {
    const failure = whyNotWritten(work, item);
    if (failure) wave.failed.push({ item, failure });
    return !failure;
  });
  const claims = await claimTasks(work, live);
  // Anything may have been written before: by this delivery, or by whoever holds the key.
  const doubtful = live.filter((item) => !item.job.outcome && (item.job.plan.resume || claims.doubtful.has(item)));
  const first = live.filter((item) => !item.job.outcome && !doubtful.includes(item));
  const unsure = await createThem(work, first, wave, true);
  await settleDoubt(work, [...doubtful, ...unsure], wave);
  await nameTasks(work, claims, wave.written);
  await attachTexts(work, wave.written);
  for (const { item, receipt } of wave.written) if (!item.job.outcome) item.job.records.set(item.record.name, receipt);
  for (const { item, failure } of wave.failed) failJob(item.job, failure, item.record.name);
  await claims.release();
}

/** Reads what is in doubt; updates what is there, and creates what is not. */
async function settleDoubt(work: Work, items: Item[], wave: Wave): Promise<void> {
  let open = items;
  // Somebody who creates the same record at this moment is met once; afterwards it is there to be read.
  for (let round = 0; round < 2 && open.length > 0; round += 1) {
    const absent: Item[] = [];
    const there: { item: Item; id: string; current: Properties }[] = [];
    for (const [item, reading] of await readRecords(work, open)) {
      if (reading === 'absent') absent.push(item);
      else if (reading instanceof Failure) wave.failed.push({ item, failure: reading });
      else there.push({ item, ...reading });
    }
    await updateThem(work, there, wave);
    open = await createThem(work, absent, wave, round === 0);
  }
}

/** Creates them. Returns those of which it is not certain whether they are there, while that can still be found out. */
async function createThem(work: Work, items: Item[], wave: Wave, mayAsk: boolean): Promise<Item[]> {
  const rows = new Map<Row, Written>();
  for (const item of items) {
    const made = makeRow(work, item, undefined);
    if (made instanceof Failure) wave.failed.push({ item, failure: made });
    else if (made.row) rows.set(made.row, made.written);
  }
  const unsure: Item[] = [];
  for (const [row, result] of await sendRows(work.session, 'create', [...rows.keys()], work.policy)) {
    const made = rows.get(row);
    if (!made) continue;
    const { item } = made;
    noteDropped(item.job, item.record.name, result.dropped);
    if (result.ok) wave.written.push({ ...made, receipt: receiptOf(work, item.record, result.id, 'created') });
    else if (mayAsk && work.session.usable && (result.failure.doubt || result.failure.code === 'conflict'))
      unsure.push(item);
    else wave.failed.push({ item, failure: contested(result.failure) });
  }
  return unsure;
}

async function updateThem(
  work: Work,
  there: { item: Item; id: string; current: Properties }[],
  wave: Wave,
): Promise<void> {
  const rows = new Map<Row, Written>();
  for (const { item, id, current } of there) {
    const made = makeRow(work, item, { id, current });
    if (made instanceof Failure) wave.failed.push({ item, failure: made });
    else if (made.row) rows.set(made.row, made.written);
    else wave.written.push({ ...made.written, receipt: receiptOf(work, item.record, id, 'unchanged') });
  }
  for (const [row, result] of await sendRows(work.session, 'update', [...rows.keys()], work.policy)) {
    const made = rows.get(row);
    if (!made) continue;
    const { item } = made;
    noteDropped(item.job, item.record.name, result.dropped);
    if (result.ok) wave.written.push({ ...made, receipt: receiptOf(work, item.record, result.id, 'updated') });
    else wave.failed.push({ item, failure: result.failure });
  }
}

function receiptOf(
  { org_url }: Work,
  { name, object }: Pick<RecordPlan, 'name' | 'object'>,
  id: string,
  did: RecordReceipt['did'],
): RecordReceipt {
  const url = recordUrl(org_url, id);
  return { name, object, id, did, ...(url ? { url } : {}) };
}

/** A unique value that stays contested after it was looked for is somebody else's, and a matter for a person. */
function contested(failure: SalesforceFailure): Failure {
  return failure.code === 'conflict' ? failure.with({ next: 'park' }) : failure;
}
