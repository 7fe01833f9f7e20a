/**
 * The last step of the key ladder: records without a unique property (`key-steps.ts`).
 *
 * A record's id is remembered outside HubSpot, and known again from the ledger; while it is being created nobody else may
 * create it. When it is open whether an earlier creation came through, the record is looked for by its key line: among the
 * person's own records, which HubSpot reads without the lag of its search; for a call without a person by a search for
 * its time. An account may have the property without its values being unique: then that counts like the line.
 */
import type { Held } from '@wrapup/destination';
import { Failure } from '@wrapup/destination';
import { asObject, failJob, type Item, LEASED, noteDropped } from '@wrapup/destination/delivery';
import { readLinked, searchEqual } from './client/api.ts';
import { asHubSpotFailure } from './errors/classify.ts';
import { inlineRest, receiptOf, rowOf, type Writing } from './items.ts';
import { hasKeyLine, keyLineProperty, withKeyLine } from './key-line.ts';
import type { Written } from './links.ts';
import { keyProperty } from './objects.ts';
import { readMany, toRecord } from './read-many.ts';
import {
  forgetRecord,
  markRecordStarted,
  recallRecord,
  recordLease,
  rememberRecord,
  wasRecordStarted,
} from './remembered.ts';
import { type Row, sendRows } from './rows.ts';
import { updateKnown } from './update-known.ts';

/** Ms after which a record that somebody else is creating is tried again. */
const BUSY = 1000;
/** Records of one person that are looked through, the latest first. */
const MOST_LINKED = 1000;

/** Never rejects. */
export async function writeByMap(writing: Writing, items: Item[]): Promise<Written[]> {
  const known = new Map<Item, string>();
  const unknown: Item[] = [];
  for (const item of items) if (!(await recall(writing, item, known))) unknown.push(item);
  const leases: Held[] = [];
  try {
    const mine: Item[] = [];
    for (const item of unknown) {
      const held = item.job.outcome ? undefined : await takeLease(writing, item);
      if (!held) continue;
      leases.push(held);
      // Whoever held it before may have created the record.
      if (!(await recall(writing, item, known))) mine.push(item);
    }
    const current = await readKnown(writing, known);
    await findByLine(writing, await doubtfulOf(writing, mine), current);
    const all = [...known.keys(), ...mine];
    const written = await updateFound(writing, all, current);
    const absent = all.filter((item) => !current.has(item));
    return [...written, ...(absent.length > 0 ? await create(writing, absent, true) : [])];
  } finally {
    for (const held of leases) await held.release().catch(() => {});
  }
}

/** @returns true when the item's id is known, or the job has ended */
async function recall({ session }: Writing, item: Item, into: Map<Item, string>): Promise<boolean> {
  const { job, record } = item;
  try {
    const id = job.plan.resume?.records[record.name] ?? (await recallRecord(session.ctx, record));
    if (id !== undefined) into.set(item, id);
    return id !== undefined;
  } catch (thrown) {
    failJob(job, asHubSpotFailure(thrown), record.name);
    return true;
  }
}

async function takeLease({ session }: Writing, { job, record }: Item): Promise<Held | undefined> {
  try {
    const held = await session.ctx.lease.take([recordLease(record.object, record.key)], LEASED);
    if (held) return held;
    const hint = 'Nothing to do: the delivery goes on by itself.';
    throw new Failure('busy', 'Another delivery is writing the same record at this moment.', {
      retry_after: BUSY,
      hint,
    });
  } catch (thrown) {
    failJob(job, asHubSpotFailure(thrown), record.name);
    return undefined;
  }
}

/** Those whose creation may have been begun before. */
async function doubtfulOf({ session }: Writing, items: Item[]): Promise<Item[]> {
  const doubtful: Item[] = [];
  for (const item of items) {
    const { job, record } = item;
    try {
      if (job.plan.resume || (await wasRecordStarted(session.ctx, record))) doubtful.push(item);
    } catch (thrown) {
      failJob(job, asHubSpotFailure(thrown), record.name);
    }
  }
  return doubtful;
}

interface Current {
  id: string;
  properties: Record<string, string | null>;
}

/** Those that are there no more are created again, as with a key. */
async function readKnown({ session }: Writing, known: Map<Item, string>): Promise<Map<Item, Current>> {
  const current = new Map<Item, Current>();
  const [first] = known.keys();
  if (!first) return current;
  const plansOf = (id: string) => [...known].filter(([, one]) => one === id).map(([{ job }]) => job.index);
  const reading = await readMany(session, first.record.object, known.values(), namesOf([...known.keys()]), plansOf);
  for (const [item, id] of known) {
    const failure = reading.failed.get(id);
    const found = reading.found.get(id);
    if (failure) failJob(item.job, failure, item.record.name);
    else if (found) current.set(item, found);
    else await forgetRecord(session.ctx, item.record).catch(() => {});
  }
  return current;
}

function namesOf(items: Item[]): string[] {
  return [...new Set(items.flatMap(({ record }) => record.fields.map(({ name }) => name)))];
}

/** Looks for records whose creation may have come through. Ends the jobs for which that cannot be told. */
async function findByLine(writing: Writing, items: Item[], into: Map<Item, Current>): Promise<void> {
  for (const item of items) {
    const { job, record } = item;
    if (job.outcome) continue;
    try {
      const ids = await candidatesOf(writing, item);
      const own = keyProperty(record.object);
      const properties = [...namesOf([item]), own, keyLineProperty(record.object) ?? own];
      const reading = await readMany(writing.session, record.object, ids, properties, () => [job.index]);
      const failure = [...reading.failed.values()][0];
      if (failure) throw failure;
      const found = [...reading.found.values()].find(
        (one) => one.properties[own] === record.key || hasKeyLine(record.object, one.properties, record.key),
      );
      if (found) into.set(item, found);
    } catch (thrown) {
      failJob(job, asHubSpotFailure(thrown), record.name);
    }
  }
}

/** Ids of the person's records of that object, or of all at the same time where there is no person. */
async function candidatesOf({ session }: Writing, { job, record, targets }: Item): Promise<string[]> {
  const person = targets.find((target) => target.object === 'contacts') ?? targets[0];
  if (person) {
    const body = asObject((await session.send(readLinked(person.object, record.object, person.id), [job.index])).body);
    const results = Array.isArray(body.results) ? body.results.map(asObject) : [];
    const ids = results.flatMap(({ to }) =>
      Array.isArray(to) ? to.map((one) => String(asObject(one).toObjectId)) : [],
    );
    return ids.sort((a, b) => Number(b) - Number(a)).slice(0, MOST_LINKED);
  }
  const time = rowOf({ job, record, targets }, undefined, false).properties.hs_timestamp;
  if (time === undefined) return [];
  const call = searchEqual(record.object, 'hs_timestamp', String(Date.parse(time)));
  const body = asObject((await session.send(call, [job.index])).body);
  return (Array.isArray(body.results) ? body.results : []).map((one) => toRecord(one).id);
}

async function updateFound(writing: Writing, items: Item[], current: Map<Item, Current>): Promise<Written[]> {
  const found = items.flatMap((item) => {
    const there = current.get(item);
    return there && !item.job.outcome ? [{ item, ...withoutLine(item, there) }] : [];
  });
  const written = await updateKnown(writing, found, (row, { record }) => ({
    ...row,
    properties: withKeyLine(record.object, row.properties, record.key, false),
  }));
  for (const { item, receipt } of written) await remember(writing, item, receipt.id);
  return written;
}

/** The text as the mapping wrote it: a line that is added each time is no difference. */
function withoutLine({ record }: Item, { id, properties }: Current): Current {
  const property = keyLineProperty(record.object);
  const text = property && properties[property];
  if (!text || !hasKeyLine(record.object, properties, record.key)) return { id, properties };
  const at = text.lastIndexOf('Wrapup key: ');
  return { id, properties: { ...properties, [property]: text.slice(0, at).replace(/(?:<br>|\s)+$/, '') } };
}

async function create(writing: Writing, items: Item[], first: boolean): Promise<Written[]> {
  const { session, policy, account } = writing;
  const rows = new Map<Row, Item>();
  for (const item of items.filter(({ job }) => !job.outcome)) {
    const { job, record } = item;
    try {
      await markRecordStarted(session.ctx, record);
      const { key: _, ...row } = rowOf(item, undefined, true);
      rows.set({ ...row, properties: withKeyLine(record.object, row.properties, record.key, true) }, item);
    } catch (thrown) {
      failJob(job, asHubSpotFailure(thrown), record.name);
    }
  }
  const written: Written[] = [];
  const doubtful: Item[] = [];
  const object = items[0]?.record.object ?? '';
  for (const [row, result] of await sendRows(session, 'create', object, [...rows.keys()], policy)) {
    const item = rows.get(row);
    if (!item) continue;
    noteDropped(item.job, item.record.name, result.dropped);
    if (result.ok) {
      written.push(inlineRest(item, receiptOf(item, result.id, 'created', account)));
      await remember(writing, item, result.id);
    } else if (first && result.failure.doubt && session.usable) doubtful.push(item);
    else failJob(item.job, result.failure, item.record.name);
  }
  if (doubtful.length === 0) return written;
  const current = new Map<Item, Current>();
  await findByLine(writing, doubtful, current);
  const found = await updateFound(writing, doubtful, current);
  const absent = doubtful.filter((item) => !current.has(item));
  return [...written, ...found, ...(absent.length > 0 ? await create(writing, absent, false) : [])];
}

async function remember({ session }: Writing, { record }: Item, id: string): Promise<void> {
  try {
    await rememberRecord(session.ctx, record, id);
  } catch (thrown) {
    // Its line finds it; only the short cut is lost.
    session.ctx.log.warn({ error: asHubSpotFailure(thrown).message }, 'a new record could not be remembered');
  }
}
