import { randomBytes, randomUUID } from 'node:crypto';
import { samplePayload } from '@wrapup/synthflow';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { phoneOf } from '../../../test/support/phone.ts';
import { talk } from '../../../test/support/speech.ts';
import { makeArrival, openTestStore } from '../../../test/support/store.ts';
import {
  auditEncryption,
  copyCall,
  migrateEncryption,
  removeClient,
  revisionOf,
  type Store,
  trainDictionaries,
} from '../src/index.ts';
import { buildDictionary, MAX_DICTIONARY_BYTES } from '../src/payloads/build-dictionary.ts';
import { SKELETON } from '../src/payloads/skeleton.ts';

const KEY = randomBytes(32).toString('base64');
const HOUR_MS = 3_600_000;
const DAY_S = 24 * 3600;
const SOURCE = 'acme.main';
let store: Store;
let seed = 0;

/** What Synthflow sends of a call of a person whom no other call knows, of about so many bytes. */
function bodyOf(bytes: number, name = `Person ${seed}`): { call_id: string; phone: string; body: Buffer } {
  seed += 1;
  const call_id = randomUUID();
  const phone = phoneOf(seed);
  const made = (transcript: string) =>
    Buffer.from(
      JSON.stringify(samplePayload('connected', { call_id, phone, name, transcript, collected: { email: null } })),
    );
  return { call_id, phone, body: made(talk(Math.max(0, bytes - made('').length - bytes / 40), seed)) };
}

/** A call that a worker has read, with its person in the index. */
async function read(bytes: number, source = SOURCE) {
  const { call_id, phone, body } = bodyOf(bytes);
  const revision = revisionOf(body);
  await store.accept(makeArrival(call_id, body, { source }), 90);
  await store.people.add({ source, call_id }, revision, [{ by: 'number', value: phone }], 90);
  await store.ledger.route({ source, call_id, revision }, { effect: 'applied', facts: { notes: [] }, wanted: [] });
  await store.payloads.compress(source, call_id, revision);
  const stored = await store.redis.strlen(store.keys.payload(source, call_id, revision));
  return { source, call_id, revision, body, stored };
}

const dictionaryOf = async (source = SOURCE) =>
  (await store.dictionaries.current(source)) as { id: string; bytes: Buffer };
const ttlOf = (name: string) => store.redis.ttl(name);

/** Processes of earlier versions are gone. */
const begin = () => store.redis.hset(store.keys.dictionaries, ':since', Date.now() - 2 * HOUR_MS);

async function train(source = SOURCE, calls = 40): Promise<void> {
  await Promise.all(Array.from({ length: calls }, () => read(12_000, source)));
  expect(await trainDictionaries(store, [source])).toEqual({ source, made: true });
}

beforeEach(async () => {
  store = await openTestStore({ encryption_keys: KEY });
  await begin();
});
afterEach(() => store.close());

describe('payloads', () => {
  it('take less with a dictionary of their source, and are read as they came', async () => {
    const [small, first] = [await read(2_800), await read(20_000)];
    expect(small.stored).toBeLessThan(1_100);
    await train(SOURCE, 100);
    const [middle, large] = [await read(8_000), await read(20_000)];
    expect(middle.stored).toBeLessThan(2_500);
    expect(large.stored).toBeLessThan(7_500);
    expect(large.stored).toBeLessThan(first.stored * 0.9);
    for (const { source, call_id, revision, body } of [small, first, middle, large]) {
      expect(await store.payloads.read(source, call_id, revision)).toEqual(body);
    }
    // Another process, with nothing in memory yet.
    const other = await openTestStore({ prefix: store.keys.prefix.slice(1, -1), encryption_keys: KEY });
    expect(await other.payloads.read(SOURCE, large.call_id, large.revision)).toEqual(large.body);
    expect((await copyCall(other, large))?.payloads[0]?.body).toBe(large.body.toString('base64'));
    await other.close();
  });

  it('need none while processes of an earlier version may read them', async () => {
    await store.redis.del(store.keys.dictionaries);
    await trainDictionaries(store, [SOURCE]);
    const { call_id, revision, stored, body } = await read(2_800);
    await begin();
    const other = await openTestStore({ prefix: store.keys.prefix.slice(1, -1), encryption_keys: KEY });
    await other.payloads.compress(SOURCE, call_id, revision);
    // What is compressed stays as it is.
    expect(await store.redis.strlen(store.keys.payload(SOURCE, call_id, revision))).toBe(stored);
    expect(await other.payloads.read(SOURCE, call_id, revision)).toEqual(body);
    const { body: next, call_id: id } = bodyOf(2_800);
    await other.accept(makeArrival(id, next, { source: SOURCE }), 90);
    await other.payloads.compress(SOURCE, id, revisionOf(next));
    expect(await other.redis.strlen(other.keys.payload(SOURCE, id, revisionOf(next)))).toBeLessThan(stored * 0.9);
    await other.close();
  });

  it('say which dictionary is missing when another program removed it', async () => {
    await train();
    const { call_id, revision } = await read(8_000);
    const { id } = await dictionaryOf();
    await store.redis.del(store.keys.dictionary(SOURCE, id));
    const other = await openTestStore({ prefix: store.keys.prefix.slice(1, -1), encryption_keys: KEY });
    await expect(other.payloads.read(SOURCE, call_id, revision)).rejects.toThrow(
      `dictionary ${id} of source ${SOURCE}, which is gone`,
    );
    // A process that has it in memory does not compress with it any more.
    const late = await read(8_000);
    expect(await other.payloads.read(SOURCE, late.call_id, late.revision)).toEqual(late.body);
    await other.close();
  });
});

describe('a dictionary', () => {
  it('is kept as long as the last payload that needs it, also when another one is in force', async () => {
    await train();
    const { id } = await dictionaryOf();
    const name = store.keys.dictionary(SOURCE, id);
    const { call_id, revision } = await read(8_000);
    expect((await store.ledger.read(SOURCE, call_id))?.revisions[0]?.dictionary).toBe(id);
    await store.redis.expire(name, 60);
    await store.payloads.expire(SOURCE, call_id, revision, 100 * DAY_S);
    expect(await ttlOf(name)).toBeGreaterThan(99 * DAY_S);
    await store.payloads.expire(SOURCE, call_id, revision, 7 * DAY_S);
    expect(await ttlOf(name)).toBeGreaterThan(99 * DAY_S);
    // The next one, a month later.
    expect(await trainDictionaries(store, [SOURCE], Date.now() + HOUR_MS)).toBeUndefined();
    expect(await trainDictionaries(store, [SOURCE], Date.now() + 31 * DAY_S * 1000)).toMatchObject({ made: true });
    expect(await store.redis.exists(name)).toBe(1);
  });

  it('is encrypted, taken over to another key, and removed with its client', async () => {
    await train();
    const { id } = await dictionaryOf();
    const name = store.keys.dictionary(SOURCE, id);
    expect((await store.redis.getBuffer(name))?.includes('transcript')).toBe(false);
    const next = randomBytes(32).toString('base64');
    const rotated = await openTestStore({ prefix: store.keys.prefix.slice(1, -1), encryption_keys: `${next},${KEY}` });
    const { call_id, revision, body } = await read(8_000);
    expect((await migrateEncryption(rotated)).unreadable).toEqual([]);
    expect((await auditEncryption(rotated)).sealed).toEqual({ [rotated.encryptor.key as string]: expect.any(Number) });
    const alone = await openTestStore({ prefix: store.keys.prefix.slice(1, -1), encryption_keys: next });
    expect(await alone.payloads.read(SOURCE, call_id, revision)).toEqual(body);
    await removeClient(alone, 'acme');
    expect(await alone.redis.exists(name)).toBe(0);
    expect(await alone.redis.hkeys(alone.keys.dictionaries)).toEqual([':since']);
    await Promise.all([rotated.close(), alone.close()]);
  });

  it('is made of calls of many people only, the source that waits for the longest first', async () => {
    const call = await read(12_000);
    for (let again = 0; again < 45; again += 1) {
      const { call_id, body } = bodyOf(2_000);
      await store.accept(makeArrival(call_id, body, { source: SOURCE }), 90);
      await store.people.add(
        { source: SOURCE, call_id },
        revisionOf(body),
        [{ by: 'number', value: '+14155550100' }],
        90,
      );
    }
    expect(await trainDictionaries(store, [SOURCE, 'main'])).toEqual({ source: SOURCE, made: false });
    expect(await trainDictionaries(store, [SOURCE, 'main'])).toEqual({ source: 'main', made: false });
    expect(await trainDictionaries(store, [SOURCE, 'main'])).toBeUndefined();
    expect(await dictionaryOf()).toMatchObject({ bytes: SKELETON });
    expect(await trainDictionaries(store, [SOURCE, 'main'], Date.now() + 25 * HOUR_MS)).toMatchObject({
      source: SOURCE,
    });
    expect(await store.payloads.read(SOURCE, call.call_id, call.revision)).toEqual(call.body);
  });
});

it('holds nothing that few people say, and no number or address', async () => {
  const said = (n: number) =>
    Buffer.from(
      JSON.stringify({
        call: {
          phone: `+1415555${1000 + n}`,
          email: 'info@example.com',
          order: '4711 0815',
          name: n < 7 ? 'Wilhelmina' : `Name-${String.fromCharCode(97 + n)}`,
          transcript: `bot: Hello, this is the renewal service of Example. human: ${talk(300, n)} I live in ${n < 7 ? 'Elm Street' : talk(20, n + 500)}`,
        },
      }),
    );
  const text = String(await buildDictionary(Array.from({ length: 60 }, (_, n) => said(n))));
  expect(text).toContain('this is the renewal service of Example');
  expect(text).toContain('"transcript":"');
  expect(text).not.toMatch(/\d|@|Wilhelmina|Elm Street/);
  expect(text.length).toBeLessThanOrEqual(MAX_DICTIONARY_BYTES);
  expect(await buildDictionary(Array.from({ length: 40 }, () => randomBytes(300)))).toBeUndefined();
});

it('the skeleton has the names that Synthflow sends of a call, and no value of the samples', () => {
  const text = SKELETON.toString();
  const names = (['call', 'lead', 'analysis'] as const).flatMap((part) =>
    Object.keys(samplePayload('connected')[part] as object),
  );
  for (const name of names) expect(text).toContain(`"${name}":`);
  for (const value of ['Dana', 'Alice', '4155', 'example.com', 'renewal']) expect(text).not.toContain(value);
});
