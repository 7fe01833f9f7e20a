/**
 * Writes the records of one object, each once.
 *
 * A first attempt creates them in one batch, with key, trace id and links. Whatever is in doubt, a retry, a lost answer, a
 * success without a result, "already has that value", goes through the step of the key ladder that is in force
 * (`key-steps.ts`) and is linked apart, since upserts take no links; both can be repeated.
 */
import { failJob, type Item, noteDropped, type Properties } from '@wrapup/destination/delivery';
import { needsReading } from '@wrapup/mapping';
import { asHubSpotFailure, type HubSpotFailure } from './errors/classify.ts';
import { inlineRest, keyMissing, receiptOf, rowOf, type Writing } from './items.ts';
import { isKeyRefused, type KeyStep, stepDown, stepOf } from './key-steps.ts';
import { linkAll, type Written } from './links.ts';
import { writeByMap } from './mapped-records.ts';
import { readMany } from './read-many.ts';
import { type Row, sendRows } from './rows.ts';
import { updateKnown } from './update-known.ts';

/** Items of one object. Never rejects. */
export async function writeObject(writing: Writing, items: Item[]): Promise<void> {
  const object = items[0]?.record.object ?? '';
  let step: KeyStep;
  try {
    step = await stepOf(writing.session, object);
  } catch (thrown) {
    for (const { job, record } of items) failJob(job, asHubSpotFailure(thrown), record.name);
    return;
  }
  const refused: Refused = [];
  const written = await writeBy(step, writing, items, refused);
  for (let down = step; refused.length > 0; ) {
    const failure = refused[0]?.failure;
    const next = await lower(writing, object, down);
    const again = refused.splice(0);
    if (!next || !failure) {
      for (const { item, failure: why } of again) failJob(item.job, keyMissing(why), item.record.name);
      break;
    }
    down = next;
    written.push(
      ...(await writeBy(
        next,
        writing,
        again.map(({ item }) => item),
        refused,
      )),
    );
  }
  await linkAll(writing.session, written);
}

type Refused = { item: Item; failure: HubSpotFailure }[];

function writeBy(step: KeyStep, writing: Writing, items: Item[], refused: Refused): Promise<Written[]> {
  return step === 'map' ? writeByMap(writing, items) : writeByKey(step, writing, items, refused);
}

async function lower({ session, policy }: Writing, object: string, from: KeyStep): Promise<KeyStep | undefined> {
  try {
    return (await stepDown(session, object, from, policy.weaker)).step;
  } catch {
    // The refusal itself says more than that the definitions cannot be read.
    return undefined;
  }
}

async function writeByKey(
  step: 'upsert' | 'read',
  writing: Writing,
  items: Item[],
  refused: Refused,
): Promise<Written[]> {
  const { session, policy, account } = writing;
  const object = items[0]?.record.object ?? '';
  const first = items.filter(({ job }) => !job.plan.resume);
  const doubtful = items.filter(({ job }) => job.plan.resume);
  const written: Written[] = [];
  const created = new Map(first.map((item) => [rowOf(item, undefined, true), item]));
  for (const [row, result] of await sendRows(session, 'create', object, [...created.keys()], policy)) {
    const item = created.get(row);
    if (!item) continue;
    noteDropped(item.job, item.record.name, result.dropped);
    if (result.ok) written.push(inlineRest(item, receiptOf(item, result.id, 'created', account)));
    else if (isKeyRefused(object, result.failure)) refused.push({ item, failure: result.failure });
    else if (session.usable && (result.failure.doubt || result.failure.code === 'conflict')) doubtful.push(item);
    else failJob(item.job, keyMissing(result.failure), item.record.name);
  }
  const again = step === 'upsert' ? upsert(writing, doubtful, refused) : readAndCreate(writing, doubtful, refused);
  return [...written, ...(await again)];
}

async function upsert(writing: Writing, items: Item[], refused: Refused): Promise<Written[]> {
  const { session, policy, account } = writing;
  const object = items[0]?.record.object ?? '';
  const written: Written[] = [];
  const careful = items.filter(({ record }) => needsReading(record.fields));
  const current = await readCurrent(writing, careful, refused);
  const ready = items.filter((item) => !item.job.outcome && !refused.some((one) => one.item === item));
  let waiting = new Map(ready.map((item) => [rowOf(item, current.get(item)?.properties, false), item]));
  // A race for one new key is lost once: after that its owner exists and is updated.
  for (let round = 0; round < 2 && waiting.size > 0; round += 1) {
    const again = new Map<Row, Item>();
    for (const [row, result] of await sendRows(session, 'upsert', object, [...waiting.keys()], policy)) {
      const item = waiting.get(row);
      if (!item) continue;
      const { job, record } = item;
      noteDropped(job, record.name, result.dropped);
      if (result.ok)
        written.push({ item, receipt: receiptOf(item, result.id, result.created ? 'created' : 'updated', account) });
      else if (isKeyRefused(object, result.failure)) refused.push({ item, failure: result.failure });
      else if (result.failure.code === 'conflict' && round === 0) again.set(row, item);
      else failJob(job, keyMissing(result.failure), record.name);
    }
    waiting = again;
  }
  return written;
}

/** Without upsert: those that are there are updated by id, the others created with their links. */
async function readAndCreate(writing: Writing, items: Item[], refused: Refused): Promise<Written[]> {
  const current = await readCurrent(writing, items, refused);
  const ready = items.filter((item) => !item.job.outcome && !refused.some((one) => one.item === item));
  const written = await updateKnown(
    writing,
    ready.flatMap((item) => {
      const found = current.get(item);
      return found ? [{ item, ...found }] : [];
    }),
  );
  const { session, policy, account } = writing;
  const object = items[0]?.record.object ?? '';
  const absent = new Map(
    ready.filter((item) => !current.has(item)).map((item) => [rowOf(item, undefined, true), item]),
  );
  const lost: { item: Item; id: string; properties: Properties }[] = [];
  for (const [row, result] of await sendRows(session, 'create', object, [...absent.keys()], policy)) {
    const item = absent.get(row);
    if (!item) continue;
    noteDropped(item.job, item.record.name, result.dropped);
    const owner = result.ok ? undefined : result.failure.vendor?.owner;
    if (result.ok) written.push(inlineRest(item, receiptOf(item, result.id, 'created', account)));
    else if (isKeyRefused(object, result.failure)) refused.push({ item, failure: result.failure });
    // Somebody else has created it meanwhile.
    else if (result.failure.code === 'conflict' && owner !== undefined) lost.push({ item, id: owner, properties: {} });
    else failJob(item.job, keyMissing(result.failure), item.record.name);
  }
  return [...written, ...(await updateKnown(writing, lost))];
}

/** What is there already of the items, by key. Ends those that could not be read. */
async function readCurrent(
  { session }: Writing,
  items: Item[],
  refused: Refused,
): Promise<Map<Item, { id: string; properties: Properties }>> {
  const current = new Map<Item, { id: string; properties: Properties }>();
  const [first] = items;
  if (!first) return current;
  const { property } = rowOf(first, undefined, false).key ?? { property: '' };
  const { object } = first.record;
  const plansOf = (key: string) => items.filter(({ record }) => record.key === key).map(({ job }) => job.index);
  const properties = [...new Set(items.flatMap(({ record }) => record.fields.map(({ name }) => name)))];
  const keys = items.map(({ record }) => record.key);
  const reading = await readMany(session, object, keys, properties, plansOf, property);
  for (const item of items) {
    const failure = reading.failed.get(item.record.key);
    const found = reading.found.get(item.record.key);
    if (failure && isKeyRefused(object, failure)) refused.push({ item, failure });
    else if (failure) failJob(item.job, failure, item.record.name);
    else if (found) current.set(item, found);
  }
  return current;
}
