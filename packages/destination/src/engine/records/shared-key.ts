import type { Item, RecordVerbs } from './record-verbs.ts';

/** Under the key that all plans share which mean one record. */
export function withSharedKey(crm: Pick<RecordVerbs, 'sharedKey'>, item: Item): Item {
  const { record, write } = item;
  const own = record.own_key?.person ? `${record.key}:${write.person?.id ?? ''}` : undefined;
  const key = own ?? crm.sharedKey?.(record);
  return key === undefined ? item : { ...item, record: { ...record, key } };
}
