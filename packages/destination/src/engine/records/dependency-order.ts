/** Which records are written together: waves, and records that several plans mean. Pure. */
import type { RecordPlan } from '@wrapup/mapping';
import type { RecordReceipt } from '../../port/destination.ts';
import type { Failure } from '../../port/failure.ts';
import { type PlanWrite, wantedRecords } from '../plan-write.ts';
import type { Item, Written } from './record-verbs.ts';
import type { Target } from './row.ts';

/** What is written of each plan's records, by name. */
type WrittenRecords = ReadonlyMap<PlanWrite, ReadonlyMap<string, RecordReceipt>>;

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

/** One item that stands for all, and the others. */
interface SharedItems {
  lead: Item;
  followers: Item[];
}

/** Items by what they mean: those of one shared key together, every other one by itself. */
export function joinShared(items: Item[], isShared: (item: Item) => boolean): SharedItems[] {
  const groups = Map.groupBy(items, (item) => (isShared(item) ? `${item.record.object} ${item.record.key}` : item));
  return [...groups.values()].map((group) => ({ lead: joinFields(group), followers: group.slice(1) }));
}

/** The first call stands for all: gaps are filled by the earliest, what may be overwritten by the last. */
function joinFields(group: Item[]): Item {
  const lead = group[0] as Item;
  if (group.length === 1) return lead;
  const fields = new Map<string, RecordPlan['fields'][number]>();
  for (const { record } of group.toSorted((a, b) => a.write.ended_at - b.write.ended_at))
    for (const field of record.fields)
      if (!fields.has(field.name) || field.write === 'overwrite') fields.set(field.name, field);
  return { ...lead, record: { ...lead.record, fields: [...fields.values()] } };
}

/** What the others of a group get: the record that the first one wrote, or the failure that ended it. */
export function shareRecord(
  { lead, followers }: SharedItems,
  written: Written[],
  failed: ReadonlyMap<Item, Failure>,
): { written: Written[]; failed: [Item, Failure][] } {
  const made = written.find(({ item }) => item === lead);
  const failure = failed.get(lead);
  return {
    written: made
      ? followers.map((item) => ({
          item,
          receipt: { ...made.receipt, name: item.record.name, did: 'unchanged' },
          linked: false,
          cut: new Map(),
        }))
      : [],
    failed: failure ? followers.map((item): [Item, Failure] => [item, failure]) : [],
  };
}
