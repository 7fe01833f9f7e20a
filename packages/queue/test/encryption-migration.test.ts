import { randomBytes, randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { freshPrefix } from '../../../test/support/redis.ts';
import { makeArrival, openTestStore } from '../../../test/support/store.ts';
import {
  auditEncryption,
  checkInstallation,
  type Keys,
  keyIdOf,
  makeContext,
  makeEncryptor,
  migrateEncryption,
  revisionOf,
  type Store,
} from '../src/index.ts';

const key = () => randomBytes(32).toString('base64');
const body = Buffer.from(JSON.stringify({ said: 'what Dana said' }));

async function open(prefix: string, encryption_keys?: string): Promise<Store> {
  const store = await openTestStore({ prefix, ...(encryption_keys ? { encryption_keys } : {}) });
  onTestFinished(() => store.close());
  return store;
}

const contextOf = (store: Store) =>
  makeContext(store, {
    ...{ connection: 'sales', priority: 'live', within: 10_000, signal: new AbortController().signal },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });

/** One of everything that is encrypted. */
async function fill(store: Store): Promise<string> {
  const call_id = randomUUID();
  await store.accept(makeArrival(call_id, body), 90);
  const { memory, secrets } = contextOf(store);
  await memory.set(`inbound:${call_id}`, 'Dana', 600_000);
  await secrets.keep('token', { value: 'a-token', expires_at: Date.now() + 3_600_000 });
  return call_id;
}

const read = (store: Store, call_id: string) => store.payloads.read('main', call_id, revisionOf(body));
const payload = (keys: Keys, call_id: string) => keys.payload('main', call_id, revisionOf(body));

it('encrypts everything, refuses plain values from then on, and changes nothing when run again', async () => {
  const prefix = freshPrefix();
  const plain = await open(prefix);
  await plain.indexKey.load();
  const call_id = await fill(plain);
  const digest = (await plain.indexKey.load())('phone', '1');

  const current = key();
  const store = await open(prefix, current);
  // Until then what is there is read as it is.
  expect(await read(store, call_id)).toEqual(body);
  const seen: number[] = [];
  const first = await migrateEncryption(store, { onProgress: (done) => seen.push(done) });
  // The payload, the memory, the token and the index key.
  expect(first).toMatchObject({ encrypted: 4, reencrypted: 0, refused: 0, unreadable: [] });
  expect(first.since).toBeGreaterThan(0);
  expect(seen.at(-1)).toBeGreaterThanOrEqual(3);
  expect(await auditEncryption(store)).toMatchObject({
    plain: 0,
    sealed: { [String(store.encryptor.key)]: 3 },
  });
  expect(await read(store, call_id)).toEqual(body);
  expect(await contextOf(store).memory.get(`inbound:${call_id}`)).toBe('Dana');
  expect(await contextOf(store).secrets.read('token')).toBe('a-token');
  expect(await store.redis.pttl(store.keys.secret('sales', 'token'))).toBeGreaterThan(0);
  expect((await (await open(prefix, current)).indexKey.load())('phone', '1')).toBe(digest);
  expect(await migrateEncryption(store)).toEqual({ ...first, encrypted: 0, current: 3 });

  // An attacker who can write to Redis cannot put a plain value in the place of an encrypted one.
  await store.redis.set(payload(store.keys, call_id), body, 'KEEPTTL');
  await expect(read(store, call_id)).rejects.toMatchObject({
    next: 'throttle',
    message: expect.stringContaining('It is not encrypted'),
    hint: expect.stringContaining('--accept-plain'),
  });
  expect(await migrateEncryption(store)).toMatchObject({ refused: 1, encrypted: 0, since: first.since });
  await expect(read(store, call_id)).rejects.toThrow('It is not encrypted');
  expect(await migrateEncryption(store, { acceptPlain: true })).toMatchObject({ refused: 0, encrypted: 1 });
  expect(await read(store, call_id)).toEqual(body);
});

it('a process without the key does not start once everything is encrypted', async () => {
  const prefix = freshPrefix();
  const plain = await open(prefix);
  await fill(plain);
  await checkInstallation(plain);
  await migrateEncryption(await open(prefix, key()));
  await expect(checkInstallation(await open(prefix))).rejects.toThrow(
    /WRAPUP_ENCRYPTION_KEY is not set, and everything/,
  );
});

it('is in force from the start where the first process has a key', async () => {
  const store = await open(freshPrefix(), key());
  await store.indexKey.load();
  const call_id = await fill(store);
  await store.redis.set(payload(store.keys, call_id), body, 'KEEPTTL');
  await expect(read(store, call_id)).rejects.toThrow('It is not encrypted');
});

it('takes values over from an older key, after which that one can be taken out', async () => {
  const prefix = freshPrefix();
  const [old, current] = [key(), key()];
  const before = await open(prefix, old);
  await before.indexKey.load();
  const call_id = await fill(before);
  const both = await open(prefix, `${current},${old}`);
  expect(await migrateEncryption(both)).toMatchObject({ encrypted: 0, reencrypted: 4, unreadable: [] });
  const after = await open(prefix, current);
  expect(await read(after, call_id)).toEqual(body);
  expect(await contextOf(after).memory.get(`inbound:${call_id}`)).toBe('Dana');
  const kept = (await after.redis.getBuffer(payload(after.keys, call_id))) as Buffer;
  expect(keyIdOf(kept)).toBe(makeEncryptor(current).key);
});

it('says which keys are missing, and leaves what it cannot read', async () => {
  const prefix = freshPrefix();
  const old = key();
  const index_key = key();
  const before = await openTestStore({ prefix, encryption_keys: old, index_key });
  onTestFinished(() => before.close());
  await before.indexKey.load();
  const call_id = await fill(before);
  const store = await openTestStore({ prefix, encryption_keys: key(), index_key });
  onTestFinished(() => store.close());
  const id = String(before.encryptor.key);
  expect(await migrateEncryption(store)).toMatchObject({
    ...{ encrypted: 0, reencrypted: 0 },
    unreadable: [{ client: null, key: id, why: 'missing', values: 3 }],
  });
  expect(await read(before, call_id)).toEqual(body);
});

it('has nothing to do without a key', async () => {
  await expect(migrateEncryption(await open(freshPrefix()))).rejects.toThrow('WRAPUP_ENCRYPTION_KEY is not set');
});
