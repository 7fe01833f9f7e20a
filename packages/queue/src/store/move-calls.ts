/**
 * Moves the calls of sources to other names, in one installation or from one to another: what the ledger says of each, its
 * payloads, and what is still to be done. Keys in CRMs stay, as the source keeps its `key_prefix`, so that a call which is
 * written before and after makes nothing twice.
 *
 * A copy holds what callers said, in plain text: a file of copies has to be encrypted.
 */
import { clientOf } from '@wrapup/call';
import { CALL_INDEX_LUA, unlistCall } from '../ledger/call-index.ts';
import { type LedgerEntry, parseEntry } from '../ledger/entry.ts';
import { type CallRef, recordOf } from '../ledger/people-index.ts';
import { placeOf, revisionOf } from '../payloads/payloads.ts';
import { defineScript, scanKeys } from '../redis/client.ts';
import { MAINTENANCE_QUEUE, memberOf } from '../redis/keys.ts';
import { countTaken, uncountCall } from '../stats/hourly-counts.ts';
import { indexCall } from '../unresolved/unresolved-index.ts';
import { forgetCall, holdDeliveries } from './forget.ts';
import type { Store } from './store.ts';

/** One call as it is kept. */
export interface CallCopy {
  /** The fields of its ledger entry. */
  fields: Record<string, string>;
  /** Milliseconds that the ledger keeps it from now; -1: for good. */
  ttl: number;
  /** Bodies in base64, and the milliseconds that they are kept from now. */
  payloads: { revision: string; body: string; ttl: number }[];
}

/**
 * What is kept for a connection beside calls: ids of records and marks of what was written, tokens that were renewed, and
 * whom operators chose.
 */
export interface MemoryCopy {
  kind: 'remembered' | 'secret' | 'choice';
  connection: string;
  /** What follows the connection in its name: a keyed digest, or the name of a secret. */
  name: string;
  /** Base64. */
  value: string;
  /** Milliseconds. */
  ttl: number;
}

/** How names change on the way. */
export interface Renaming {
  source(name: string): string;
  route(name: string): string;
  connection(name: string): string;
}

const PAGE_SIZE = 200;

/** The calls of a client or of a source, newest first. */
export async function* listCallRefs(
  store: Store,
  of: { client: string } | { source: string },
): AsyncGenerator<CallRef> {
  const client = 'client' in of ? of.client : clientOf(of.source);
  let after: string | undefined;
  do {
    const page = await store.ledger.pageOfIds({
      ...(after !== undefined && { after }),
      ...(client !== undefined && { client }),
      limit: PAGE_SIZE,
    });
    for (const call of page.calls) if (!('source' in of) || call.source === of.source) yield call;
    after = page.next;
  } while (after !== undefined);
}

/** A call and its payloads, as far as they are kept and can be decrypted. Undefined for one that the ledger does not know. */
export async function copyCall(store: Store, { source, call_id }: CallRef): Promise<CallCopy | undefined> {
  const { redis, keys } = store;
  const [fields, ttl] = await Promise.all([
    store.ledger.readFields(source, call_id),
    store.ledger.ttl(source, call_id),
  ]);
  const entry = parseEntry(fields);
  if (!entry) return undefined;
  const payloads: CallCopy['payloads'] = [];
  for (const { hash } of entry.revisions) {
    const left = await redis.pttl(keys.payload(source, call_id, hash));
    const body = left === -2 ? undefined : await store.payloads.read(source, call_id, hash);
    if (body) payloads.push({ revision: hash, body: body.toString('base64'), ttl: left });
  }
  return { fields, ttl, payloads };
}

/**
 * Puts an entry into the ledger. Where there is one of that id, the revisions and deliveries that it lacks are added: a call
 * may have come under its new name already, and neither may be lost. KEYS ledger, index, open. ARGV member, received_at, ms
 * that it is kept or nothing, then fields and values. Answers -1 for a new one, else how many were added.
 */
const putEntry = defineScript<number>(
  'wrapupPutEntry',
  `${CALL_INDEX_LUA}
if redis.call('EXISTS', KEYS[1]) == 1 then
  if redis.call('HEXISTS', KEYS[1], 'forgotten') == 1 then return 0 end
  local added = 0
  for i = 4, #ARGV, 2 do
    local kind = string.sub(ARGV[i], 1, 4)
    if kind == 'rev:' or kind == 'dlv:' then added = added + redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
  end
  if added > 0 then redis.call('ZADD', KEYS[3], 0, ARGV[1]) end
  return added
end
for i = 4, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ARGV[3] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
local source, received = unpack(redis.call('HMGET', KEYS[1], 'source', 'received'))
listCall(KEYS[2], ARGV[1], source, ARGV[2])
if received == 'webhook' then noteWebhook(KEYS[2], source, ARGV[2]) end
-- The next sweep looks at it, however young it is.
redis.call('ZADD', KEYS[3], 0, ARGV[1])
return -1
`,
);

export interface TakeOptions {
  renaming: Renaming;
  /** The digests in it were made with the index key of this installation. */
  sameKey: boolean;
  /** Epoch ms: what stopped since then because its route or source was not in the configuration is taken up again. */
  reviveSince?: number;
}

/**
 * Takes a copy in under its new names. A sweep gives what is open its jobs: the one that comes by itself within a minute,
 * or that of `sweepNow`.
 * @returns `merged` where the ledger has a call of that source and id that lacked some of it, `known` where it lacked nothing
 * or was forgotten
 */
export async function takeCall(
  store: Store,
  copy: CallCopy,
  options: TakeOptions,
): Promise<'taken' | 'merged' | 'known'> {
  const { redis, keys, encryptor } = store;
  const entry = parseEntry(copy.fields);
  if (!entry) throw new Error('the copy of a call has no id');
  const source = options.renaming.source(entry.source);
  const { call_id, received_at } = entry;
  const member = memberOf(source, call_id);
  await store.ledger.packed.unpack(source, call_id);
  // Nothing of it is stored again.
  if (await redis.hexists(keys.ledger(source, call_id), 'forgotten')) return 'known';
  const kept = new Set<string>();
  for (const { revision, body, ttl } of copy.payloads) {
    const bytes = Buffer.from(body, 'base64');
    if (revisionOf(bytes) !== revision) throw new Error(`a payload of call ${call_id} is not what its revision says`);
    const name = keys.payload(source, call_id, revision);
    const sealed = encryptor.encrypt(bytes, placeOf(source, call_id, revision));
    await (ttl > 0 ? redis.set(name, sealed, 'PX', ttl, 'NX') : redis.set(name, sealed, 'NX'));
    kept.add(revision);
  }
  const fields = renameFields(copy.fields, source, options);
  const put = await putEntry(
    redis,
    [keys.ledger(source, call_id), keys.index, keys.open],
    [member, received_at, copy.ttl > 0 ? copy.ttl : '', ...Object.entries(fields).flat()],
  );
  await indexCall(redis, [keys.ledger(source, call_id), keys.unresolved], []);
  await countTaken(redis, [keys.ledger(source, call_id), keys.counts], []);
  await indexPeople(store, { source, call_id }, options, copy, kept);
  // Compressed again, as the worker had them.
  for (const revision of kept) await store.payloads.compress(source, call_id, revision);
  if (put !== -1 && entry.forgotten !== undefined)
    await forgetCall(
      store,
      { source, call_id },
      { by: entry.forgotten_by === undefined ? undefined : { name: entry.forgotten_by } },
    );
  return put === -1 ? 'taken' : put > 0 ? 'merged' : 'known';
}

/** A call that goes on changing is left for the next pass. */
const MAX_COPIES = 5;

/**
 * Takes a call in under its new names and removes it under the old ones. What came in between is taken along.
 * @param wait ms for deliveries that are being written
 * @returns false where one is being written still, or it changed faster than it was copied: nothing is removed then
 */
export async function moveCall(store: Store, call: CallRef, options: TakeOptions, wait: number): Promise<boolean> {
  const entry = await store.ledger.read(call.source, call.call_id);
  if (!entry) return true;
  const { held, writing } = await holdDeliveries(store, entry, wait);
  try {
    return writing.length === 0 && (await moveHeld(store, call, options));
  } finally {
    for (const one of held) await one.release().catch(() => {});
  }
}

async function moveHeld(store: Store, call: CallRef, options: TakeOptions): Promise<boolean> {
  for (let round = 0; round < MAX_COPIES; round += 1) {
    const copy = await copyCall(store, call);
    if (!copy) return true;
    await takeCall(store, copy, options);
    const now = await store.ledger.readFields(call.source, call.call_id);
    if (JSON.stringify(Object.entries(now).sort()) !== JSON.stringify(Object.entries(copy.fields).sort())) continue;
    // The deliveries are held here.
    await removeCall(store, call, 0);
    return true;
  }
  return false;
}

/**
 * Removes a call that has been taken in elsewhere, with its jobs, so that nothing is left under its old name.
 * @param wait ms for deliveries that are being written
 */
export async function removeCall(store: Store, call: CallRef, wait?: number): Promise<void> {
  const { redis, keys } = store;
  await forgetCall(store, call, { wait });
  await uncountCall(redis, [keys.ledger(call.source, call.call_id), keys.counts], []);
  const member = memberOf(call.source, call.call_id);
  await redis.multi().del(keys.ledger(call.source, call.call_id)).zrem(keys.open, member).exec();
  await unlistCall(redis, [keys.index], [member, call.source]);
}

/** Has a worker give the calls that were taken in their jobs at once. */
export async function sweepNow(store: Store): Promise<void> {
  const options = { removeOnComplete: true, removeOnFail: true };
  await store.queues.get(MAINTENANCE_QUEUE).add('sweep', {}, options);
}

function renameFields(
  fields: Record<string, string>,
  source: string,
  { renaming, sameKey, reviveSince = Number.POSITIVE_INFINITY }: TakeOptions,
): Record<string, string> {
  const renamed: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'source') renamed.source = source;
    else if (name === 'people' || name === 'counted') continue;
    else if (name.startsWith('dlv:')) {
      // Counted elsewhere, and under other names.
      const { counted: _, ...delivery } = JSON.parse(value) as Delivery & { counted?: string };
      const route = renaming.route(delivery.route);
      // A digest of another key names nothing here.
      if (!sameKey) delete delivery.ambiguous;
      renamed[`dlv:${route}`] = JSON.stringify(
        reviveDelivery({ ...delivery, route, connection: renaming.connection(delivery.connection) }, reviveSince),
      );
    } else if (name.startsWith('rev:') && !sameKey) {
      const { digest: _, ...revision } = JSON.parse(value) as LedgerEntry['revisions'][number];
      renamed[name] = JSON.stringify(revision);
    } else if (name !== 'stopped' || !isLost(JSON.parse(value), reviveSince)) renamed[name] = value;
  }
  return renamed;
}

type Delivery = LedgerEntry['deliveries'][number];

/** What has to do with routes and sources that are not there. */
function isLost({ code, at }: { code?: string; at: number }, since: number): boolean {
  return code === 'mapping' && at >= since;
}

/** A delivery that stopped because its route was missing has a new beginning, as a replay gives it. */
function reviveDelivery(delivery: Delivery, since: number): Delivery {
  const stopped = delivery.state === 'parked' || delivery.state === 'dead';
  if (!stopped || !isLost({ ...delivery, at: delivery.since }, since)) return delivery;
  const { code: _, reason: __, hint: ___, ...rest } = delivery;
  return { ...rest, state: 'queued', since: Date.now(), replays: delivery.replays + 1 };
}

/**
 * Its people can be found again: by its digests where the index key is the same, else by reading its payloads when they are
 * asked for. Records are found by what the deliveries wrote.
 */
async function indexPeople(
  store: Store,
  call: CallRef,
  { sameKey }: TakeOptions,
  { fields, ttl }: CallCopy,
  kept: ReadonlySet<string>,
): Promise<void> {
  const entry = await store.ledger.read(call.source, call.call_id);
  if (!entry || entry.forgotten !== undefined) return;
  const digests = sameKey ? (fields.people ?? '').split(' ').filter(Boolean) : [];
  const records = entry.deliveries.flatMap(({ connection, records }) =>
    records.map(({ object, id }) => recordOf(connection, object, id)),
  );
  await store.people.restore(call, digests, records, ttl);
  if (digests.length === 0) for (const revision of kept) await store.people.leaveUnread(entry, revision);
}

const ENCRYPTED_KINDS = ['remembered', 'secret'] as const;

/** What is remembered for the chosen connections. What cannot be decrypted is left out, as it would be when it is asked for. */
export async function* copyMemories(store: Store, connection: (name: string) => boolean): AsyncGenerator<MemoryCopy> {
  const { redis, keys, encryptor } = store;
  for (const { connection: of, digest: name, ...choice } of await store.choices.list(connection)) {
    const value = Buffer.from(JSON.stringify(choice)).toString('base64');
    yield { kind: 'choice', connection: of, name, value, ttl: -1 };
  }
  for (const kind of ENCRYPTED_KINDS) {
    const pattern = kind === 'remembered' ? keys.memory('*', '*') : keys.secret('*', '*');
    for await (const key of scanKeys(redis, pattern)) {
      const place = key.slice(keys.prefix.length + 1);
      const [, of = '', ...rest] = place.split(':');
      if (!connection(of)) continue;
      const [sealed, ttl] = await Promise.all([redis.getBuffer(key), redis.pttl(key)]);
      const value = sealed && (await encryptor.decrypt(sealed, place).catch(() => undefined));
      if (value) yield { kind, connection: of, name: rest.join(':'), value: value.toString('base64'), ttl };
    }
  }
}

/** Takes in what was remembered, unless something younger is there. @returns whether it was taken */
export async function takeMemory(store: Store, copy: MemoryCopy, renaming: Renaming): Promise<boolean> {
  const { redis, keys, encryptor } = store;
  const connection = renaming.connection(copy.connection);
  if (copy.kind === 'choice') {
    const choice = JSON.parse(Buffer.from(copy.value, 'base64').toString()) as { source: string };
    const moved = JSON.stringify({ ...choice, source: renaming.source(choice.source) });
    return (await redis.hsetnx(keys.choices(connection), copy.name, moved)) === 1;
  }
  const key = keyOf(store, { ...copy, connection });
  const sealed = encryptor.encrypt(Buffer.from(copy.value, 'base64'), key.slice(keys.prefix.length + 1));
  const done = await (copy.ttl > 0 ? redis.set(key, sealed, 'PX', copy.ttl, 'NX') : redis.set(key, sealed, 'NX'));
  return done === 'OK';
}

/** Removes what was remembered under its old name. */
export async function removeMemory(store: Store, copy: MemoryCopy): Promise<void> {
  if (copy.kind === 'choice') await store.choices.remove({ connection: copy.connection, digest: copy.name });
  else await store.redis.del(keyOf(store, copy));
}

function keyOf({ keys }: Store, { kind, connection, name }: MemoryCopy): string {
  return kind === 'remembered' ? keys.memory(connection, name) : keys.secret(connection, name);
}
