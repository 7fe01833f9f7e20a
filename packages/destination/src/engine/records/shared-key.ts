/** Records that several plans mean: those of one key are written together, or one after another. Pure. */
import { isRemembered, type RecordPlan } from '@wrapup/mapping';
import type { Item, RecordVerbs } from './record-verbs.ts';

/** Under the key that all plans share which mean one record. */
export function withSharedKey(crm: Pick<RecordVerbs, 'sharedKey'>, item: Item): Item {
  const { record, write } = item;
  const own = record.own_key?.person ? `${record.key}:${write.person?.id ?? ''}` : undefined;
  const key = own ?? crm.sharedKey?.(record);
  return key === undefined ? item : { ...item, record: { ...record, key } };
}

/**
 * A key may stand once in a request; the same record of another plan follows in the next one.
 * @param joins true for items whose equal keys are written as one record
 */
export function firstOfEachKey(items: Item[], joins: (item: Item) => boolean = () => false): Item[] {
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
      if (!fields.has(field.name) || field.write === 'overwrite' || isRemembered(field)) fields.set(field.name, field);
  return { ...lead, record: { ...lead.record, fields: [...fields.values()] } };
}
