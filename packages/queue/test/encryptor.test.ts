import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { freshPrefix, redisUrl } from '../../../test/support/redis.ts';
import { keyIdOf, makeContext, makeEncryptor, openIntake, openStore, revisionOf, type Store } from '../src/index.ts';

const key = () => randomBytes(32).toString('base64');
const [OLD, NEW, INDEX] = [key(), key(), key()];
const prefix = freshPrefix();
const onError = () => {};
const stores: Store[] = [];
// An installation that was started without a key: it has plain values.
beforeAll(async () => void (await (await storeWith()).indexKey.load()));
afterAll(() => Promise.all(stores.map((store) => store.close())));

async function storeWith(encryption_keys?: string): Promise<Store> {
  const keys = encryption_keys === undefined ? {} : { encryption_keys };
  const store = openStore({ url: redisUrl(), prefix, role: 'worker', onError, index_key: INDEX, ...keys });
  stores.push(store);
  await store.connected(PATIENCE);
  return store;
}

function arrival() {
  const body = Buffer.from(
    JSON.stringify({ call: { call_id: 'x' }, transcript: 'Dana wants the blue one. '.repeat(80) }),
  );
  const call_id = randomUUID();
  const received = { received: 'webhook', verified: 'signature', received_at: Date.now() } as const;
  return { source: 'main', call_id, body, revision: revisionOf(body), ...received };
}

/** What Redis itself holds of a payload. */
const raw = async (store: Store, { call_id, revision }: { call_id: string; revision: string }) =>
  (await store.redis.getBuffer(store.keys.payload('main', call_id, revision))) as Buffer;

const contextOf = (store: Store, connection = 'sales') =>
  makeContext(store, {
    connection,
    priority: 'live',
    within: 10_000,
    signal: new AbortController().signal,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
const secretsOf = (store: Store, connection?: string) => contextOf(store, connection).secrets;

describe('a sealed value', () => {
  const encryptor = makeEncryptor(NEW);
  const bytes = Buffer.from('what Dana said');

  it('opens for its own place, and never looks the same twice', async () => {
    const [one, two] = [encryptor.encrypt(bytes, 'a'), encryptor.encrypt(bytes, 'a')];
    expect(one.equals(two)).toBe(false);
    expect(one.includes('Dana')).toBe(false);
    expect(await encryptor.decrypt(one, 'a')).toEqual(bytes);
    expect(keyIdOf(one)).toBe(encryptor.key);
  });

  it('opens nowhere else, nor when a bit of it was changed', async () => {
    const sealed = encryptor.encrypt(bytes, 'a');
    await expect(encryptor.decrypt(sealed, 'b')).rejects.toThrow(/it was changed/);
    for (const at of [10, 25, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] as number) ^ 1;
      await expect(encryptor.decrypt(changed, 'a')).rejects.toThrow(/it was changed/);
    }
  });

  it('opens with any of the keys, and is sealed with the first', async () => {
    const both = makeEncryptor(`${NEW}, ${OLD}`);
    expect(await both.decrypt(makeEncryptor(OLD).encrypt(bytes, 'a'), 'a')).toEqual(bytes);
    expect(keyIdOf(both.encrypt(bytes, 'a'))).toBe(makeEncryptor(NEW).key);
  });

  it('waits for its key without burning an attempt, and says which one', async () => {
    const sealed = makeEncryptor(OLD).encrypt(bytes, 'a');
    for (const other of [encryptor, makeEncryptor(undefined)]) {
      await expect(other.decrypt(sealed, 'a')).rejects.toThrow(
        expect.objectContaining({ next: 'throttle', message: expect.stringContaining(String(makeEncryptor(OLD).key)) }),
      );
    }
  });

  it('is refused a key of the wrong size, without showing it', () => {
    expect(() => makeEncryptor(`${NEW},c2hvcnQ=`)).toThrow(/key 2 is not 32 bytes.*openssl rand/);
    expect(() => makeEncryptor('short-secret')).toThrow(expect.not.stringContaining('short-secret') as never);
    expect(makeEncryptor(randomBytes(32).toString('hex')).on).toBe(true);
    expect(makeEncryptor('').on).toBe(false);
  });
});

describe('payloads under a key', () => {
  it('are never in Redis in the clear, from the first moment on', async () => {
    const store = await storeWith(NEW);
    const intake = openIntake({ url: redisUrl(), prefix, onError, index_key: INDEX, encryption_keys: NEW });
    await expect.poll(async () => (await intake.ready()).ok).toBe(true);
    const call = arrival();
    await intake.accept(call);
    await intake.close();
    const before = await raw(store, call);
    expect(before.includes('Dana')).toBe(false);
    expect(await store.payloads.read('main', call.call_id, call.revision)).toEqual(call.body);

    await store.payloads.compress('main', call.call_id, call.revision);
    const after = await raw(store, call);
    expect(after.length).toBeLessThan(before.length / 4);
    expect(keyIdOf(after)).toBe(store.encryptor.key);
    expect(await store.payloads.read('main', call.call_id, call.revision)).toEqual(call.body);
  });

  it('are read by both keys while one is rotated out, and those from before there was one as they are', async () => {
    const [plain, old, rotating] = await Promise.all([storeWith(), storeWith(OLD), storeWith(`${NEW},${OLD}`)]);
    for (const store of [plain, old]) {
      const call = arrival();
      await store.accept(call, 90);
      expect(await rotating.payloads.read('main', call.call_id, call.revision)).toEqual(call.body);
    }
  });
});

describe('what is remembered under a key', () => {
  it('is not in the clear, and forgotten where the key is gone', async () => {
    const [store, other] = await Promise.all([storeWith(NEW), storeWith(OLD)]);
    await contextOf(store).memory.set('caller', 'Dana', 60_000);
    expect(await contextOf(store).memory.get('caller')).toBe('Dana');
    expect(String(await store.redis.getBuffer(store.keys.memory('sales', 'caller')))).not.toContain('Dana');
    expect(await contextOf(other).memory.get('caller')).toBeUndefined();
  });
});

describe('secrets under a key', () => {
  it('are kept encrypted, a token that the CRM gave in passing included', async () => {
    const store = await storeWith(NEW);
    const secrets = secretsOf(store);
    expect(secrets.encrypted).toBe(true);
    await secrets.keep('refresh_token', { value: 'na1-rotated', expires_at: Date.now() + 3600_000 });
    expect(await secretsOf(store).read('refresh_token')).toBe('na1-rotated');
    const kept = (await store.redis.getBuffer(store.keys.secret('sales', 'refresh_token'))) as Buffer;
    expect(kept.includes('na1-rotated')).toBe(false);
    expect(await store.redis.pttl(store.keys.secret('sales', 'refresh_token'))).toBeGreaterThan(3_000_000);
  });

  it('move on to the new key when they are read, however long they live', async () => {
    const [plain, rotating] = await Promise.all([storeWith(), storeWith(`${NEW},${OLD}`)]);
    await secretsOf(plain, 'moving').keep('t', { value: 'clear', expires_at: Date.now() + 3600_000 });
    expect(await secretsOf(rotating, 'moving').read('t')).toBe('clear');
    expect(await secretsOf(await storeWith(NEW), 'moving').read('t')).toBe('clear');
    await expect(secretsOf(plain, 'moving').read('t')).rejects.toMatchObject({ next: 'throttle' });
  });
});
