/**
 * Tasks in an org whose activities take no unique key.
 *
 * `object`: before a task is created, a record of Wrapup_Call__c with its key is: whoever comes second meets it, and takes
 * the task that it names. A record that names no task yet is somebody's unfinished work, so its task is looked for.
 * `call_object`: a lease on the key, and every task is looked for before it is created.
 */
import { Failure, type Held } from '@wrapup/destination';
import { asObject, asText, failJob, type Item, LEASED } from '@wrapup/destination/delivery';
import { asSalesforceFailure } from './errors.ts';
import { keyStepOf } from './key-step.ts';
import { CALL_OBJECT, KEY, TASK_ID } from './objects.ts';
import { queryTogether } from './query.ts';
import type { Written } from './record-row.ts';
import { type Row, sendRows } from './rows.ts';
import { isIn, select } from './soql.ts';
import type { Work } from './work.ts';

export interface Claimed {
  /** Tasks that may be there already. */
  doubtful: Set<Item>;
  /** Ids of the records that stand for tasks, by key of the task. */
  standIns: Map<string, string>;
  release(): Promise<void>;
}

const BUSY = 1000;
/** Ms after which a record that stands for a task without naming one counts as left behind. */
const UNFINISHED = 45_000;

/** Claims the tasks among the items, where their own key does not do it. Never rejects. */
export async function claimTasks(work: Work, items: Item[]): Promise<Claimed> {
  const nothing: Claimed = { doubtful: new Set(), standIns: new Map(), release: async () => {} };
  const task = work.org.object('Task');
  const step = task && keyStepOf(work.org, task);
  const tasks = items.filter(({ record, job }) => record.object === 'Task' && !job.outcome);
  if (tasks.length === 0 || !step || step.step === 'key') return nothing;
  const held = await lease(work, tasks);
  const claimed: Claimed = {
    ...nothing,
    release: async () => {
      for (const one of held) await one.release().catch(() => {});
    },
  };
  const open = tasks.filter(({ job }) => !job.outcome);
  if (step.step === 'call_object') for (const item of open) claimed.doubtful.add(item);
  else await standFor(work, open, claimed);
  return claimed;
}

async function lease({ session }: Work, items: Item[]): Promise<Held[]> {
  const held: Held[] = [];
  for (const { job, record } of items) {
    try {
      const one = await session.ctx.lease.take([`task:${record.key}`], LEASED);
      if (one) held.push(one);
      else
        failJob(
          job,
          new Failure('busy', 'Another delivery is writing the same task at this moment.', { retry_after: BUSY }),
          record.name,
        );
    } catch (thrown) {
      failJob(job, asSalesforceFailure(thrown), record.name);
    }
  }
  return held;
}

/** Creates the records that stand for the tasks; those that are there already make their tasks doubtful. */
async function standFor(work: Work, items: Item[], claimed: Claimed): Promise<void> {
  const rows = new Map<Row, Item>();
  for (const item of items) {
    const { key } = item.record;
    rows.set({ object: CALL_OBJECT, fields: { [KEY]: key }, plans: [item.job.index], required: new Set([KEY]) }, item);
  }
  const unsure: Item[] = [];
  for (const [row, result] of await sendRows(work.session, 'create', [...rows.keys()], work.policy)) {
    const item = rows.get(row);
    if (!item) continue;
    if (result.ok) claimed.standIns.set(item.record.key, result.id);
    else if (result.failure.code === 'conflict' || (result.failure.doubt && work.session.usable)) unsure.push(item);
    else failJob(item.job, result.failure, item.record.name);
  }
  for (const item of unsure) claimed.doubtful.add(item);
  await readStandIns(work, unsure, claimed);
}

async function readStandIns(work: Work, items: Item[], claimed: Claimed): Promise<void> {
  if (items.length === 0) return;
  const keys = items.map(({ record }) => record.key);
  try {
    const soql = select(CALL_OBJECT, ['Id', KEY, TASK_ID, 'CreatedDate'], isIn(KEY, keys));
    const plans = items.map(({ job }) => job.index);
    const [result] = await queryTogether(
      work.session,
      'read who stands for tasks',
      [{ object: CALL_OBJECT, soql }],
      plans,
      keys,
    );
    const rows = new Map((result?.records ?? []).map(asObject).map((row) => [asText(row[KEY]), row]));
    for (const { job, record } of items) {
      const row = rows.get(record.key);
      if (!row) continue;
      claimed.standIns.set(record.key, asText(row.Id));
      const age = Date.now() - Date.parse(asText(row.CreatedDate));
      // Somebody made it a moment ago and is about to create the task: whoever died there is taken over afterwards.
      if (!asText(row[TASK_ID]) && age < UNFINISHED)
        failJob(
          job,
          new Failure('busy', 'Another process is writing the same task at this moment.', { retry_after: BUSY }),
          record.name,
        );
    }
  } catch (thrown) {
    for (const { job, record } of items) failJob(job, asSalesforceFailure(thrown), record.name);
  }
}

/** Tells the records that stand for tasks which task it is. What cannot be told is found by CallObject another time. */
export async function nameTasks(work: Work, { standIns }: Claimed, written: Written[]): Promise<void> {
  const rows = written.flatMap(({ item, receipt }): Row[] => {
    const id = receipt.object === 'Task' ? standIns.get(item.record.key) : undefined;
    if (id === undefined) return [];
    return [
      { object: CALL_OBJECT, id, fields: { [TASK_ID]: receipt.id }, plans: [item.job.index], required: new Set() },
    ];
  });
  if (rows.length === 0 || !work.session.usable) return;
  for (const [, result] of await sendRows(work.session, 'update', rows, work.policy))
    if (!result.ok)
      work.session.ctx.log.warn(
        { error: result.failure.message },
        'a task could not be named by the record that stands for it',
      );
}
