/** Makes the dictionaries of sources, one at a time: the sweep's work. */
import { clientOf } from '@wrapup/call';
import type { LedgerEntry } from '../ledger/entry.ts';
import type { Store } from '../store/store.ts';
import { buildDictionary } from './build-dictionary.ts';

/** A dictionary is made anew after so long, in ms: prompts and fields of agents change. */
const RENEW_MS = 30 * 24 * 3600_000;
/** Where there were too few payloads, it is tried again after so long. */
const RETRY_MS = 24 * 3600_000;
/** Payloads that one is made of, each of another person. */
const MIN_BODIES = 40;
const MAX_BODIES = 120;
/** Calls of the source that are looked at for them, the latest ones; and calls in all, as a list may hold those of others. */
const MAX_CALLS = 1_000;
const MAX_LISTED = 10_000;

/**
 * Makes the dictionary of the source that is due for the longest.
 * @param sources full names
 * @returns which source, and whether it has one now; undefined where none is due
 */
export async function trainDictionaries(
  store: Store,
  sources: readonly string[],
  now = Date.now(),
): Promise<{ source: string; made: boolean } | undefined> {
  const notes = await store.dictionaries.notes();
  const due = sources
    .map((source) => ({ source, note: notes.get(source) }))
    .filter(({ note }) => !note || now - note.at >= (note.id === undefined ? RETRY_MS : RENEW_MS))
    .sort((a, b) => (a.note?.at ?? 0) - (b.note?.at ?? 0))[0];
  if (!due) return undefined;
  const { source } = due;
  const bodies = await readBodies(store, source);
  const bytes = bodies.length < MIN_BODIES ? undefined : await buildDictionary(bodies);
  await store.dictionaries.put(source, bytes, now);
  return { source, made: bytes !== undefined };
}

/** The latest payloads of a source, one for each person. */
async function readBodies(store: Store, source: string): Promise<Buffer[]> {
  const client = clientOf(source);
  const people = new Set<string>();
  const bodies: Buffer[] = [];
  let [listed, looked] = [0, 0];
  for await (const entry of store.ledger.scan(client === undefined ? {} : { client })) {
    listed += 1;
    if (entry.source === source) looked += 1;
    if (listed > MAX_LISTED || looked > MAX_CALLS || bodies.length === MAX_BODIES) break;
    if (entry.source !== source || !entry.indexed || entry.forgotten !== undefined) continue;
    const digests = ((await store.ledger.readFields(source, entry.call_id)).people ?? '').split(' ');
    // Whom it names is in the index of people; a call that names none there may be of any person.
    if (digests.join('') === '' || digests.some((digest) => people.has(digest))) continue;
    const body = await readBody(store, entry);
    if (!body) continue;
    bodies.push(body);
    for (const digest of digests) people.add(digest);
  }
  return bodies;
}

async function readBody(store: Store, { source, call_id, revisions }: LedgerEntry): Promise<Buffer | undefined> {
  const latest = revisions.findLast(({ effect }) => effect === 'applied');
  // One that cannot be decrypted is left out.
  return latest && store.payloads.read(source, call_id, latest.hash).catch(() => undefined);
}
