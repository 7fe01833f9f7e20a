/**
 * The last step of the key ladder: records without a unique property (`key-ladder.ts`).
 *
 * A record's id is remembered outside HubSpot, and known again from the ledger; a lease keeps other deliveries from
 * creating it. When it is open whether an earlier creation succeeded, the record is looked for by its key line: among the
 * person's own records, which HubSpot reads without the lag of its search; for a call without a person by a search for
 * its time. An account may have the property without its values being unique: then that counts like the line.
 */
import { type Context, Failure, type Subject } from '@wrapup/destination';
import {
  askedFor,
  digest,
  type Existing,
  type Item,
  type KeyStrategy,
  leaseEach,
  type Properties,
  personMemories,
  type RecordReading,
  writtenMemories,
} from '@wrapup/destination/engine';
import { asList, asObject } from '@wrapup/destination/http';
import type { RecordPlan } from '@wrapup/mapping';
import { searchEqual } from '../client/api.ts';
import { propertiesOf, readItems, readMany, toRecord } from '../client/batches.ts';
import { keyProperty, timestampOf } from '../client/definitions.ts';
import type { HubSpotSession } from '../client/transport.ts';
import { asHubSpotFailure } from '../errors/classify.ts';
import { readLinks } from '../records/related.ts';

export function idMap(session: HubSpotSession): KeyStrategy {
  const { ctx } = session;
  const ids = new Map<Item, string>();
  return {
    upserts: false,
    keyed({ key: _, ...row }, { object, key }) {
      const fields = withKeyLine(object, row.fields as Record<string, string>, key, row.id === undefined);
      return { ...row, fields };
    },
    async claim(items) {
      const failed = new Map<Item, Failure>();
      const attempt = async (item: Item, what: () => Promise<void>) => {
        if (!failed.has(item)) await what().catch((thrown: unknown) => failed.set(item, Failure.of(thrown)));
      };
      const recall = (item: Item) => attempt(item, () => recallId(ctx, item, ids));
      for (const item of items) await recall(item);
      const unknown = items.filter((item) => !ids.has(item) && !failed.has(item));
      const leases = await leaseEach(ctx, unknown, ({ record }) => [`record:${nameOf(record)}`]);
      for (const [item, failure] of leases.failed) failed.set(item, failure);
      const begun = new Set<Item>();
      for (const item of leases.held) {
        // The delivery that held the lease before may have created the record.
        await recall(item);
        if (!ids.has(item)) await attempt(item, () => begin(ctx, item, begun));
      }
      return { doubtful: new Set([...ids.keys(), ...begun]), failed, release: leases.release };
    },
    async read(items) {
      // Those that are only looked for, and not claimed, may be remembered all the same.
      for (const item of items) if (!ids.has(item)) await recallId(ctx, item, ids);
      const known = new Map(items.flatMap((item) => (ids.has(item) ? [[item, ids.get(item) ?? '']] : [])));
      const readings = await readById(session, known);
      for (const item of items) if (!known.has(item)) readings.set(item, await findByLine(session, item));
      return readings;
    },
    async confirm(written) {
      for (const { item, receipt } of written)
        await ctx.memory.set(recordIdMemory(item.record), receipt.id, 'ledger').catch((thrown: unknown) => {
          // Its line finds it; only the short cut is lost.
          ctx.log.warn({ error: Failure.of(thrown).message }, 'a new record could not be remembered');
        });
    },
  };
}

const nameOf = ({ object, key }: RecordPlan) => `${object}:${digest(key)}`;

async function recallId(ctx: Context, item: Item, ids: Map<Item, string>): Promise<void> {
  const { write, record } = item;
  const id = write.plan.resume?.records[record.name] ?? (await ctx.memory.get(recordIdMemory(record)));
  if (id !== undefined) ids.set(item, id);
}

/** Marks the record as about to be created: a delivery that finds the mark and no id looks for the record first. */
async function begin(ctx: Context, item: Item, begun: Set<Item>): Promise<void> {
  const mark = recordStartedMemory(item.record);
  if ((await ctx.memory.get(mark)) !== undefined) begun.add(item);
  await ctx.memory.set(mark, '1', 'ledger');
}

/** Those that are there no more are created again, as with a key. */
async function readById(session: HubSpotSession, ids: ReadonlyMap<Item, string>): Promise<Map<Item, RecordReading>> {
  const readings = new Map<Item, RecordReading>();
  for (const [item, one] of await readItems(session, ids)) {
    readings.set(item, one === 'absent' || one instanceof Failure ? one : withoutLine(item, one));
    if (one === 'absent') await session.ctx.memory.delete(recordIdMemory(item.record)).catch(() => {});
  }
  return readings;
}

/** Looks for a record whose creation may have succeeded. */
async function findByLine(session: HubSpotSession, item: Item): Promise<RecordReading> {
  const { write, record } = item;
  const { object, key } = record;
  const own = keyProperty(object);
  try {
    const ids = askedFor((await candidatesOf(session, item)).map((id) => [id, [write.index]]));
    const properties = [...propertiesOf([item]), own, keyLineProperty(object) ?? own];
    const records: Existing[] = [];
    for (const one of (await readMany(session, { object, ids, properties })).values()) {
      if (one instanceof Failure) return one;
      records.push(one);
    }
    const same = records.find(({ properties: values }) => values[own] === key || hasKeyLine(object, values, key));
    return same ? withoutLine(item, same) : 'absent';
  } catch (thrown) {
    return asHubSpotFailure(thrown);
  }
}

/** Ids of the person's records of that object, or of all at the same time where there is no person. @throws Failure */
async function candidatesOf(session: HubSpotSession, { write, record, targets }: Item): Promise<string[]> {
  const plans = [write.index];
  const person = targets.find(({ object }) => object === 'contacts') ?? targets[0];
  if (person) {
    const ids = new Map([[person.id, plans]]);
    const links = await readLinks(session, {
      of: person.object,
      object: record.object,
      ids,
      properties: [],
      all: true,
    });
    const linked = links.get(person.id) ?? [];
    if (linked instanceof Failure) throw linked;
    return linked.map(({ id }) => id);
  }
  const time = timestampOf(write.plan, record);
  if (time === undefined) return [];
  const call = searchEqual(record.object, 'hs_timestamp', String(Date.parse(time)));
  return asList(asObject((await session.send(call, plans)).body).results).map((one) => toRecord(one).id);
}

/** The text as the mapping wrote it: a line that is added each time is no difference. */
function withoutLine({ record: { object, key } }: Item, { id, properties }: Existing): Existing {
  return { id, properties: withoutKeyLine(object, properties, key) };
}

/* The key as a line in a record's own text, for accounts that refuse the unique property. Pure. */

interface Place {
  property: string;
  html: boolean;
}

/** Where the line goes, by object. A custom object has no text that every account has, and so no line. */
const PLACES: Record<string, Place> = {
  calls: { property: 'hs_call_body', html: true },
  tasks: { property: 'hs_task_body', html: true },
  notes: { property: 'hs_note_body', html: true },
  meetings: { property: 'hs_meeting_body', html: true },
  deals: { property: 'description', html: false },
  tickets: { property: 'content', html: false },
  companies: { property: 'description', html: false },
};

/** Characters that a line takes at most; texts leave room for it. */
export const KEY_LINE_ROOM = 536;

function keyLineProperty(object: string): string | undefined {
  return PLACES[object]?.property;
}

const LINE = 'Wrapup key: ';
const lineOf = (key: string, html: boolean) =>
  `${LINE}${html ? key.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;') : key}`;

/**
 * Properties with the line at the end of their text.
 * @param creating a record to be created gets the line even when nothing else is written there
 */
function withKeyLine(
  object: string,
  properties: Record<string, string>,
  key: string,
  creating: boolean,
): Record<string, string> {
  const place = PLACES[object];
  if (!place) return properties;
  const text = properties[place.property];
  if (text === undefined && !creating) return properties;
  const line = lineOf(key, place.html);
  const whole = text ? `${text}${place.html ? '<br><br>' : '\n\n'}${line}` : line;
  return { ...properties, [place.property]: whole };
}

/** Properties without the line at the end of their text. */
function withoutKeyLine(object: string, properties: Properties, key: string): Properties {
  const property = PLACES[object]?.property;
  const text = property === undefined ? undefined : properties[property];
  if (property === undefined || typeof text !== 'string' || !hasKeyLine(object, properties, key)) return properties;
  return { ...properties, [property]: text.slice(0, text.lastIndexOf(LINE)).replace(/(?:<br>|\s)+$/, '') };
}

/** True when the text holds this key's line, and not only that of a longer key. */
function hasKeyLine(object: string, properties: Properties, key: string): boolean {
  const place = PLACES[object];
  const text = place && properties[place.property];
  if (!place || typeof text !== 'string') return false;
  const line = lineOf(key, place.html);
  for (let at = text.indexOf(line); at >= 0; at = text.indexOf(line, at + 1)) {
    const next = text[at + line.length];
    if (next === undefined || /[\s<]/.test(next)) return true;
  }
  return false;
}

/* Under which names of `ctx.memory` something is kept of single calls and people. What is kept of accounts has names elsewhere. */

interface Keyed {
  object: string;
  key: string;
}

/** Id of a record that its account gives no unique key. */
function recordIdMemory({ object, key }: Keyed): string {
  return `record-id:${object}:${digest(key)}`;
}

/** That such a record is about to be created. */
function recordStartedMemory({ object, key }: Keyed): string {
  return `record-started:${object}:${digest(key)}`;
}

/** All of them that may be of a person: see `DestinationKind.remembers`. */
export function memoriesOf(subject: Subject): string[] {
  return [
    ...personMemories(subject),
    ...writtenMemories(subject),
    ...subject.records.flatMap((record) => [recordIdMemory(record), recordStartedMemory(record)]),
  ];
}
