/** Clients with keys of their own: what is kept of one is opened by its keys, and by no other client's. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type EncryptionKey, readEncryptionKeys } from '@wrapup/call';
import { expect, it, onTestFinished } from 'vitest';
import { freshPrefix, redisUrl } from '../../../test/support/redis.ts';
import { makeArrival, openTestStore } from '../../../test/support/store.ts';
import {
  auditEncryption,
  ClientFiles,
  copyCall,
  keyIdOf,
  makeContext,
  makeEncryptor,
  migrateEncryption,
  openIntake,
  placeOf,
  revisionOf,
  type Store,
  takeCall,
} from '../src/index.ts';

const newKey = () => randomBytes(32).toString('base64');
const idOf = (text: string) => (readEncryptionKeys(text, 'a key')[0] as EncryptionKey).id;
const [INSTALLATION, ACME, BOLT, INDEX] = [newKey(), newKey(), newKey(), newKey()];
const body = Buffer.from(JSON.stringify({ said: 'what Dana said '.repeat(60) }));

/** A store of one installation, and the texts of the keys of its clients, which may change at any time. */
async function open(
  own: Record<string, string>,
  prefix = freshPrefix(),
  encryption_keys: string | null = INSTALLATION,
) {
  const client_keys = (client: string) => {
    const text = own[client];
    return text === undefined ? undefined : readEncryptionKeys(text, `the key of ${client}`);
  };
  const options = { prefix, client_keys, index_key: INDEX, ...(encryption_keys !== null && { encryption_keys }) };
  const store = await openTestStore(options);
  await store.indexKey.load();
  onTestFinished(() => store.close());
  return { store, prefix, own, options };
}

const contextOf = (store: Store, connection: string) =>
  makeContext(store, {
    ...{ connection, priority: 'live', within: 10_000, signal: new AbortController().signal },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
const raw = async (store: Store, source: string, call_id: string) =>
  (await store.redis.getBuffer(store.keys.payload(source, call_id, revisionOf(body)))) as Buffer;
const read = (store: Store, source: string, call_id: string) => store.payloads.read(source, call_id, revisionOf(body));

/** One of everything that is kept of a client. */
async function fill(store: Store, source: string, connection: string): Promise<string> {
  const call_id = randomUUID();
  await store.accept(makeArrival(call_id, body, { source }), 90);
  const { memory, secrets } = contextOf(store, connection);
  await memory.set(`inbound:${call_id}`, 'Dana', 600_000);
  await secrets.keep('token', { value: 'a-token', expires_at: Date.now() + 3_600_000 });
  return call_id;
}

it('keeps all of a client under its own key, from ingress on, and what is of no client under the installation’s', async () => {
  const { store, options } = await open({ acme: ACME, bolt: BOLT });
  const intake = openIntake({ url: redisUrl(), ...options, onError() {} });
  onTestFinished(() => intake.close());
  await intake.checkAtStart({ warn() {} });
  const call_id = randomUUID();
  for (const source of ['acme.main', 'bolt.main', 'calm.main', 'main']) {
    expect(await intake.accept(makeArrival(call_id, body, { source }))).toBe('accepted');
  }
  const keyAt = async (source: string) => keyIdOf(await raw(store, source, call_id));
  expect(await keyAt('acme.main')).toBe(idOf(ACME));
  expect(await keyAt('bolt.main')).toBe(idOf(BOLT));
  expect(await keyAt('calm.main')).toBe(idOf(INSTALLATION));
  expect(await keyAt('main')).toBe(idOf(INSTALLATION));
  // Compressed by a worker, it is under the same key.
  await store.payloads.compress('acme.main', call_id, revisionOf(body));
  expect(await keyAt('acme.main')).toBe(idOf(ACME));
  expect(await read(store, 'acme.main', call_id)).toEqual(body);

  await fill(store, 'acme.main', 'acme.sales');
  const { clients, sealed } = await auditEncryption(store);
  expect(clients.acme).toEqual({ ...clients.acme, sealed: { [idOf(ACME)]: 4 }, plain: 0, missing: [] });
  expect(clients.bolt?.sealed).toEqual({ [idOf(BOLT)]: 1 });
  expect(clients.calm).toBeUndefined();
  expect(sealed).toEqual({ [idOf(INSTALLATION)]: 2 });
});

it('nothing of a client is opened by another’s key or the installation’s, in its own place or in theirs', async () => {
  const { store } = await open({ acme: ACME, bolt: BOLT });
  const call_id = await fill(store, 'acme.main', 'acme.sales');
  const kept = await raw(store, 'acme.main', call_id);
  const place = placeOf('acme.main', call_id, revisionOf(body));
  expect(await makeEncryptor(ACME).decrypt(kept, place)).toEqual(body);
  for (const other of [BOLT, INSTALLATION, `${BOLT},${INSTALLATION}`])
    await expect(makeEncryptor(other).decrypt(kept, place)).rejects.toThrow(`encrypted with key ${idOf(ACME)}`);
  // Write access to Redis does not bring it into another client's hands either.
  await store.redis.set(store.keys.payload('bolt.main', call_id, revisionOf(body)), kept);
  await expect(read(store, 'bolt.main', call_id)).rejects.toThrow(
    `encrypted with key ${idOf(ACME)}, which client bolt`,
  );
});

it('a client gets a key: what was there is read on, and migrate takes it over', async () => {
  const { store, own } = await open({});
  const call_id = await fill(store, 'acme.main', 'acme.sales');
  const others = await fill(store, 'bolt.main', 'bolt.sales');
  own.acme = ACME;
  expect(await read(store, 'acme.main', call_id)).toEqual(body);
  const { memory, secrets } = contextOf(store, 'acme.sales');
  expect(await memory.get(`inbound:${call_id}`)).toBe('Dana');
  expect(await auditEncryption(store, 'acme')).toMatchObject({
    clients: { acme: { key: idOf(ACME), sealed: { [idOf(INSTALLATION)]: 3 }, missing: [] } },
  });
  expect(await migrateEncryption(store, { client: 'acme' })).toMatchObject({ reencrypted: 3, unreadable: [] });
  expect((await auditEncryption(store)).clients.acme?.sealed).toEqual({ [idOf(ACME)]: 3 });
  expect(await read(store, 'acme.main', call_id)).toEqual(body);
  expect(await secrets.read('token')).toBe('a-token');
  expect(await migrateEncryption(store, { client: 'acme' })).toMatchObject({ reencrypted: 0, current: 3 });
  // The other client is as it was.
  expect(keyIdOf(await raw(store, 'bolt.main', others))).toBe(idOf(INSTALLATION));
});

it('is rotated like the installation’s key, and its tokens go over as they are read', async () => {
  const { store, own } = await open({ acme: ACME });
  const call_id = await fill(store, 'acme.main', 'acme.sales');
  const next = newKey();
  own.acme = `${next},${ACME}`;
  expect(await contextOf(store, 'acme.sales').secrets.read('token')).toBe('a-token');
  // The token is under the new key since it was read.
  expect(await migrateEncryption(store)).toMatchObject({ reencrypted: 2, unreadable: [] });
  own.acme = next;
  expect(await read(store, 'acme.main', call_id)).toEqual(body);
  expect((await auditEncryption(store)).clients.acme).toMatchObject({ sealed: { [idOf(next)]: 3 }, missing: [] });
});

it('a key that is gone or another one: its values wait, the message names client and file, and others go on', async () => {
  const { store, own } = await open({ acme: ACME, bolt: BOLT });
  const call_id = await fill(store, 'acme.main', 'acme.sales');
  const others = await fill(store, 'bolt.main', 'bolt.sales');
  for (const text of [undefined, newKey()]) {
    if (text === undefined) delete own.acme;
    else own.acme = text;
    await expect(read(store, 'acme.main', call_id)).rejects.toMatchObject({
      next: 'throttle',
      message: `It is encrypted with key ${idOf(ACME)}, which client acme does not have here.`,
      hint: expect.stringContaining('encryption_key of clients/acme.yaml'),
    });
    expect(await read(store, 'bolt.main', others)).toEqual(body);
    const { clients, missing } = await auditEncryption(store);
    expect(clients.acme?.missing).toEqual([idOf(ACME)]);
    expect(missing).toEqual([]);
    const { unreadable } = await migrateEncryption(store);
    expect(unreadable).toEqual([{ client: 'acme', key: idOf(ACME), why: 'missing', values: 3 }]);
  }
  own.acme = ACME;
  expect(await read(store, 'acme.main', call_id)).toEqual(body);
});

it('keys that cannot be read: nothing is kept under another one, and what is there stays', async () => {
  const { store, own } = await open({ acme: ACME });
  const call_id = await fill(store, 'acme.main', 'acme.sales');
  own.acme = 'c2hvcnQ=';
  await expect(store.accept(makeArrival(randomUUID(), body, { source: 'acme.main' }), 90)).rejects.toThrow(
    'the key of acme: key 1 is not 32 bytes',
  );
  const { unreadable } = await migrateEncryption(store);
  expect(unreadable).toEqual([{ client: 'acme', key: idOf(ACME), why: 'keys_unreadable', values: 3 }]);
  own.acme = ACME;
  expect(await read(store, 'acme.main', call_id)).toEqual(body);
});

it('encrypts what is kept of a client where the installation has no key', async () => {
  const { store } = await open({ acme: ACME }, freshPrefix(), null);
  const call_id = await fill(store, 'acme.main', 'acme.sales');
  await fill(store, 'main', 'sales');
  expect(keyIdOf(await raw(store, 'acme.main', call_id))).toBe(idOf(ACME));
  expect(contextOf(store, 'acme.sales').secrets.encrypted).toBe(true);
  expect(contextOf(store, 'sales').secrets.encrypted).toBe(false);
  expect(await auditEncryption(store)).toMatchObject({ key: null, plain: 3, clients: { acme: { plain: 0 } } });
});

it('the last good file stays under the installation’s key: it is read where the keys cannot be', async () => {
  const { store } = await open({ acme: ACME });
  const file = { hash: 'a-hash', texts: { 'clients/acme.yaml': 'sources: {}' }, claims: '' };
  const files = new ClientFiles(store);
  await files.settle(new Map([['acme', file]]), ['acme']);
  await files.keep(new Map([['acme', file]]));
  const kept = (await store.redis.getBuffer(store.keys.clientFiles('acme'))) as Buffer;
  expect(keyIdOf(kept)).toBe(idOf(INSTALLATION));
});

it('a call moves to an installation where the client has another key, and from wrapup.yaml to a client with one', async () => {
  const here = await open({ acme: ACME });
  const there = await open({ acme: BOLT });
  const call_id = await fill(here.store, 'acme.main', 'acme.sales');
  const copy = await copyCall(here.store, { source: 'acme.main', call_id });
  if (!copy) throw new Error('no copy');
  const asItIs = (name: string) => name;
  const renaming = { source: asItIs, route: asItIs, connection: asItIs };
  expect(await takeCall(there.store, copy, { renaming, sameKey: true })).toBe('taken');
  expect(keyIdOf(await raw(there.store, 'acme.main', call_id))).toBe(idOf(BOLT));
  expect(await read(there.store, 'acme.main', call_id)).toEqual(body);

  const own = await fill(here.store, 'main', 'sales');
  const adopted = await copyCall(here.store, { source: 'main', call_id: own });
  if (!adopted) throw new Error('no copy');
  const into = (name: string) => `acme.${name}`;
  await takeCall(here.store, adopted, { renaming: { source: into, route: into, connection: into }, sameKey: true });
  expect(keyIdOf(await raw(here.store, 'acme.main', own))).toBe(idOf(ACME));
});
