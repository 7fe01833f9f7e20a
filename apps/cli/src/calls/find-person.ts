/**
 * Finds the calls of a person by the index of people, which also knows calls whose payloads are gone. What the index does
 * not have is searched for in the payloads: revisions that no worker has read yet, calls with more addresses than are
 * indexed, and, until an upgrade is through, calls of versions without an index.
 */
import { addressesIn, clientOf, emailForm, numberForms, parseJson } from '@wrapup/call';
import type { CallRef, IndexedPerson, LedgerEntry, Store } from '@wrapup/queue';

export interface PersonQuery {
  by: 'email' | 'phone';
  /** E.164. */
  phones: string[];
  /** In lower case. */
  emails: string[];
  keys: IndexedPerson[];
}

/**
 * @param countries that a number without + may belong to
 * @returns undefined for what is neither an address nor a number
 */
export function readPerson(given: string, countries: readonly string[]): PersonQuery | undefined {
  if (given.includes('@')) {
    const email = emailForm(given);
    return { by: 'email', phones: [], emails: [email], keys: [{ by: 'email', value: email }] };
  }
  const forms = numberForms(given, countries);
  if (!forms) return undefined;
  const keys = forms.numbers.map((value) => ({ by: 'number' as const, value }));
  return { by: 'phone', phones: forms.e164, emails: [], keys };
}

/**
 * @param client whose calls are looked at; undefined for all
 * @param onLook called for every payload that has to be read, with their number
 */
export async function findCalls(
  store: Store,
  person: PersonQuery,
  client: string | undefined,
  onLook: (looked: number, of: number) => void,
): Promise<LedgerEntry[]> {
  const found = new Map<string, LedgerEntry>();
  const keep = (entry: LedgerEntry | undefined) => entry && found.set(nameOf(entry), entry);
  const isTheirs = isOf(client);
  for (const call of (await store.people.calls(person.keys)).filter(isTheirs)) keep(await read(store, call));

  const [unread, crowded] = (await Promise.all([store.people.unread(), store.people.calls([{ by: 'more' }])])).map(
    (calls) => calls.filter(isTheirs),
  ) as [CallRef[], CallRef[]];
  const isComplete = (await store.marks.at('calls_indexed')) !== undefined;
  const total = unread.length + crowded.length + (isComplete ? 0 : await store.ledger.count(client));
  let looked = 0;
  const look = async (entry: LedgerEntry | undefined) => {
    onLook(++looked, total);
    if (entry && !found.has(nameOf(entry)) && (await isNamed(store, entry, person))) keep(entry);
  };
  for (const call of [...unread, ...crowded]) await look(await read(store, call));
  if (!isComplete) {
    for await (const entry of store.ledger.scan(client === undefined ? {} : { client }))
      await look(entry.indexed ? undefined : entry);
  }
  return [...found.values()].sort((a, b) => b.received_at - a.received_at);
}

/** Other calls that were written to the records of these calls' people: the same person under another number. */
export async function findLinked(
  store: Store,
  entries: readonly LedgerEntry[],
  client: string | undefined,
): Promise<LedgerEntry[]> {
  // Imported here, as everything else that opens Redis: `wrapup check` must not pay for it.
  const { recordOf } = await import('@wrapup/queue');
  const records = entries.flatMap(({ deliveries }) =>
    deliveries.flatMap(({ connection, records }) =>
      records.filter(({ name }) => name === 'person').map(({ object, id }) => recordOf(connection, object, id)),
    ),
  );
  const known = new Set(entries.map(nameOf));
  const others = (await store.people.calls(records)).filter((call) => isOf(client)(call) && !known.has(nameOf(call)));
  const read = await Promise.all(others.map(({ source, call_id }) => store.ledger.read(source, call_id)));
  return read.filter((entry) => entry !== undefined);
}

const isOf = (client: string | undefined) => (call: CallRef) =>
  client === undefined || clientOf(call.source) === client;

const nameOf = ({ source, call_id }: CallRef) => `${source}:${call_id}`;

function read(store: Store, { source, call_id }: CallRef): Promise<LedgerEntry | undefined> {
  return store.ledger.read(source, call_id);
}

async function isNamed(store: Store, entry: LedgerEntry, { keys }: PersonQuery): Promise<boolean> {
  for (const { hash } of entry.revisions) {
    const body = await store.payloads.read(entry.source, entry.call_id, hash);
    if (!body) continue;
    const text = body.toString('utf8');
    const { numbers, emails } = addressesIn(parseJson(text) ?? text);
    const named = keys.some((key) => key.by !== 'more' && (key.by === 'email' ? emails : numbers).has(key.value));
    if (named) return true;
  }
  return false;
}
