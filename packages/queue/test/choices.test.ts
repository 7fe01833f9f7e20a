import { randomUUID } from 'node:crypto';
import { copyMemories, type MemoryCopy, removeClient, type Store, takeCall, takeMemory } from '@wrapup/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { beginAttempt, makeArrival, openTestStore } from '../../../test/support/store.ts';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

const PHONE = '+14155550132';
const EMAIL = 'dana@example.com';
const steps = [
  { by: 'phone' as const, value: PHONE },
  { by: 'email' as const, value: EMAIL },
];

/** A call that is parked as two people have its number. */
async function park(change: object = {}, connection = 'sales') {
  const call_id = randomUUID();
  const body = Buffer.from(JSON.stringify({ call: { call_id } }));
  await store.accept(makeArrival(call_id, body), 90);
  const revision = (await store.ledger.read('main', call_id))?.revisions[0]?.hash ?? '';
  const ref = { source: 'main', call_id, revision };
  const wanted = [{ route: 'sales-calls', connection }];
  await store.ledger.route(ref, { effect: 'applied', facts: { notes: [] }, wanted });
  const ambiguous = { by: 'phone' as const, digest: await store.choices.digestOf('phone', PHONE) };
  await store.ledger.recordOutcome(
    { ...ref, route: 'sales-calls', replays: 0 },
    {
      ...{ state: 'parked', code: 'ambiguous_person', reason: 'Two.', candidates: ['101', '102'], ambiguous },
      ...{ candidate_urls: { 101: 'https://crm.example/101' }, ...change },
    },
  );
  return call_id;
}
const deliveryOf = async (id: string) => (await store.ledger.read('main', id))?.deliveries[0];
const choose = (id: string, person: string, remember = false) =>
  store.operations.choose('main', id, 'sales-calls', { person, by: { name: 'ada' }, remember }, { attempts: 4 });

it('sends the call on its way with the person who was chosen, and keeps who chose', async () => {
  const id = await park();
  expect(await choose(id, '102')).toBe('replayed');
  const delivery = await deliveryOf(id);
  expect(delivery).toMatchObject({ state: 'queued', replays: 1, chosen: { person: '102', by: 'ada' } });
  expect(delivery).not.toHaveProperty('candidates');
  expect(delivery).not.toHaveProperty('ambiguous');
  const plan = await store.choices.applyTo({ person: { match: steps } }, { connection: 'sales', ...delivery });
  expect(plan).toMatchObject({ chosen: [{ id: '102' }] });
  // Other calls of the number are not decided by it.
  expect(await store.choices.lasting('sales', steps)).toEqual([]);
  expect(await choose(id, '101')).toBe('moved');
});

it('changes nothing for anyone but a candidate, and for a number that was only said', async () => {
  const id = await park();
  const before = await deliveryOf(id);
  expect(await choose(id, '999')).toBe('no_candidate');
  expect(await deliveryOf(id)).toEqual(before);
  const said = await park({ ambiguous: null });
  expect(await choose(said, '101', true)).toBe('only_said');
  expect(await deliveryOf(said)).toMatchObject({ state: 'parked' });
  expect(await choose(said, '101')).toBe('replayed');
  const other = await park({ code: 'invalid_field' });
  expect(await choose(other, '101')).toBe('moved');
  const gone = await park();
  await store.payloads.remove('main', gone, [(await deliveryOf(gone))?.revision ?? '']);
  expect(await choose(gone, '101', true)).toBe('expired');
  expect(await store.choices.list()).toEqual([]);
});

it('of two who choose at once one does', async () => {
  const id = await park();
  const done = await Promise.all([choose(id, '101'), choose(id, '102')]);
  expect(done.toSorted()).toEqual(['moved', 'replayed']);
  expect((await deliveryOf(id))?.chosen?.person).toBe(done[0] === 'replayed' ? '101' : '102');
});

it('is kept for later calls of the number where that is asked for, on that connection, until it is removed', async () => {
  const id = await park();
  expect(await choose(id, '101', true)).toBe('replayed');
  expect(await store.choices.lasting('sales', steps)).toEqual([{ id: '101', of: 'phone' }]);
  expect(await store.choices.lasting('service', steps)).toEqual([]);
  expect(await store.choices.lasting('sales', [{ by: 'phone', value: PHONE, said: true }])).toEqual([]);
  const [kept, ...others] = await store.choices.list();
  expect(others).toEqual([]);
  expect(kept).toMatchObject({
    ...{ connection: 'sales', of: 'phone', person: '101', by: 'ada', call_id: id, url: 'https://crm.example/101' },
  });
  const stored = JSON.stringify(await store.redis.hgetall(store.keys.choices('sales')));
  expect(stored).not.toContain(PHONE.slice(2));
  if (kept) expect([await store.choices.remove(kept), await store.choices.remove(kept)]).toEqual([true, false]);
  expect(await store.choices.lasting('sales', steps)).toEqual([]);
});

it('goes with the person who is forgotten: by number, by address, by record', async () => {
  const keep = async (of: 'phone' | 'email', value: string, person: string) =>
    store.choices.keep({
      ...{ connection: 'sales', digest: await store.choices.digestOf(of, value), of, person, by: 'ada', at: 1 },
      ...{ source: 'main', call_id: 'c' },
    });
  await keep('phone', PHONE, '101');
  await keep('email', EMAIL, '102');
  await keep('phone', '+14155550133', '103');
  await keep('phone', '+14155550134', '104');
  const records = [
    { connection: 'sales', id: '103' },
    { connection: 'service', id: '104' },
  ];
  expect(await store.choices.forget(['sales', 'service'], { phones: [PHONE], emails: [EMAIL] }, records)).toBe(3);
  expect((await store.choices.list()).map(({ person }) => person)).toEqual(['104']);
  for (const choice of await store.choices.list()) await store.choices.remove(choice);
});

it('moves with what is remembered for its connection, and goes with a client that is removed', async () => {
  const digest = await store.choices.digestOf('phone', PHONE);
  const choice = {
    connection: 'sales',
    digest,
    of: 'phone' as const,
    person: '101',
    at: 1,
    source: 'main',
    call_id: 'c',
  };
  await store.choices.keep(choice);
  const copies: MemoryCopy[] = [];
  for await (const copy of copyMemories(store, (name) => name === 'sales')) copies.push(copy);
  const into = (name: string) => `acme.${name}`;
  const renaming = { source: into, route: into, connection: into };
  const [copy] = copies.filter(({ kind }) => kind === 'choice') as [MemoryCopy];
  expect([await takeMemory(store, copy, renaming), await takeMemory(store, copy, renaming)]).toEqual([true, false]);
  expect(await store.choices.list((name) => name === 'acme.sales')).toEqual([
    { ...choice, connection: 'acme.sales', source: 'acme.main' },
  ]);
  await removeClient(store, 'acme');
  expect((await store.choices.list()).map(({ connection }) => connection)).toEqual(['sales']);
});

it('keeps no digest of a call that comes from an installation with another index key', async () => {
  const id = await park();
  const fields = await store.redis.hgetall(store.keys.ledger('main', id));
  const as = (name: string) => `bolt.${name}`;
  const renaming = { source: as, route: as, connection: as };
  await takeCall(store, { fields, ttl: 60_000, payloads: [] }, { renaming, sameKey: false });
  const [taken] = (await store.ledger.read('bolt.main', id))?.deliveries ?? [];
  expect(taken).toMatchObject({ candidates: ['101', '102'] });
  expect(taken).not.toHaveProperty('ambiguous');
});

it('an attempt that begins knows whether its connection has choices, so that deliveries without any ask for none', async () => {
  const begun = async (connection: string) => {
    const call_id = await park({}, connection);
    const ref = { source: 'main', call_id, route: 'sales-calls' };
    const delivery = await store.ledger.requeue('main', call_id, 'sales-calls', ['parked']);
    return beginAttempt(store, { ...ref, revision: delivery?.revision ?? '', replays: 1 });
  };
  expect(await begun('quiet')).toMatchObject({ has_choices: false });
  await store.choices.keep({
    connection: 'quiet',
    digest: 'd',
    person: '101',
    of: 'phone',
    at: 1,
    source: 'main',
    call_id: 'c',
  });
  expect(await begun('quiet')).toMatchObject({ has_choices: true });
  const entries = await Promise.all(
    (await store.ledger.list({ connection: 'quiet', limit: 5 })).map(({ deliveries }) => deliveries),
  );
  expect(JSON.stringify(entries)).not.toContain('has_choices');
});
