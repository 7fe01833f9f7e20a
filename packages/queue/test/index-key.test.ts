import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { freshPrefix } from '../../../test/support/redis.ts';
import { openTestStore } from '../../../test/support/store.ts';
import type { Store } from '../src/index.ts';

const key = () => randomBytes(32).toString('base64');

async function open(options: Parameters<typeof openTestStore>[0]): Promise<Store> {
  const store = await openTestStore(options);
  onTestFinished(() => store.close());
  return store;
}

const digestOf = async (store: Store, kind = 'phone', value = '+14155550123') =>
  (await store.indexKey.load())(kind, value);

it('makes the same digest in every process, another for another kind, value or installation', async () => {
  const prefix = freshPrefix();
  const index_key = key();
  const [one, two] = [await open({ prefix, index_key }), await open({ prefix, index_key })];
  expect(await digestOf(one)).toMatch(/^[\w-]{43}$/);
  expect(await digestOf(two)).toBe(await digestOf(one));
  expect(await digestOf(one, 'email')).not.toBe(await digestOf(one));
  expect(await digestOf(one, 'phone', '+14155550124')).not.toBe(await digestOf(one));
  expect(await digestOf(await open({ index_key: key() }))).not.toBe(await digestOf(one));
});

it('is made once where none is given, however many processes start together', async () => {
  const prefix = freshPrefix();
  const stores = await Promise.all(Array.from({ length: 8 }, () => open({ prefix })));
  const digests = await Promise.all(stores.map((store) => digestOf(store)));
  expect(new Set(digests).size).toBe(1);
  expect(stores[0]?.indexKey.given).toBe(false);
});

it('is kept encrypted where there is a key for that', async () => {
  const prefix = freshPrefix();
  const encryption_keys = key();
  const store = await open({ prefix, encryption_keys });
  const digest = await digestOf(store);
  const kept = Buffer.from((await store.redis.hget(store.keys.installation, 'index_key')) ?? '', 'base64');
  expect(kept.length).toBeGreaterThan(32);
  expect(await digestOf(await open({ prefix, encryption_keys }))).toBe(digest);
  await expect(digestOf(await open({ prefix }))).rejects.toThrow(/encrypted with key/);
});

it('refuses another key than the one of the installation, and none where there is one', async () => {
  const prefix = freshPrefix();
  const index_key = key();
  await digestOf(await open({ prefix, index_key }));
  const other = key();
  await expect(digestOf(await open({ prefix, index_key: other }))).rejects.toMatchObject({
    name: 'InstallationError',
    message: expect.stringMatching(
      /^WRAPUP_INDEX_KEY \(fingerprint [0-9a-f]{16}\) is not the key of this installation/,
    ),
    hint: expect.stringContaining('the value it had before'),
  });
  await expect(digestOf(await open({ prefix }))).rejects.toThrow(/WRAPUP_INDEX_KEY is not set/);
  // The right one still works, and the refusal named no key.
  await digestOf(await open({ prefix, index_key }));
});

it('says what is wrong with a key that is none, without showing it', async () => {
  await expect(open({ index_key: 'short-secret' })).rejects.toThrow(
    'WRAPUP_INDEX_KEY is not 32 bytes in base64 or hex. Make one with: openssl rand -base64 32',
  );
});
