/** What a record is linked to already, as far as it was noted, and what is noted of it. */
import type { RecordPlan } from '@wrapup/mapping';
import type { RecordReceipt } from '../../port/receipt.ts';
import type { LinkTarget } from '../rows/row.ts';
import { type LinkEnd, recordMemory, type WrittenValues } from '../rows/written-values.ts';
import type { Associated, Item, Written } from './record-verbs.ts';

/** Whether the record was linked to it before, by us or by a colleague, and with that label. */
export function isLinked(values: WrittenValues, record: RecordPlan, { name, object, id }: LinkTarget): boolean {
  const label = record.labels?.[name];
  const note = recordMemory(record);
  if (label === undefined) return values.hasLink(note, { object, id });
  return values.wasLinked(note, { object, id }) && values.wasLinked(note, { object, id, label });
}

/** A record of several plans is noted one plan after another. */
export async function noteLinks(
  values: WrittenValues,
  written: Written[],
  { failed, unlinked = [] }: Associated,
): Promise<void> {
  const byNote = Map.groupBy(written, ({ item }) => recordMemory(item.record));
  const note = async ([name, all]: [string, Written[]]) => {
    for (const { item, left, links, wasLinked } of all) {
      const { write, record, targets } = item;
      const isOurs = (target: LinkTarget) => links.includes(target) || wasLinked(target);
      const endsOf = (target: LinkTarget) => (isOurs(target) ? madeEnds(record, target) : [foundEnd(target)]);
      const made = failed.has(item) ? [] : targets.flatMap(endsOf);
      const gone = [...left, ...unlinked.filter(([one]) => one === item).map(([, end]) => end)];
      await values.noteLinks(name, { key: write.plan.key, ended_at: write.ended_at }, made, gone);
    }
  };
  await Promise.all([...byNote].map(note));
}

function madeEnds({ labels }: RecordPlan, { name, object, id }: LinkTarget): LinkEnd[] {
  const label = labels?.[name];
  return [{ object, id }, ...(label === undefined ? [] : [{ object, id, label }])];
}

/** Of a link that a record had when it was found. */
function foundEnd({ object, id }: LinkTarget): LinkEnd {
  return { object, id, found: true };
}

export function toWritten(
  values: WrittenValues,
  item: Item,
  receipt: RecordReceipt,
  rest: Pick<Written, 'linked' | 'cut' | 'left'>,
): Written {
  const { record, targets } = item;
  const found = item.write.found?.get(record.name);
  const isThere = ({ name, id }: LinkTarget) =>
    name === 'person' && record.labels?.[name] === undefined && found?.people?.has(id) === true;
  const links = rest.linked
    ? targets
    : targets.filter((target) => !isThere(target) && !isLinked(values, record, target));
  return { item, receipt, ...rest, links, wasLinked: (to) => values.wasLinked(recordMemory(record), to) };
}
