/**
 * Encrypts everything that Redis holds of people and tokens with the current key, which for a client with keys of its own is
 * the first of these: plain values of an earlier version or of a time without a key, and values under an older key. When
 * nothing plain is left, the mark `encrypted` is set, and plain values are refused from then on.
 *
 * May be stopped and run again at any time: values of the current key are only checked. A value that changes
 * meanwhile is left as its writer made it.
 */
import { hash } from 'node:crypto';
import { clientOfPlace, encryptedPatterns, HEAD_BYTES, keyIdOf } from '../encryption/encryptor.ts';
import { INDEX_KEY_PLACE } from '../encryption/index-key.ts';
import { defineScript, scanKeys } from '../redis/client.ts';
import type { Store } from './store.ts';

export interface Migration {
  /** Values that were plain and are encrypted now. */
  encrypted: number;
  /** Values of older keys that are under the current one now. */
  reencrypted: number;
  /** Values that were under the current key already. */
  current: number;
  /** Values that stay plain: written after everything was encrypted, and so not trusted. */
  refused: number;
  unreadable: UnreadableValues[];
  /** Epoch ms since when plain values are refused; null while plain ones are left. */
  since: number | null;
}

/** Values that stay as they are. */
export interface UnreadableValues {
  /** Whose they are; null: the installation's. */
  client: string | null;
  /** Id of the key that encrypted them; null where none did. */
  key: string | null;
  /** `missing`: that key is not at hand. `keys_unreadable`: what the client's file names as its keys cannot be read. */
  why: 'missing' | 'damaged' | 'keys_unreadable';
  values: number;
}

interface MigrationOptions {
  /** Only what belongs to this one. The mark is not set then. */
  client?: string;
  /** Trusts plain values that were written after everything was encrypted, and encrypts them. */
  acceptPlain?: boolean;
  /** Called with the number of values that have been checked. */
  onProgress?(done: number): void;
}

const BATCH_SIZE = 200;
/** Passes until no plain value was met: processes that have no key yet may write some meanwhile. */
const MAX_PASSES = 3;

/** Replaces a value that is still the same. KEYS value. ARGV SHA-1 of the old one, new one. Answers 1, or 0 when it has changed. */
const replace = defineScript<number>(
  'wrapupReencrypt',
  `
local have = redis.call('GET', KEYS[1])
if not have or redis.sha1hex(have) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1
`,
);

/** The same for the index key. KEYS installation. ARGV old, new. */
const replaceIndexKey = defineScript<number>(
  'wrapupReencryptIndexKey',
  `
if redis.call('HGET', KEYS[1], 'index_key') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'index_key', ARGV[2])
return 1
`,
);

/** @throws Error when no key is given, or those of the client cannot be read */
export async function migrateEncryption(store: Store, options: MigrationOptions = {}): Promise<Migration> {
  const { client } = options;
  const [current] = client === undefined ? store.encryptor.keys : store.encryptor.keysOf(client);
  if (current === undefined) throw new Error('WRAPUP_ENCRYPTION_KEY is not set: there is no key to encrypt with.');
  const since = await store.marks.at('encrypted');
  const trusts = since === undefined || (options.acceptPlain ?? false);
  const total: Migration = {
    encrypted: 0,
    reencrypted: 0,
    current: 0,
    refused: 0,
    unreadable: [],
    since: since ?? null,
  };
  let done = 0;
  for (let pass = 1; pass <= MAX_PASSES; pass += 1) {
    const found: Migration = { ...total, current: 0, refused: 0, unreadable: [] };
    const before = found.encrypted;
    if (client === undefined) await migrateIndexKey(store, found, trusts);
    await runPass(store, client, found, trusts, (count) => {
      done += count;
      options.onProgress?.(done);
    });
    Object.assign(total, found);
    if (found.encrypted > before) continue;
    if (found.refused === 0 && client === undefined) await store.marks.set('encrypted');
    total.since = (await store.marks.at('encrypted')) ?? null;
    break;
  }
  return total;
}

async function runPass(
  store: Store,
  client: string | undefined,
  found: Migration,
  trusts: boolean,
  onLook: (count: number) => void,
): Promise<void> {
  for (const pattern of encryptedPatterns(store.keys, client)) {
    let batch: string[] = [];
    for await (const name of scanKeys(store.redis, pattern)) {
      batch.push(name);
      if (batch.length < BATCH_SIZE) continue;
      await migrateBatch(store, batch, found, trusts);
      onLook(batch.length);
      batch = [];
    }
    await migrateBatch(store, batch, found, trusts);
    onLook(batch.length);
  }
}

async function migrateBatch(store: Store, names: string[], found: Migration, trusts: boolean): Promise<void> {
  // The first bytes only: a payload may have megabytes, and most are as they should be.
  const heads = await Promise.all(names.map((name) => store.redis.getrangeBuffer(name, 0, HEAD_BYTES - 1)));
  for (const [index, head] of heads.entries()) {
    const name = names[index] as string;
    // Expired since it was listed.
    if (head.length === 0) continue;
    const id = keyIdOf(head);
    // Every value is encrypted for its own name.
    const place = name.slice(store.keys.prefix.length + 1);
    const current = currentAt(store, place);
    if (current === undefined) countUnreadable(found, place, id, 'keys_unreadable');
    else if (id === current) found.current += 1;
    else if (id === undefined && !trusts) found.refused += 1;
    else await migrateValue(store, { name, place }, id, found);
  }
}

/** Id of the key that encrypts at a place; undefined where it is a client's and cannot be read. */
function currentAt({ encryptor }: Store, place: string): string | undefined {
  try {
    return encryptor.keysAt(place)[0];
  } catch {
    return undefined;
  }
}

async function migrateValue(
  store: Store,
  { name, place }: { name: string; place: string },
  id: string | undefined,
  found: Migration,
): Promise<void> {
  const { redis, encryptor } = store;
  const kept = await redis.getBuffer(name);
  if (!kept || keyIdOf(kept) !== id) return;
  const bytes = id === undefined ? kept : await encryptor.decrypt(kept, place).catch(() => undefined);
  if (!bytes) return countUnreadable(found, place, id, whyUnreadable(encryptor.keysAt(place), id));
  const sha = hash('sha1', kept);
  if ((await replace(redis, [name], [sha, encryptor.encrypt(bytes, place)])) === 0) return;
  if (id === undefined) found.encrypted += 1;
  else found.reencrypted += 1;
}

function whyUnreadable(keys: readonly string[], id: string | undefined): UnreadableValues['why'] {
  return id !== undefined && !keys.includes(id) ? 'missing' : 'damaged';
}

async function migrateIndexKey(store: Store, found: Migration, trusts: boolean): Promise<void> {
  const { redis, keys, encryptor } = store;
  const text = await redis.hget(keys.installation, 'index_key');
  if (text === null) return;
  const kept = Buffer.from(text, 'base64');
  const id = keyIdOf(kept);
  if (id === encryptor.key) return;
  if (id === undefined && !trusts) {
    found.refused += 1;
    return;
  }
  const bytes = id === undefined ? kept : await encryptor.decrypt(kept, INDEX_KEY_PLACE).catch(() => undefined);
  if (!bytes) return countUnreadable(found, INDEX_KEY_PLACE, id, whyUnreadable(encryptor.keys, id));
  await replaceIndexKey(
    redis,
    [keys.installation],
    [text, encryptor.encrypt(bytes, INDEX_KEY_PLACE).toString('base64')],
  );
  if (id === undefined) found.encrypted += 1;
  else found.reencrypted += 1;
}

function countUnreadable(
  { unreadable }: Migration,
  place: string,
  id: string | undefined,
  why: UnreadableValues['why'],
): void {
  const client = clientOfPlace(place) ?? null;
  const key = id ?? null;
  const known = unreadable.find((one) => one.client === client && one.key === key && one.why === why);
  if (known) known.values += 1;
  else unreadable.push({ client, key, why, values: 1 });
}
