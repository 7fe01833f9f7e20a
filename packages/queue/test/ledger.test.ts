import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { beginAttempt, makeArrival, openTestStore } from '../../../test/support/store.ts';
import {
  type Arrival,
  type DeliveryRef,
  deliveryLease,
  RedisLease,
  recordOf,
  revisionOf,
  type Store,
} from '../src/index.ts';
import { beginDelivery } from '../src/ledger/delivery-scripts.ts';

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

  it('counts attempts when they begin, and gives one back for a wait', async () => {
    await route();
    expect(await beginAttempt(store, ref, 'abc')).toMatchObject({ attempts: 1, mapping: 'abc' });
    await store.ledger.recordOutcome(ref, { code: 'throttled', reason: 'wait' }, { refundAttempt: true });
    expect(await delivery()).toMatchObject({ attempts: 0, state: 'queued', code: 'throttled' });
  });

  it('takes the lease with the attempt, and gives it back with the outcome', async () => {
    await route();
    const lease = store.keys.lease(deliveryLease('main', ref.call_id, 'sales-calls'));
    const taken = await store.ledger.take(ref, 'abc', { ttl: 5_000, withEntry: true });
    if (!taken || taken === 'busy') throw new Error(`not taken: ${taken}`);
    expect(taken).toMatchObject({ delivery: { attempts: 1, has_choices: false }, revisions: 1 });
    expect(taken.entry).toEqual(await store.ledger.read('main', ref.call_id));
    expect(await store.redis.pttl(lease)).toBeGreaterThan(0);

    // Another process, and one of an earlier version, which takes leases by themselves.
    expect(await store.ledger.take(ref, 'abc', { ttl: 5_000, withEntry: false })).toBe('busy');
    const leases = new RedisLease(store.redis, store.keys);
    expect(await leases.take([deliveryLease('main', ref.call_id, 'sales-calls')], 5_000)).toBeUndefined();
    expect(await delivery()).toMatchObject({ attempts: 1 });

    await store.ledger.recordOutcome(ref, { code: 'throttled' }, { refundAttempt: true, lease: taken.lease });
    expect(await store.redis.exists(lease)).toBe(0);
    const again = await store.ledger.take(ref, 'abc', { ttl: 5_000, withEntry: false });
    expect(again).toMatchObject({ delivery: { attempts: 1 } });
    // What the first holder gives back late is not its own any more.
    await taken.lease.release();
    expect(await store.redis.exists(lease)).toBe(1);
    if (again && again !== 'busy') await again.lease.release();
    expect(await store.redis.exists(lease)).toBe(0);
  });

  it('renews the lease of an attempt while it lasts, and lets that of a process that died go', async () => {
    await route();
    const lease = store.keys.lease(deliveryLease('main', ref.call_id, 'sales-calls'));
    const taken = await store.ledger.take(ref, '', { ttl: 3_000, withEntry: false });
    if (!taken || taken === 'busy') throw new Error(`not taken: ${taken}`);
    await store.redis.pexpire(lease, 600_000);
    await expect.poll(() => store.redis.pttl(lease), { timeout: 30_000 }).toBeLessThanOrEqual(3_000);
    expect(await store.redis.exists(lease)).toBe(1);
    // As the end of its process would leave it.
    taken.lease.ended();
    await store.redis.pexpire(lease, 1);
    await expect.poll(() => store.redis.exists(lease), { timeout: 30_000 }).toBe(0);
    const next = await store.ledger.take(ref, '', { ttl: 60_000, withEntry: false });
    expect(next).toMatchObject({ delivery: { attempts: 2 } });
  });

  describe('a delivery that waits in the hands of a process', () => {
    const leaseKey = () => store.keys.lease(deliveryLease('main', ref.call_id, 'sales-calls'));
    /** Taken, and its lease renewed since: `yields` says whether it lets others have it. */
    async function held(yields = true) {
      await route();
      const taken = await store.ledger.take(ref, '', { ttl: 3_000, withEntry: false });
      if (!taken || taken === 'busy') throw new Error(`not taken: ${taken}`);
      if (yields) taken.lease.yield();
      await store.redis.pexpire(leaseKey(), 600_000);
      await expect.poll(() => store.redis.pttl(leaseKey()), { timeout: 30_000 }).toBeLessThanOrEqual(3_000);
      return taken;
    }
    const takeAway = () =>
      new RedisLease(store.redis, store.keys).take([deliveryLease('main', ref.call_id, 'sales-calls')], 60_000);

    it('is written no more once it was dropped, replayed or forgotten', async () => {
      const taken = await held();
      expect(await store.ledger.recheck([taken])).toEqual(['held']);
      await store.ledger.drop('main', ref.call_id, 'sales-calls', { reason: 'not wanted' });
      expect(await store.ledger.recheck([taken])).toEqual(['outdated']);
      await store.ledger.requeue('main', ref.call_id, 'sales-calls', ['dropped']);
      expect(await store.ledger.recheck([taken])).toEqual(['outdated']);
      await store.ledger.forget('main', ref.call_id);
      expect(await store.ledger.recheck([taken])).toEqual(['outdated']);
      await taken.lease.release();
    });

    it('is written no more where its lease was lost, and its holder takes nothing of the next one', async () => {
      const taken = await held(false);
      expect(await takeAway()).toBeUndefined();
      await store.redis.del(leaseKey());
      expect(await store.ledger.recheck([taken])).toEqual(['busy']);
      const other = await store.ledger.take(ref, '', { ttl: 60_000, withEntry: false });
      expect(await store.ledger.recheck([taken])).toEqual(['busy']);
      await store.ledger.recordOutcome(ref, { code: 'throttled' }, { lease: taken.lease });
      expect(await store.redis.exists(leaseKey())).toBe(1);
      if (other && other !== 'busy') await other.lease.release();
    });

    it('lets its lease be taken while it yields, and not from when it is about to be written', async () => {
      const taken = await held();
      expect(await store.ledger.recheck([taken])).toEqual(['held']);
      expect(await takeAway()).toBeUndefined();
      // Nor by a later renewal.
      await store.redis.pexpire(leaseKey(), 600_000);
      await expect.poll(() => store.redis.pttl(leaseKey()), { timeout: 30_000 }).toBeLessThanOrEqual(3_000);
      expect(await takeAway()).toBeUndefined();
      await taken.lease.release();

      const again = await held();
      const other = await takeAway();
      expect(other).toBeDefined();
      expect(await store.ledger.recheck([again])).toEqual(['busy']);
      await again.lease.release();
      expect(await store.redis.exists(leaseKey())).toBe(1);
      await other?.release();
    });

    it('gives back a lease that yields with its outcome', async () => {
      const taken = await held();
      await store.ledger.recordOutcome(ref, { code: 'busy' }, { refundAttempt: true, lease: taken.lease });
      expect(await store.redis.exists(leaseKey())).toBe(0);
    });

    it('lets a replay have its lease', async () => {
      const taken = await held();
      await store.ledger.drop('main', ref.call_id, 'sales-calls', { reason: 'not yet' });
      await store.ledger.requeue('main', ref.call_id, 'sales-calls', ['dropped']);
      const replay = await store.ledger.take({ ...ref, replays: 1 }, '', { ttl: 60_000, withEntry: false });
      expect(replay).toMatchObject({ delivery: { attempts: 1, replays: 1 } });
      expect(await store.ledger.recheck([taken])).toEqual(['outdated']);
      await taken.lease.release();
      expect(await store.redis.exists(leaseKey())).toBe(1);
    });

    it('is looked at again only after a moment', async () => {
      await route();
      const now = performance.now();
      const clock = vi.spyOn(performance, 'now').mockReturnValue(now);
      const taken = await store.ledger.take(ref, '', { ttl: 60_000, withEntry: false });
      if (!taken || taken === 'busy') throw new Error(`not taken: ${taken}`);
      await store.redis.del(leaseKey());
      expect(await store.ledger.recheck([taken])).toEqual(['held']);
      clock.mockReturnValue(now + 1_000);
      expect(await store.ledger.recheck([taken])).toEqual(['busy']);
      clock.mockRestore();
      taken.lease.ended();
    });

    it('is answered again to a command that was sent again, and counts one attempt', async () => {
      await route();
      const keys = [store.keys.ledger('main', ref.call_id), store.keys.choices(''), leaseKey()];
      const begin = async (owner: string) => {
        const args = ['sales-calls', revision, 0, '', owner, 60_000, ''];
        const [json] = (await beginDelivery(store.redis, keys, args)) ?? [];
        return json && JSON.parse(json);
      };
      const first = await begin('one');
      expect(first).toMatchObject({ attempts: 1 });
      expect(await begin('one')).toEqual(first);
      expect(await begin('other')).toBeUndefined();
      expect(await delivery()).toMatchObject({ attempts: 1 });
    });
  });

  it('ends a call with the outcome of its last delivery, and not while another is on its way', async () => {
    const two = [...wanted, { route: 'events', connection: 'events' }];
    await store.ledger.route(ref, { effect: 'applied', facts: { notes: [] }, wanted: two });
    const payload = store.keys.payload('main', ref.call_id, revision);
    const before = await store.redis.ttl(payload);
    const isOpen = async () => (await store.redis.zscore(store.keys.open, `main:${ref.call_id}`)) !== null;
    const payloads = { delivered_days: 7, stopped_days: 30 };
    await beginAttempt(store, ref);
    await store.ledger.recordOutcome(ref, { state: 'written', records: [] }, { payloads });
    expect(await isOpen()).toBe(true);
    expect(await store.redis.ttl(payload)).toBeGreaterThanOrEqual(before - 60);
    const last = { ...ref, route: 'events' };
    await beginAttempt(store, last);
    await store.ledger.recordOutcome(last, { state: 'parked', code: 'refused' }, { payloads });
    expect(await isOpen()).toBe(false);
    expect(await store.redis.ttl(payload)).toBeLessThanOrEqual(30 * 86_400);
    expect(await store.redis.ttl(payload)).toBeGreaterThan(29 * 86_400);
  });

  it('puts the person of a call into the index with the outcome, whatever became of the delivery meanwhile', async () => {
    await route();
    const person = recordOf('sales', 'contacts', randomUUID());
    const digests = await store.people.digestsOf([person]);
    await beginAttempt(store, ref);
    await store.ledger.drop('main', ref.call_id, 'sales-calls', { reason: 'given up while it was written' });
    expect(await store.ledger.recordOutcome(ref, { state: 'written' }, { people: { digests, days: 90 } })).toBe(false);
    expect(await store.people.calls([person])).toEqual([{ source: 'main', call_id: ref.call_id }]);
    expect(await delivery()).toMatchObject({ state: 'dropped' });
  });

  it('calls nothing unknown that it could not read', async () => {
    expect(await store.ledger.known('main', [ref.call_id, 'never-came'])).toEqual(new Set([ref.call_id]));
    const broken = randomUUID();
    await store.redis.set(store.keys.ledger('main', broken), 'not a hash');
    await expect(store.ledger.known('main', [ref.call_id, broken])).rejects.toThrow('WRONGTYPE');
  });

  it('refuses a job of another revision or replay', async () => {
    await route();
    expect(await beginAttempt(store, { ...ref, revision: 'other' })).toBeUndefined();
    expect(await beginAttempt(store, { ...ref, replays: 1 })).toBeUndefined();
    expect(await store.ledger.recordOutcome({ ...ref, replays: 1 }, { state: 'written' })).toBe(false);
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

    const wanted = { attempts: 10, config: 'c0ffee', by: 'ada' };
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
    const why = { reason: 'a test call', by: 'ada' };
    const before = Date.now();
    expect(await store.operations.drop(ref.source, ref.call_id, ref.route, why)).toMatchObject({ state: 'dropped' });
    const dropped = await delivery();
    expect(dropped).toMatchObject({ state: 'dropped', ...stop, dropped: why });
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
