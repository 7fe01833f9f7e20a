import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { freshPrefix } from '../../../test/support/redis.ts';
import { openTestStore } from '../../../test/support/store.ts';
import { ClientFiles, keyIdOf, migrateEncryption, readClientFiles } from '../src/index.ts';

const key = () => randomBytes(32).toString('base64');
const ACME: Record<string, string> = { 'clients/acme.yaml': 'sources: { main: { webhook_secrets: [a-secret] } }' };
const BOLT: Record<string, string> = { 'clients/bolt.yaml': 'sources: {}' };

async function open(encryption_keys = key(), prefix = freshPrefix()) {
  const store = await openTestStore({ prefix, encryption_keys });
  onTestFinished(() => store.close());
  return { store, prefix, files: new ClientFiles(store) };
}

it('keeps the files of each client encrypted, and brings them back in another process', async () => {
  const { store, files } = await open();
  await files.keep(new Map([['acme', ACME]]));
  const kept = await store.redis.getBuffer(store.keys.clientFiles('acme'));
  expect(keyIdOf(kept as Buffer)).toBe(store.encryptor.key);
  expect(kept?.includes('a-secret')).toBe(false);
  expect(await new ClientFiles(store).read('acme')).toEqual(ACME);
  expect(await files.read('bolt')).toBeUndefined();
});

it('writes what has changed, and forgets clients whose files are gone', async () => {
  const { store, files } = await open();
  await files.keep(
    new Map([
      ['acme', ACME],
      ['bolt', BOLT],
    ]),
  );
  const before = await store.redis.getBuffer(store.keys.clientFiles('acme'));
  const changed: Record<string, string> = { 'clients/bolt.yaml': 'sources: { other: {} }' };
  await new ClientFiles(store).keep(
    new Map([
      ['acme', ACME],
      ['bolt', changed],
    ]),
  );
  expect(await store.redis.getBuffer(store.keys.clientFiles('acme'))).toEqual(before);
  expect(await files.read('bolt')).toEqual(changed);
  await files.forgetOthers(['acme']);
  expect(await files.read('bolt')).toBeUndefined();
  expect(await files.read('acme')).toEqual(ACME);
});

it('stays readable when the key is rotated', async () => {
  const [old, next] = [key(), key()];
  const { prefix, files } = await open(old);
  await files.keep(new Map([['acme', ACME]]));
  const rotated = await open(`${next},${old}`, prefix);
  expect(await migrateEncryption(rotated.store)).toMatchObject({ reencrypted: 1 });
  const { files: after, store } = await open(next, prefix);
  expect(await after.read('acme')).toEqual(ACME);
  await after.keep(new Map([['acme', ACME]]));
  expect(keyIdOf((await store.redis.getBuffer(store.keys.clientFiles('acme'))) as Buffer)).toBe(store.encryptor.key);
});

it('is read over a connection of its own, and rejects while the key does not fit', async () => {
  const { prefix, files } = await open();
  await files.keep(new Map([['acme', ACME]]));
  const other = () => openTestStore({ prefix, encryption_keys: key() });
  const store = await other();
  await expect(readClientFiles(() => store, 'acme')).rejects.toThrow(/encrypt|key/i);
});
