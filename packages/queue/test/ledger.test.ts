import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { beginAttempt, makeArrival, openTestStore } from '../../../test/support/store.ts';
import { type Arrival, type DeliveryRef, revisionOf, type Store } from '../src/index.ts';

const body = Buffer.from('{}');
const revision = revisionOf(body);
const wanted = [{ route: 'sales-calls', connection: 'sales' }];
let store: Store;
let ref: DeliveryRef;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  const call_id = randomUUID();
  await accept(makeArrival(call_id, body));
  ref = { source: 'main', call_id, route: 'sales-calls', revision, replays: 0 };
});

const accept = (arrival: Arrival) => store.accept(arrival, 90);
const route = () =>
  store.ledger.route(ref, {
    effect: 'applied',
    facts: { outcome: 'connected', notes: ['call.start_time: unreadable'] },
    wanted,
  });
const delivery = async () => (await store.ledger.read(ref.source, ref.call_id))?.deliveries[0];

describe('ledger', () => {
  it('keeps what it keeps for any length of time, also one that is no whole number of seconds to a computer', async () => {
    const days = 1.3;
    expect(days * 24 * 3600).not.toBe(112_320);
    const call_id = randomUUID();
    expect(await store.accept(makeArrival(call_id, body), days)).toBe('accepted');
    ref = { ...ref, call_id };
    await route();
    await beginAttempt(store, ref);
    const payloads = { delivered_days: 62 / 1440, stopped_days: days };
    expect(await store.ledger.recordOutcome(ref, { state: 'written', records: [] }, { payloads })).toBe(true);
    const left = await store.redis.ttl(store.keys.payload('main', call_id, revision));
    expect(left).toBeGreaterThan(3_700);
    expect(left).toBeLessThanOrEqual(3_720);
    expect(await store.redis.ttl(store.keys.ledger('main', call_id))).toBeGreaterThan(112_000);
  });

  it('opens a delivery once, and gives it again while it is queued', async () => {
    expect(await route()).toMatchObject([{ route: 'sales-calls', state: 'queued', attempts: 0 }]);
    expect(await route()).toHaveLength(1);
    await beginAttempt(store, ref);
    await store.ledger.recordOutcome(ref, { state: 'written', records: [], requests: 3 });
    expect(await route()).toHaveLength(0);
    expect(await store.ledger.read(ref.source, ref.call_id)).toMatchObject({
      routed: true,
      outcome: 'connected',
      notes: ['call.start_time: unreadable'],
      deliveries: [{ state: 'written', attempts: 1, requests: 3 }],
    });
  });

  it('calls nothing unknown that it could not read', async () => {
    expect(await store.ledger.known('main', [ref.call_id, 'never-came'])).toEqual(new Set([ref.call_id]));
    const broken = randomUUID();
    await store.redis.set(store.keys.ledger('main', broken), 'not a hash');
    await expect(store.ledger.known('main', [ref.call_id, broken])).rejects.toThrow('WRONGTYPE');
  });

  it('replays a parked delivery under a new count, and files it away', async () => {
    await route();
    await beginAttempt(store, ref);
    await store.ledger.recordOutcome(ref, {
      state: 'parked',
      code: 'invalid_field',
      reason: 'no such option',
      hint: 'fix it',
    });
    const parked = await delivery();
    if (!parked) throw new Error('no delivery');
    await store.operations.addUnresolved(ref, parked);
    await store.operations.addUnresolved(ref, parked);
    const filed = (await store.operations.list('parked')).filter(({ call_id }) => call_id === ref.call_id);
    expect(filed).toMatchObject([{ code: 'invalid_field', hint: 'fix it', attempts: 1, connection: 'sales' }]);

    const wanted = { attempts: 10, config: 'c0ffee', by: { name: 'ada' } };
    expect(await store.operations.replay(ref.source, ref.call_id, ref.route, wanted)).toBe('replayed');
    expect(await delivery()).toMatchObject({
      state: 'queued',
      replays: 1,
      attempts: 0,
      replayed: { at: expect.any(Number), by: 'ada' },
    });
    expect((await delivery())?.code).toBeUndefined();
    expect((await store.operations.list('parked')).some(({ call_id }) => call_id === ref.call_id)).toBe(false);
    const jobs = await store.queues.deliveries('sales').getJobs(['waiting', 'prioritized']);
    expect(jobs.map(({ data }) => data)).toContainEqual({ ...ref, replays: 1, config: 'c0ffee' });
    expect(await beginAttempt(store, ref)).toBeUndefined();
    expect(await beginAttempt(store, { ...ref, replays: 1 })).toBeDefined();
  });

  it('does not replay what was written', async () => {
    await route();
    await beginAttempt(store, ref);
    await store.ledger.recordOutcome(ref, { state: 'written' });
    expect(await store.operations.replay(ref.source, ref.call_id, ref.route, { attempts: 10 })).toBe('moved');
  });

  it('does not replay what has no payload left, and leaves it where it is', async () => {
    await route();
    await beginAttempt(store, ref);
    await store.ledger.recordOutcome(ref, { state: 'parked', code: 'invalid_field' });
    await store.payloads.remove(ref.source, ref.call_id, [ref.revision]);
    expect(await store.operations.replay(ref.source, ref.call_id, ref.route, { attempts: 10 })).toBe('expired');
    expect(await delivery()).toMatchObject({ state: 'parked', replays: 0 });
  });

  it('keeps who dropped a delivery and why, beside why it had stopped', async () => {
    await route();
    const stop = { code: 'ambiguous_person', reason: 'Two people.', hint: 'Choose.', candidates: ['1', '2'] };
    await store.ledger.recordOutcome(ref, { state: 'parked', ...stop });
    const why = { reason: 'a test call', by: { name: 'ada' } };
    const before = Date.now();
    expect(await store.operations.drop(ref.source, ref.call_id, ref.route, why)).toMatchObject({ state: 'dropped' });
    const dropped = await delivery();
    expect(dropped).toMatchObject({ state: 'dropped', ...stop, dropped: { reason: 'a test call', by: 'ada' } });
    expect(dropped?.dropped?.at).toBeGreaterThanOrEqual(before);
    // A replay begins anew.
    const from = ['dropped'] as const;
    await store.operations.replay(ref.source, ref.call_id, ref.route, { attempts: 10, from });
    expect(await delivery()).not.toHaveProperty('dropped');
  });

  it('sends a newer revision on its way and leaves an older one behind', async () => {
    await route();
    await beginAttempt(store, ref);
    await store.ledger.recordOutcome(ref, { state: 'written' });
    const newer = Buffer.from('{"more":1}');
    await accept({
      source: 'main',
      call_id: ref.call_id,
      body: newer,
      received: 'webhook',
      verified: 'signature',
      received_at: Date.now() + 5,
    });
    const next = { ...ref, revision: revisionOf(newer) };
    expect(await store.ledger.route(next, { effect: 'added', facts: { notes: [] }, wanted })).toMatchObject([
      { revision: next.revision, state: 'queued' },
    ]);
    expect(await store.ledger.route(ref, { effect: 'applied', facts: { notes: [] }, wanted })).toHaveLength(0);
    expect(await delivery()).toMatchObject({ revision: next.revision });
  });

  it('takes nothing back in a rerun, however far apart the clocks of those are that received the revisions', async () => {
    await route();
    await beginAttempt(store, ref);
    await store.ledger.recordOutcome(ref, { state: 'written' });
    const other = Buffer.from('{"other":1}');
    await accept(makeArrival(ref.call_id, other, { received_at: Date.now() - 5_000 }));
    const later = { ...ref, revision: revisionOf(other) };
    const park = { code: 'contradiction', reason: 'says otherwise', hint: 'look' };
    await store.ledger.route(later, { effect: 'parked', facts: { notes: [] }, wanted, park });
    expect(await delivery()).toMatchObject({ revision: later.revision, state: 'parked' });
    // The worker died before it had ended the job of the first one.
    expect(await route()).toEqual([]);
    expect(await delivery()).toMatchObject({ revision: later.revision, state: 'parked' });
  });

  it('lets an older revision in no sooner because one that is older still waits for a person', async () => {
    const at = (text: string, ago: number) =>
      makeArrival(ref.call_id, Buffer.from(text), { received_at: Date.now() - ago });
    const [newest, oldest, between] = [
      at('{"is":"newest"}', -10_000),
      at('{"is":"oldest"}', 60_000),
      at('{"is":"between"}', 30_000),
    ];
    for (const arrival of [newest, oldest, between]) await accept(arrival);
    const as = (arrival: Arrival) => ({ ...ref, revision: revisionOf(arrival.body) });
    await store.ledger.route(as(newest), { effect: 'applied', facts: { notes: [] }, wanted });
    await beginAttempt(store, as(newest));
    await store.ledger.recordOutcome(as(newest), { state: 'written' });
    const park = { code: 'contradiction', reason: 'says otherwise', hint: 'look' };
    await store.ledger.route(as(oldest), { effect: 'parked', facts: { notes: [] }, wanted, park });
    expect(await store.ledger.route(as(between), { effect: 'added', facts: { notes: [] }, wanted })).toEqual([]);
    expect(await delivery()).toMatchObject({ revision: as(oldest).revision, state: 'parked' });
  });

  describe('with the people and the compressed bytes of the revision', () => {
    const number = { by: 'number' as const, value: `+1202555${Math.floor(Math.random() * 10_000)}` };
    const withPeople = async () => ({ people: { digests: await store.people.digestsOf([number]), days: 90 } });
    const payload = () => store.redis.get(store.keys.payload(ref.source, ref.call_id, revision));
    const found = async () => (await store.people.calls([number])).map(({ call_id }) => call_id);
    const unread = async () =>
      (await store.people.unread()).flatMap((one) => (one.revision === revision ? one.call_id : []));

    it('notes them in the step that routes it', async () => {
      const compress = async () => ({ bytes: Buffer.from('packed') });
      expect(await unread()).toContain(ref.call_id);
      const judged = { effect: 'applied' as const, facts: { notes: [] }, wanted, ...(await withPeople()), compress };
      expect(await store.ledger.route(ref, judged)).toHaveLength(1);
      expect(await found()).toContain(ref.call_id);
      expect(await unread()).not.toContain(ref.call_id);
      expect(await payload()).toBe('packed');
      const [kept] = (await store.ledger.read(ref.source, ref.call_id))?.revisions ?? [];
      expect(kept).toMatchObject({ effect: 'applied', stored: 6 });
      expect(kept).not.toHaveProperty('dictionary');
      expect(await store.redis.ttl(store.keys.payload(ref.source, ref.call_id, revision))).toBeGreaterThan(0);
    });

    it('takes the dictionary that all have where that of the source is gone, and keeps one that is there', async () => {
      const asked: boolean[] = [];
      const compress = async (isShared: boolean) => {
        asked.push(isShared);
        return isShared ? { bytes: Buffer.from('shared') } : { bytes: Buffer.from('own'), dictionary: 'dddd' };
      };
      const judged = { effect: 'applied' as const, facts: { notes: [] }, wanted, compress };
      expect(await store.ledger.route(ref, judged)).toHaveLength(1);
      expect(asked).toEqual([false, true]);
      expect(await payload()).toBe('shared');

      const name = store.keys.dictionary(ref.source, 'dddd');
      await store.redis.set(name, 'words', 'EX', 60);
      // A rerun, as after a crash.
      await store.ledger.route(ref, judged);
      expect(await payload()).toBe('own');
      expect((await store.ledger.read(ref.source, ref.call_id))?.revisions[0]).toMatchObject({ dictionary: 'dddd' });
      expect(await store.redis.ttl(name)).toBeGreaterThan(60);
      await store.redis.del(name);
    });

    it('brings back no bytes that are gone, and indexes the people whatever it answers', async () => {
      const newer = makeArrival(ref.call_id, Buffer.from('{"more":1}'), { received_at: Date.now() + 5 });
      await accept(newer);
      await store.ledger.route(
        { ...ref, revision: revisionOf(newer.body) },
        { effect: 'applied', facts: { notes: [] }, wanted },
      );
      await store.redis.del(store.keys.payload(ref.source, ref.call_id, revision));
      const compress = async () => ({ bytes: Buffer.from('packed') });
      const judged = { effect: 'applied' as const, facts: { notes: [] }, wanted, ...(await withPeople()), compress };
      expect(await store.ledger.route(ref, { ...judged, compared: [] })).toBe('again');
      expect(await found()).toContain(ref.call_id);
      await store.ledger.route(ref, judged);
      expect(await payload()).toBeNull();
      expect(await store.ledger.forget(ref.source, ref.call_id)).toBeDefined();
      await store.redis.zadd(store.keys.unread, 1, `${revision}:main:${ref.call_id}`);
      expect(await store.ledger.route(ref, judged)).toEqual([]);
      expect(await unread()).not.toContain(ref.call_id);
    });
  });

  it('counts a delivery as parked no longer once a later revision takes it', async () => {
    const before = await store.unresolved.count('parked');
    await route();
    await beginAttempt(store, ref);
    await store.ledger.recordOutcome(ref, { state: 'parked', code: 'invalid_field' });
    expect(await store.unresolved.count('parked')).toBe(before + 1);
    const later = makeArrival(ref.call_id, Buffer.from('{"more":1}'), { received_at: Date.now() + 5 });
    await accept(later);
    const next = { ...ref, revision: revisionOf(later.body) };
    await store.ledger.route(next, { effect: 'added', facts: { notes: [] }, wanted });
    expect(await delivery()).toMatchObject({ revision: next.revision, state: 'queued' });
    expect(await store.unresolved.count('parked')).toBe(before);
  });

  it('finds calls by state, newest first', async () => {
    await route();
    await store.ledger.recordOutcome(ref, { state: 'parked' });
    const [first] = await store.ledger.list({ state: 'parked', limit: 1 });
    expect(first?.call_id).toBe(ref.call_id);
    expect(await store.ledger.list({ connection: 'nowhere' })).toEqual([]);
    expect(await store.ledger.find(ref.call_id, ['other', 'main'])).toHaveLength(1);
  });
});

describe('calls of clients', () => {
  const receive = (source: string, received: Arrival['received'] = 'webhook', received_at = Date.now()) => {
    const call_id = randomUUID();
    return accept({ ...makeArrival(call_id, body, { source }), received, received_at }).then(() => call_id);
  };
  const idsOf = (entries: { call_id: string }[]) => entries.map(({ call_id }) => call_id);

  it('are listed and counted by client, without those of a client whose name begins alike', async () => {
    const [first, other, second] = [
      await receive('acme.main'),
      await receive('acme-west.main'),
      await receive('acme.second'),
    ];
    expect(idsOf(await store.ledger.list({ client: 'acme' }))).toEqual([second, first]);
    expect(idsOf(await store.ledger.list({ client: 'acme', source: 'acme.main' }))).toEqual([first]);
    expect(idsOf(await store.ledger.list({ source: 'acme-west.main' }))).toEqual([other]);
    expect(await store.ledger.list({ client: 'acme', source: 'acme-west.main' })).toEqual([]);
    expect(await store.ledger.count('acme')).toBe(2);
    const page = await store.ledger.page({ client: 'acme', limit: 1 });
    expect(idsOf(page.entries)).toEqual([second]);
    expect(idsOf((await store.ledger.page({ client: 'acme', after: page.next as string })).entries)).toEqual([first]);
  });

  it('tell when the last webhook came, and end with their retention', async () => {
    const now = Date.now();
    await receive('old.main', 'webhook', now - 9_000);
    await receive('old.main', 'backfill', now - 8_000);
    await receive('new.main', 'backfill', now - 8_000);
    await receive('new.main', 'reconciled', now);
    const found = async () =>
      (await store.ledger.clients(now - 5_000)).filter(({ client }) => /^(old|new)$/.test(client));
    expect(await found()).toEqual([
      { client: 'new', calls: 2, recent: 1 },
      { client: 'old', calls: 2, recent: 0, last_webhook: now - 9_000 },
    ]);
    await store.ledger.trim(now - 8_000);
    expect(await found()).toEqual([{ client: 'new', calls: 1, recent: 1 }]);
  });
});
