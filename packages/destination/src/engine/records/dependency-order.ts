/** Records of many plans, in waves: each writes what depends only on records that are written already. Pure. */
import type { RecordPlan } from '@wrapup/mapping';
import type { RecordReceipt } from '../../port/destination.ts';
import { type PlanWrite, wantedRecords } from '../plan-write.ts';
import type { Item } from './record-verbs.ts';
import type { Target } from './row.ts';

/** What is written of each plan's records, by name. */
export type WrittenRecords = ReadonlyMap<PlanWrite, ReadonlyMap<string, RecordReceipt>>;

/** The next wave: records that are not written, and all of whose targets are. Empty at the end. */
export function nextWave(writes: PlanWrite[], written: WrittenRecords): Item[] {
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
  { log_only, person }: PlanWrite,
  { associate }: RecordPlan,
  written: ReadonlyMap<string, RecordReceipt>,
): Target[] | undefined {
  if (log_only) return [];
  const targets: Target[] = [];
  for (const name of associate) {
    const other = written.get(name);
    if (name === 'person') {
      if (person) targets.push({ name, ...person });
    } else if (other) targets.push({ name, object: other.object, id: other.id });
    else return undefined;
  }
  return targets;
}

/**
 * A key may stand once in a request; the same record of another plan follows in the next wave.
 * @param joins true for items whose equal keys are written as one record
 */
export function firstOfEachKey(items: Item[], joins: (item: Item) => boolean): Item[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const name = `${item.record.object} ${item.record.key}`;
    if (seen.has(name) && !joins(item)) return false;
    seen.add(name);
    return true;
  });
}
