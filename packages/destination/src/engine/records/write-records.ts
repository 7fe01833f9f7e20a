/** Writes call logs, tasks and the like of many plans, wave by wave; what may not share a request of a wave goes beside it. */

import type { RecordPlan } from '@wrapup/mapping';
import { Failure } from '../../port/failure.ts';
import type { RecordReceipt } from '../../port/receipt.ts';
import {
  doneBefore,
  type PlanReport,
  type PlanWrite,
  receiptOf,
  reportFailure,
  wantedRecords,
} from '../plan/plan-write.ts';
import type { LinkTarget } from '../rows/row.ts';
import { findRecords } from './find-records.ts';
import type { ReadAhead } from './read-ahead.ts';
import type { Item, RecordVerbs } from './record-verbs.ts';
import { relateRecords } from './relate-records.ts';
import { firstOfEachKey, withSharedKey } from './shared-key.ts';
import { type WaveResult, writeWave } from './write-wave.ts';

/** Never rejects. @param ahead what is read of records that may be there; it never rejects */
export async function writeRecords(
  crm: RecordVerbs,
  writes: PlanWrite[],
  ahead: Promise<ReadAhead>,
): Promise<PlanReport[]> {
  const resolved = (await crm.resolve?.(writes)) ?? { writes, reports: [] };
  const found = await findRecords(crm, resolved.writes);
  try {
    const related = await relateRecords(crm, found.writes);
    const written = await writeWaves(crm, related.writes, await ahead);
    return [...resolved.reports, ...found.reports, ...related.reports, ...written];
  } finally {
    await found.release();
  }
}

async function writeWaves(crm: RecordVerbs, writes: PlanWrite[], ahead: ReadAhead): Promise<PlanReport[]> {
  const reports: PlanReport[] = [];
  let open = writes;
  const written = new Map(open.map((write) => [write, noteResumed(crm, write)]));
  const isShared = ({ record }: Item) => crm.sharedKey?.(record) !== undefined;
  for (;;) {
    const ready = firstOfEachKey(
      nextWave(open, written).map((item) => withSharedKey(crm, item)),
      isShared,
    );
    if (ready.length === 0) break;
    const parts = crm.limits.mixed ? [ready] : [...Map.groupBy(ready, ({ record }) => record.object).values()];
    const waves = await Promise.all(parts.map((items) => writeWave(crm, items, ahead)));
    for (const wave of waves) {
      reports.push(...wave.reports);
      for (const { item, receipt } of wave.written) written.get(item.write)?.set(item.record.name, receipt);
    }
    // What one record ran into ends the records of the call that wait for others.
    const failed = new Set<PlanWrite>();
    for (const [index, items] of parts.entries())
      for (const item of items) {
        const failure = failureOf(item, waves[index]?.failed ?? new Map(), written);
        if (!failure) continue;
        reports.push(reportFailure(item.write, item.record.name, failure));
        failed.add(item.write);
      }
    open = open.filter((write) => !failed.has(write));
  }
  for (const [write, receipts] of written)
    reports.push(...[...receipts.values()].map((receipt) => ({ plan: write.index, receipt })));
  return [...reports, ...open.flatMap((write) => reportWaiting(write, written.get(write) ?? new Map()))];
}

/** What an earlier attempt is known to have written is not repeated. */
function noteResumed(crm: RecordVerbs, write: PlanWrite): Map<string, RecordReceipt> {
  return new Map(
    wantedRecords(write).flatMap((record): [string, RecordReceipt][] => {
      const id = doneBefore(write.plan, record.name);
      return id === undefined ? [] : [[record.name, receiptOf(crm, record, id, 'unchanged')]];
    }),
  );
}

function failureOf(
  { write, record }: Item,
  failed: WaveResult['failed'],
  written: ReadonlyMap<PlanWrite, ReadonlyMap<string, RecordReceipt>>,
): Failure | undefined {
  for (const [item, failure] of failed) if (item.write === write && item.record.name === record.name) return failure;
  if (written.get(write)?.has(record.name)) return undefined;
  return new Failure('internal', `Record ${record.name} was neither written nor refused.`, { next: 'retry' });
}

/** After the last wave: a record that still waits for another one waits for something that the plan does not write. */
function reportWaiting(write: PlanWrite, written: ReadonlyMap<string, RecordReceipt>): PlanReport[] {
  const missing = wantedRecords(write).find(({ name }) => !written.has(name));
  if (!missing) return [];
  const failure = new Failure('mapping', `Record ${missing.name} is linked to a record that the plan does not write.`, {
    hint: 'Correct its `associate` in the mapping, then replay.',
  });
  return [reportFailure(write, missing.name, failure)];
}

/* Which records are written together: waves, and records that several plans mean. Pure. */

/** What is written of each plan's records, by name. */
type WrittenRecords = ReadonlyMap<PlanWrite, ReadonlyMap<string, RecordReceipt>>;

/** The next wave: records that are not written, and all of whose targets are. Empty at the end. */
function nextWave(writes: PlanWrite[], written: WrittenRecords): Item[] {
  return writes.flatMap((write) => {
    const records = written.get(write) ?? new Map<string, RecordReceipt>();
    return wantedRecords(write).flatMap((record): Item[] => {
      const targets = records.has(record.name) ? undefined : targetsOf(write, record, records);
      return targets ? [{ write, record, targets }] : [];
    });
  });
}

/** Records to link to; undefined while one of them is not written. */
function targetsOf(
  { log_only, person, related: has }: PlanWrite,
  { associate, related }: RecordPlan,
  written: ReadonlyMap<string, RecordReceipt>,
): LinkTarget[] | undefined {
  if (log_only) return [];
  const targets: LinkTarget[] = [];
  for (const name of associate) {
    const other = written.get(name);
    const own = related?.[name];
    if (own) targets.push(...(has?.get(name) ?? []).map((id) => ({ name, object: own.object, id })));
    else if (name === 'person') {
      if (person) targets.push({ name, ...person });
    } else if (other) targets.push({ name, object: other.object, id: other.id });
    else return undefined;
  }
  return targets;
}
