/** Records that several plans mean and that are written once, such as the company of a domain. Pure. */
import type { RecordPlan } from '@wrapup/mapping';
import type { Failure } from '../../port/failure.ts';
import type { Item, Written } from './record-verbs.ts';

/** One item that stands for all, and the others. */
export interface SharedItems {
  lead: Item;
  followers: Item[];
}

/** Items by what they mean: those of one shared key together, every other one by itself. */
export function joinShared(items: Item[], isShared: (item: Item) => boolean): SharedItems[] {
  const groups = Map.groupBy(items, (item) => (isShared(item) ? `${item.record.object} ${item.record.key}` : item));
  return [...groups.values()].map((group) => ({ lead: joinFields(group), followers: group.slice(1) }));
}

/** The first call stands for all: gaps are filled by whoever comes first, what may be overwritten is said by the last. */
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
