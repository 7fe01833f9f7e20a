import { expect, it, onTestFinished } from 'vitest';
import { makeArrival, openTestStore } from '../../../test/support/store.ts';
import { copyCall, forgetCall, moveCall, type Renaming, revisionOf, takeCall } from '../src/index.ts';

const into = (name: string) => `acme.${name}`;
const RENAMING: Renaming = { source: into, route: into, connection: into };
const OPTIONS = { renaming: RENAMING, sameKey: true };
const bodyOf = (call_id: string, said: string) => Buffer.from(JSON.stringify({ call: { call_id, said } }));

async function open() {
  const store = await openTestStore();
  onTestFinished(() => store.close());
  const arrive = async (source: string, call_id: string, said: string) => {
    const body = bodyOf(call_id, said);
    expect(await store.accept(makeArrival(call_id, body, { source }), 90)).not.toBe('ignored');
    return revisionOf(body);
  };
  const revisions = async (source: string, call_id: string) =>
    (await store.ledger.read(source, call_id))?.revisions.map(({ hash }) => hash).sort();
  return { store, arrive, revisions };
}

it('moves a call with its payloads and leaves nothing under its old name', async () => {
  const { store, arrive, revisions } = await open();
  const first = await arrive('main', 'a-1', 'first');
  expect(await moveCall(store, { source: 'main', call_id: 'a-1' }, OPTIONS, 0)).toBe(true);
  expect(await revisions('acme.main', 'a-1')).toEqual([first]);
  expect(await store.payloads.read('acme.main', 'a-1', first)).toEqual(bodyOf('a-1', 'first'));
  expect(await store.ledger.read('main', 'a-1')).toBeUndefined();
  expect(await store.payloads.has('main', 'a-1', first)).toBe(false);
  expect((await store.ledger.list()).map(({ source }) => source)).toEqual(['acme.main']);
  expect((await store.ledger.list({ client: 'acme' })).map(({ call_id }) => call_id)).toEqual(['a-1']);
});

it('a revision that came under the new name first loses none of the old', async () => {
  const { store, arrive, revisions } = await open();
  const first = await arrive('main', 'a-1', 'first');
  const second = await arrive('acme.main', 'a-1', 'second');
  expect(await moveCall(store, { source: 'main', call_id: 'a-1' }, OPTIONS, 0)).toBe(true);
  expect(await revisions('acme.main', 'a-1')).toEqual([first, second].sort());
  for (const hash of [first, second]) expect(await store.payloads.has('acme.main', 'a-1', hash)).toBe(true);
  expect((await store.ledger.openSince(Date.now())).map(({ source }) => source)).toEqual(['acme.main']);
});

it('a forgotten call stays forgotten, whichever of its names was', async () => {
  const { store, arrive } = await open();
  for (const [call_id, source] of [
    ['old', 'main'],
    ['new', 'acme.main'],
  ] as const) {
    await arrive('main', call_id, 'first');
    await arrive('acme.main', call_id, 'second');
    await forgetCall(store, { source, call_id }, { wait: 0, by: { name: 'ada' } });
    await moveCall(store, { source: 'main', call_id }, OPTIONS, 0);
    const entry = await store.ledger.read('acme.main', call_id);
    expect(entry?.forgotten).toBeGreaterThan(0);
    expect(entry?.forgotten_by).toBe('ada');
    for (const { hash } of entry?.revisions ?? [])
      expect(await store.payloads.has('acme.main', call_id, hash)).toBe(false);
  }
});

it('taking it in again changes nothing, also where the first time was interrupted', async () => {
  const { store, arrive, revisions } = await open();
  const first = await arrive('main', 'a-1', 'first');
  const copy = await copyCall(store, { source: 'main', call_id: 'a-1' });
  if (!copy) throw new Error('no copy');
  expect(await takeCall(store, copy, OPTIONS)).toBe('taken');
  expect(await takeCall(store, copy, OPTIONS)).toBe('known');
  expect(await revisions('acme.main', 'a-1')).toEqual([first]);
});

it('people of a call are found after it moved, and what is known of others lasts as long as before', async () => {
  const { store, arrive } = await open();
  const dana = { by: 'number', value: '+14155550142' } as const;
  const note = (source: string, call_id: string, by: string) =>
    store.people.add({ source, call_id }, undefined, [{ by: 'number', value: by }], 90);
  await arrive('main', 'a-1', 'first');
  await note('main', 'a-1', dana.value);
  // Another call of hers; and the same call under its new name, which names someone further.
  await arrive('main', 'a-2', 'other');
  await note('main', 'a-2', dana.value);
  await arrive('acme.main', 'a-1', 'second');
  await note('acme.main', 'a-1', '+14155550199');
  const copy = await copyCall(store, { source: 'main', call_id: 'a-1' });
  if (!copy) throw new Error('no copy');
  await takeCall(store, { ...copy, ttl: 60_000 }, OPTIONS);

  for (const value of [dana.value, '+14155550199'])
    expect(await store.people.calls([{ by: 'number', value }])).toContainEqual({ source: 'acme.main', call_id: 'a-1' });
  const entries = await store.redis.keys(`${store.keys.person('')}*`);
  for (const name of entries) expect(await store.redis.ttl(name)).toBeGreaterThan(80 * 24 * 3600);
  // Forgotten, it is in no entry any more.
  await forgetCall(store, { source: 'acme.main', call_id: 'a-1' }, { wait: 0 });
  for (const value of [dana.value, '+14155550199'])
    expect(await store.people.calls([{ by: 'number', value }])).not.toContainEqual({
      source: 'acme.main',
      call_id: 'a-1',
    });
});

it('what is noted of people in another installation ends with the call', async () => {
  const { store, arrive } = await open();
  const { store: other } = await open();
  await arrive('main', 'a-1', 'first');
  await store.people.add({ source: 'main', call_id: 'a-1' }, undefined, [{ by: 'number', value: '+14155550142' }], 90);
  const copy = await copyCall(store, { source: 'main', call_id: 'a-1' });
  if (!copy) throw new Error('no copy');
  await takeCall(other, { ...copy, ttl: 60_000 }, OPTIONS);
  const entries = await other.redis.keys(`${other.keys.person('')}*`);
  expect(entries).toHaveLength(1);
  expect(await other.redis.ttl(entries[0] as string)).toBeGreaterThan(0);
  expect(await other.redis.ttl(entries[0] as string)).toBeLessThanOrEqual(60);
});
