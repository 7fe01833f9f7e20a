import { randomBytes } from 'node:crypto';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { openTestStore } from '../../../test/support/store.ts';
import { forgetMemories, makeContext, renameOldMemories, type Store } from '../src/index.ts';

const KEY = 'person-id:phone:8d23cf6c86e834a7aa6eded54c26ce2b';
let store: Store;

beforeEach(async () => {
  store = await openTestStore({ encryption_keys: randomBytes(32).toString('base64') });
  onTestFinished(() => store.close());
  await store.redis.zadd(store.keys.index, 1, 'main:of-an-earlier-version');
});

const contextOf = (connection = 'sales', ledger_days?: number) =>
  makeContext(store, {
    ...(ledger_days !== undefined && { ledger_days }),
    ...{ connection, priority: 'live', within: 10_000, signal: new AbortController().signal },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });

/** As earlier versions wrote it. */
async function keepOld(key: string, value: string, ttl = 90_000): Promise<string> {
  const name = store.keys.oldMemory('sales', key);
  await store.redis.set(name, store.encryptor.encrypt(Buffer.from(value), `memory:sales:${key}`), 'PX', ttl);
  return name;
}
const names = () => ('keys' in store.redis ? store.redis.keys(`${store.keys.prefix}:*memor*`) : []);

it('no name that an adapter gives reaches Redis, of a memory or of a lease', async () => {
  const ctx = contextOf();
  await ctx.memory.set('inbound:+14155550142', 'Dana', 60_000);
  const held = await ctx.lease.take([KEY], 60_000);
  if (!('scan' in store.redis)) throw new Error('one server is expected');
  const all = (await store.redis.keys(`${store.keys.prefix}:*`)).join(' ');
  expect(all).not.toMatch(/4155550142|8d23cf6c86/);
  expect(await ctx.memory.get('inbound:+14155550142')).toBe('Dana');
  expect(await contextOf('other').memory.get('inbound:+14155550142')).toBeUndefined();
  expect(await contextOf().lease.take([KEY], 60_000)).toBeUndefined();
  await held?.release();
  expect(await contextOf().lease.take([KEY], 60_000)).toBeDefined();
});

it('what is kept like the ledger ends when the ledger would, whatever length that is', async () => {
  // 1.3 days are 112,320.00000000001 s to a computer, and Redis takes whole numbers.
  for (const days of [1.3, 400]) {
    await contextOf('sales', days).memory.set(`written:${days}`, '1', 'ledger');
    const digest = (await store.indexKey.load())('memory', `written:${days}`);
    const left = await store.redis.pttl(store.keys.memory('sales', digest));
    expect(left / 86_400_000).toBeGreaterThan(days - 0.01);
    expect(left / 86_400_000).toBeLessThanOrEqual(days);
  }
});

it('an entry of an earlier version is found, and moved with the rest of its time', async () => {
  const old = await keepOld('watermark:17', '2026-01-01T00:00:00.000Z');
  expect(await contextOf().memory.get('watermark:17')).toBe('2026-01-01T00:00:00.000Z');
  expect(await store.redis.exists(old)).toBe(0);
  const digest = (await store.indexKey.load())('memory', 'watermark:17');
  const left = await store.redis.pttl(store.keys.memory('sales', digest));
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(90_000);
  expect(await contextOf().memory.get('watermark:17')).toBe('2026-01-01T00:00:00.000Z');
});

it('what was written since is not replaced by what is older, and deleting takes both', async () => {
  await keepOld(KEY, 'old');
  await contextOf().memory.set(KEY, 'new', 60_000);
  await renameOldMemories(store);
  expect(await contextOf().memory.get(KEY)).toBe('new');
  await keepOld(KEY, 'old');
  await contextOf().memory.delete(KEY);
  expect(await contextOf().memory.get(KEY)).toBeUndefined();
});

it('all of them are moved at once, and after that no old name is looked for', async () => {
  await keepOld(KEY, '1');
  await keepOld('record-id:calls:ab', '2');
  // A connection's own key with colons in it.
  await keepOld('schema:a:b', '3');
  expect(await renameOldMemories(store)).toBe(3);
  expect(await names()).toEqual([]);
  expect(await contextOf().memory.get('record-id:calls:ab')).toBe('2');
  expect(await contextOf().memory.get('schema:a:b')).toBe('3');
  await store.marks.set('names_moved');
  await keepOld('late', '4');
  expect(await contextOf().memory.get('late')).toBeUndefined();
});

it('what is to be forgotten is removed under its old and its new name', async () => {
  await keepOld(KEY, '1');
  await contextOf().memory.set('watermark:17', '2', 60_000);
  await contextOf('other').memory.set('watermark:17', '3', 60_000);
  expect(await forgetMemories(store, ['sales'], [KEY, 'watermark:17', 'never-there'])).toBe(2);
  expect(await contextOf().memory.get('watermark:17')).toBeUndefined();
  expect(await contextOf('other').memory.get('watermark:17')).toBe('3');
});
