import { hash, randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { freshPrefix } from '../../../test/support/redis.ts';
import { openTestStore } from '../../../test/support/store.ts';
import { askClientFiles, ClientFiles, keyIdOf, migrateEncryption } from '../src/index.ts';

const key = () => randomBytes(32).toString('base64');
const ACME: Record<string, string> = { 'clients/acme.yaml': 'sources: { main: { webhook_secrets: [a-secret] } }' };
const BOLT: Record<string, string> = { 'clients/bolt.yaml': 'sources: {}' };

const INDEX = key();

async function open(encryption_keys = key(), prefix = freshPrefix()) {
  const store = await openTestStore({ prefix, encryption_keys, index_key: INDEX });
  onTestFinished(() => store.close());
  return { store, prefix, files: new ClientFiles(store) };
}

/** Files as a process has them in force. @param claims as ingress reads them */
const inForce = (clients: Record<string, Record<string, string>>, claims = 'a-secret') =>
  new Map(Object.entries(clients).map(([name, texts]) => [name, { hash: hashOf(texts), texts, claims }]));
const hashOf = (texts: Record<string, string>) => hash('sha256', JSON.stringify(texts)).slice(0, 12);

/** What ingress has in force is kept by a worker. */
async function keep(files: ClientFiles, clients: Record<string, Record<string, string>>): Promise<void> {
  await files.settle(inForce(clients), Object.keys(clients));
  expect(await files.keep(inForce(clients, ''))).toEqual([]);
}

it('keeps the files of each client encrypted, and brings them back in another process', async () => {
  const { store, files } = await open();
  await keep(files, { acme: ACME });
  const kept = await store.redis.getBuffer(store.keys.clientFiles('acme'));
  expect(keyIdOf(kept as Buffer)).toBe(store.encryptor.key);
  expect(kept?.includes('a-secret')).toBe(false);
  expect(await new ClientFiles(store).read('acme')).toEqual(ACME);
  expect(await files.read('bolt')).toBeUndefined();
});

it('writes what has changed, and forgets clients whose files are gone', async () => {
  const { store, files } = await open();
  await keep(files, { acme: ACME, bolt: BOLT });
  const before = await store.redis.getBuffer(store.keys.clientFiles('acme'));
  const changed: Record<string, string> = { 'clients/bolt.yaml': 'sources: { other: {} }' };
  await keep(new ClientFiles(store), { acme: ACME, bolt: changed });
  expect(await store.redis.getBuffer(store.keys.clientFiles('acme'))).toEqual(before);
  expect(await files.read('bolt')).toEqual(changed);
  await files.forgetOthers(['acme']);
  expect(await files.read('bolt')).toBeUndefined();
  expect(await files.read('acme')).toEqual(ACME);
});

it('stays readable when the key is rotated', async () => {
  const [old, next] = [key(), key()];
  const { prefix, files } = await open(old);
  await keep(files, { acme: ACME });
  const rotated = await open(`${next},${old}`, prefix);
  expect(await migrateEncryption(rotated.store)).toMatchObject({ reencrypted: 1 });
  const { files: after, store } = await open(next, prefix);
  expect(await after.read('acme')).toEqual(ACME);
  await keep(after, { acme: ACME });
  expect(keyIdOf((await store.redis.getBuffer(store.keys.clientFiles('acme'))) as Buffer)).toBe(store.encryptor.key);
});

it('is read over a connection of its own, and rejects while the key does not fit', async () => {
  const { prefix, files } = await open();
  await keep(files, { acme: ACME });
  const other = () => openTestStore({ prefix, encryption_keys: key() });
  const store = await other();
  await expect(
    askClientFiles(
      () => store,
      (kept) => kept.read('acme'),
    ),
  ).rejects.toThrow(/encrypt|key/i);
});

it('keeps nothing that ingress has not settled, and what it settled last stays', async () => {
  const { files } = await open();
  expect(await files.keep(inForce({ acme: ACME }, ''))).toEqual(['acme']);
  expect(await files.read('acme')).toBeUndefined();
  await keep(files, { acme: ACME });
  // Ingress refuses the next one, so that of this client it settles nothing.
  const refused: Record<string, string> = { 'clients/acme.yaml': 'sources: { main: { webhook_secrets: [bolts] } }' };
  await files.settle(inForce({ bolt: BOLT }), ['acme', 'bolt']);
  expect(await files.keep(inForce({ acme: refused, bolt: BOLT }, ''))).toEqual(['acme']);
  expect(await files.read('acme')).toEqual(ACME);
  expect(await files.read('bolt')).toEqual(BOLT);
});

it('knows what ingress settled by text and claims, of wrapup.yaml too, until the file is gone', async () => {
  const { store, files } = await open();
  expect(await files.settled()).toBeUndefined();
  await files.settle(inForce({ '': {}, acme: ACME }), ['acme']);
  const settled = await files.settled();
  expect(settled?.('acme', hashOf(ACME))).toBe(true);
  expect(settled?.('acme', hashOf(ACME), 'a-secret')).toBe(true);
  expect(settled?.('acme', hashOf(ACME), 'another')).toBe(false);
  expect(settled?.('acme', hashOf(BOLT))).toBe(false);
  expect(settled?.('bolt', hashOf(BOLT))).toBe(false);
  expect(settled?.('', hashOf({}), 'a-secret')).toBe(true);
  expect(JSON.stringify(await store.redis.hgetall(store.keys.clientSettled))).not.toContain('a-secret');
  await files.settle(inForce({ '': {} }), []);
  expect((await files.settled())?.('acme', hashOf(ACME))).toBe(false);
});
