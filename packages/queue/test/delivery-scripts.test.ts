import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { beginAttempt, makeArrival, newArrival, openTestStore } from '../../../test/support/store.ts';
import { type DeliveryRef, deliveryLease, RedisLease, recordOf, revisionOf, type Store } from '../src/index.ts';
import { beginDelivery } from '../src/ledger/delivery-scripts.ts';

const wanted = [{ route: 'sales-calls', connection: 'sales' }];
let store: Store;
let ref: DeliveryRef;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  const arrival = newArrival();
  await store.accept(arrival, 90);
  const { source, call_id, body } = arrival;
  ref = { source, call_id, route: 'sales-calls', revision: revisionOf(body), replays: 0 };
});

const route = (deliveries = wanted) =>
  store.ledger.route(ref, { effect: 'applied', facts: { notes: [] }, wanted: deliveries });
const delivery = async () => (await store.ledger.read(ref.source, ref.call_id))?.deliveries[0];
const leaseName = () => deliveryLease('main', ref.call_id, 'sales-calls');
const leaseKey = () => store.keys.lease(leaseName());

describe('an attempt', () => {
  it('counts attempts when they begin, and gives one back for a wait', async () => {
    await route();
    expect(await beginAttempt(store, ref, 'abc')).toMatchObject({ attempts: 1, mapping: 'abc' });
    await store.ledger.recordOutcome(ref, { code: 'throttled', reason: 'wait' }, { refundAttempt: true });
    expect(await delivery()).toMatchObject({ attempts: 0, state: 'queued', code: 'throttled' });
  });

  it('takes the lease with the attempt, and gives it back with the outcome', async () => {
    await route();
    const taken = await store.ledger.take(ref, 'abc', { ttl: 5_000, withEntry: true });
    if (!taken || taken === 'busy') throw new Error(`not taken: ${taken}`);
    expect(taken).toMatchObject({ delivery: { attempts: 1, has_choices: false }, revisions: 1 });
    expect(taken.entry).toEqual(await store.ledger.read('main', ref.call_id));
    expect(await store.redis.pttl(leaseKey())).toBeGreaterThan(0);

    // Another process, and one of an earlier version, which takes leases by themselves.
    expect(await store.ledger.take(ref, 'abc', { ttl: 5_000, withEntry: false })).toBe('busy');
    const leases = new RedisLease(store.redis, store.keys);
    expect(await leases.take([leaseName()], 5_000)).toBeUndefined();
    expect(await delivery()).toMatchObject({ attempts: 1 });

    await store.ledger.recordOutcome(ref, { code: 'throttled' }, { refundAttempt: true, lease: taken.lease });
    expect(await store.redis.exists(leaseKey())).toBe(0);
    const again = await store.ledger.take(ref, 'abc', { ttl: 5_000, withEntry: false });
    expect(again).toMatchObject({ delivery: { attempts: 1 } });
    // What the first holder gives back late is not its own any more.
    await taken.lease.release();
    expect(await store.redis.exists(leaseKey())).toBe(1);
    if (again && again !== 'busy') await again.lease.release();
    expect(await store.redis.exists(leaseKey())).toBe(0);
  });

  it('renews the lease of an attempt while it lasts, and lets that of a process that died go', async () => {
    await route();
    const taken = await store.ledger.take(ref, '', { ttl: 3_000, withEntry: false });
    if (!taken || taken === 'busy') throw new Error(`not taken: ${taken}`);
    await store.redis.pexpire(leaseKey(), 600_000);
    await expect.poll(() => store.redis.pttl(leaseKey())).toBeLessThanOrEqual(3_000);
    expect(await store.redis.exists(leaseKey())).toBe(1);
    // As the end of its process would leave it.
    taken.lease.ended();
    await store.redis.pexpire(leaseKey(), 1);
    await expect.poll(() => store.redis.exists(leaseKey())).toBe(0);
    const next = await store.ledger.take(ref, '', { ttl: 60_000, withEntry: false });
    expect(next).toMatchObject({ delivery: { attempts: 2 } });
  });

  describe('a delivery that waits in the hands of a process', () => {
    /** Taken, and its lease renewed since: `yields` says whether it lets others have it. */
    async function held(yields = true) {
      await route();
      const taken = await store.ledger.take(ref, '', { ttl: 3_000, withEntry: false });
      if (!taken || taken === 'busy') throw new Error(`not taken: ${taken}`);
      if (yields) taken.lease.yield();
      await store.redis.pexpire(leaseKey(), 600_000);
      await expect.poll(() => store.redis.pttl(leaseKey())).toBeLessThanOrEqual(3_000);
      return taken;
    }
    const takeAway = () => new RedisLease(store.redis, store.keys).take([leaseName()], 60_000);

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
      await expect.poll(() => store.redis.pttl(leaseKey())).toBeLessThanOrEqual(3_000);
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
        const args = ['sales-calls', ref.revision, 0, '', owner, 60_000, ''];
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
    await route([...wanted, { route: 'events', connection: 'events' }]);
    const payload = store.keys.payload('main', ref.call_id, ref.revision);
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

  it('leaves a call open while it has a revision that no worker has read', async () => {
    await route();
    const later = makeArrival(ref.call_id, Buffer.from('{"came":"later"}'));
    expect(await store.accept(later, 90)).toBe('accepted');
    await beginAttempt(store, ref);
    const payloads = { delivered_days: 7, stopped_days: 30 };
    await store.ledger.recordOutcome(ref, { state: 'written', records: [] }, { payloads });
    expect(await store.redis.zscore(store.keys.open, `main:${ref.call_id}`)).not.toBeNull();
    const payload = store.keys.payload('main', ref.call_id, revisionOf(later.body));
    expect(await store.redis.ttl(payload)).toBeGreaterThan(30 * 86_400);
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

  it('refuses a job of another revision or replay', async () => {
    await route();
    expect(await beginAttempt(store, { ...ref, revision: 'other' })).toBeUndefined();
    expect(await beginAttempt(store, { ...ref, replays: 1 })).toBeUndefined();
    expect(await store.ledger.recordOutcome({ ...ref, replays: 1 }, { state: 'written' })).toBe(false);
  });
});
