import type { RecordReceipt } from '@wrapup/destination';
import { failJob, type Item, noteDropped, type Properties } from '@wrapup/destination/delivery';
import { receiptOf, rowOf, type Writing } from './items.ts';
import type { Written } from './links.ts';
import { type Row, sendRows } from './rows.ts';

/** Updates records whose id is known; they are linked afterwards. */
export async function updateKnown(
  { session, policy, account }: Writing,
  known: { item: Item; id: string; properties: Properties }[],
  dress: (row: Row, item: Item) => Row = (row) => row,
): Promise<Written[]> {
  const written: Written[] = [];
  const done = (item: Item, id: string, did: RecordReceipt['did']) =>
    written.push({ item, receipt: receiptOf(item, id, did, account) });
  const rows = new Map<Row, Item>();
  for (const { item, id, properties } of known) {
    const { key: _, ...row } = rowOf(item, properties, false);
    if (Object.keys(row.properties).length > 0) rows.set(dress({ ...row, id }, item), item);
    else done(item, id, 'unchanged');
  }
  const object = known[0]?.item.record.object ?? '';
  for (const [row, result] of await sendRows(session, 'update', object, [...rows.keys()], policy)) {
    const item = rows.get(row);
    if (!item) continue;
    noteDropped(item.job, item.record.name, result.dropped);
    if (result.ok) done(item, result.id, 'updated');
    else failJob(item.job, result.failure, item.record.name);
  }
  return written;
}
