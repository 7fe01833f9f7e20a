/**
 * Tasks in an org whose activities take no unique key.
 *
 * `object`: before a task is created, a record of Wrapup_Call__c with its key is: the second delivery meets it, and takes
 * the task that it names. A record that names no task yet is another delivery's unfinished work, so its task is looked for.
 * `call_object`: a lease on the key, and every task is looked for before it is created.
 */
import { Failure } from '@wrapup/destination';
import {
  busy,
  type CrmRow,
  type Item,
  type KeyStrategy,
  leaseEach,
  type Reservation,
  type RowWriter,
  writeRows,
} from '@wrapup/destination/engine';
import { asObject, asText } from '@wrapup/destination/http';
import { CALL_OBJECT, KEY, TASK_ID } from '../client/objects.ts';
import { isIn, queryTogether, select } from '../client/query.ts';
import type { SalesforceSession } from '../client/transport.ts';

/** After so long a record that stands for a task without naming one counts as left behind. */
const UNFINISHED_MS = 45_000;

export function reserveTasks(
  session: SalesforceSession,
  rows: RowWriter,
  step: 'object' | 'call_object',
): Required<Pick<KeyStrategy, 'claim' | 'confirm'>> {
  /** Ids of the records that stand for tasks, by key of the task. */
  const standIns = new Map<string, string>();
  return {
    async claim(items): Promise<Reservation> {
      const { held, failed, release } = await leaseEach(session.ctx, items, ({ record }) => [`task:${record.key}`]);
      if (step === 'call_object') return { doubtful: new Set(held), failed, release };
      const { doubtful, failed: lost } = await standFor(session, rows, held, standIns);
      return { doubtful, failed: new Map([...failed, ...lost]), release };
    },
    /** Notes on the records that stand for tasks which task it is. What cannot be noted is found by CallObject another time. */
    async confirm(written) {
      const updates = written.flatMap(({ item, receipt }): CrmRow[] => {
        const id = standIns.get(item.record.key);
        if (id === undefined) return [];
        const fields = { [TASK_ID]: receipt.id };
        return [{ object: CALL_OBJECT, id, fields, plans: [item.write.index], required: new Set() }];
      });
      if (updates.length === 0 || !session.usable) return;
      for (const [, result] of await writeRows(rows, 'update', updates))
        if (!result.ok)
          session.ctx.log.warn(
            { error: result.failure.message },
            'a task could not be named by the record that stands for it',
          );
    },
  };
}

/** Creates the records that stand for the tasks; those that are there already make their tasks doubtful. */
async function standFor(
  session: SalesforceSession,
  crm: RowWriter,
  items: Item[],
  standIns: Map<string, string>,
): Promise<{ doubtful: Set<Item>; failed: Map<Item, Failure> }> {
  const rows = new Map<CrmRow, Item>();
  for (const item of items) {
    const fields = { [KEY]: item.record.key };
    rows.set({ object: CALL_OBJECT, fields, plans: [item.write.index], required: new Set([KEY]) }, item);
  }
  const doubtful = new Set<Item>();
  const failed = new Map<Item, Failure>();
  for (const [row, result] of await writeRows(crm, 'create', [...rows.keys()])) {
    const item = rows.get(row);
    if (!item) continue;
    if (result.ok) standIns.set(item.record.key, result.id);
    else if (result.failure.code === 'conflict' || (result.failure.outcome_unknown && session.usable))
      doubtful.add(item);
    else failed.set(item, result.failure);
  }
  for (const [item, failure] of await readStandIns(session, [...doubtful], standIns)) failed.set(item, failure);
  return { doubtful, failed };
}

/** @returns whose record cannot be read, or is another delivery's at this moment */
async function readStandIns(
  session: SalesforceSession,
  items: Item[],
  standIns: Map<string, string>,
): Promise<[Item, Failure][]> {
  if (items.length === 0) return [];
  const keys = items.map(({ record }) => record.key);
  const query = {
    object: CALL_OBJECT,
    soql: select(CALL_OBJECT, ['Id', KEY, TASK_ID, 'CreatedDate'], isIn(KEY, keys)),
  };
  const plans = items.map(({ write }) => write.index);
  try {
    const [result] = await queryTogether(session, 'read who stands for tasks', [query], plans, keys);
    const found = new Map((result?.records ?? []).map(asObject).map((row) => [asText(row[KEY]), row]));
    return items.flatMap((item): [Item, Failure][] => {
      const row = found.get(item.record.key);
      if (!row) return [];
      standIns.set(item.record.key, asText(row.Id));
      const age = Date.now() - Date.parse(asText(row.CreatedDate));
      // Made a moment ago, by a delivery that is about to create the task: what died there is taken over afterwards.
      return !asText(row[TASK_ID]) && age < UNFINISHED_MS ? [[item, busy()]] : [];
    });
  } catch (thrown) {
    return items.map((item) => [item, Failure.of(thrown)]);
  }
}
