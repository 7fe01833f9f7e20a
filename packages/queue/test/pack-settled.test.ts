import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginAttempt, makeArrival, openTestStore } from '../../../test/support/store.ts';
import {
  type Arrival,
  copyCall,
  forgetCall,
  type LedgerEntry,
  moveCall,
  packSettled,
  removeCall,
  revisionOf,
  type Store,
} from '../src/index.ts';

const HOUR_MS = 3_600_000;
const SPAN_MS = 6 * HOUR_MS;
let store: Store;

async function openStore(): Promise<void> {
  store = await openTestStore();
  // A version that packs has been here for long.
  await store.redis.hset(store.keys.packed, 'since', 0);
}

beforeEach(openStore);
afterEach(() => store.close());

type End = 'written' | 'skipped' | 'parked' | 'dead' | 'queued' | 'unrouted' | 'dropped';

/** A call that came to an end some time ago. */
async function settle(
  source: string,
  { at, end = 'written', payload = false, days = 90 }: { at: number; end?: End; payload?: boolean; days?: number },
): Promise<Arrival> {
  const call_id = randomUUID();
  const arrival = makeArrival(call_id, Buffer.from(JSON.stringify({ call: { call_id } })), { source, received_at: at });
  await store.accept(arrival, days);
  const revision = revisionOf(arrival.body);
  const ref = { source, call_id, revision, route: 'sales-calls', replays: 0 };
  const wanted = end === 'unrouted' ? [] : [{ route: 'sales-calls', connection: 'sales' }];
  await store.ledger.route(ref, { effect: 'applied', facts: { outcome: 'connected', notes: [] }, wanted, digest: 'd' });
  if (end !== 'unrouted' && end !== 'queued') {
    await beginAttempt(store, ref, 'mapping');
    const records =
      end === 'written' ? [{ name: 'person', object: 'contacts', id: '123456789', did: 'created' as const }] : [];
    const state = end === 'dropped' ? 'parked' : end;
    await store.ledger.recordOutcome(ref, {
      state,
      records,
      requests: 2,
      ...(end === 'parked' && { code: 'refused' }),
    });
    if (end === 'dropped') await store.ledger.drop(source, call_id, 'sales-calls', { reason: 'wrong number' });
  }
  await store.people.add({ source, call_id }, revision, [{ by: 'number', value: `+1${call_id}` }], days);
  if (end !== 'queued') await store.ledger.close(source, call_id);
  if (!payload) await store.payloads.remove(source, call_id, [revision]);
  return arrival;
}

const pack = async () => {
  await store.redis.hdel(store.keys.packed, 'walked');
  return packSettled(store, { before: Date.now() });
};
const isPacked = async ({ source, call_id }: Pick<Arrival, 'source' | 'call_id'>) =>
  (await store.ledger.packed.read(source, call_id)) !== undefined;
const hasHash = async ({ source, call_id }: Pick<Arrival, 'source' | 'call_id'>) =>
  (await store.redis.exists(store.keys.ledger(source, call_id))) === 1;
const old = (hours: number) => Date.now() - hours * HOUR_MS;

/** Everything that can be asked of the ledger. */
async function askAll(calls: readonly Arrival[], limit: number) {
  const pages: LedgerEntry[][] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.ledger.page({ limit, ...(after === undefined ? {} : { after }) });
    pages.push(page.entries);
    after = page.next;
    if (after === undefined) break;
  }
  const since = calls[Math.floor(calls.length / 2)]?.received_at ?? 0;
  return {
    pages,
    entries: await Promise.all(calls.map(({ source, call_id }) => store.ledger.read(source, call_id))),
    since: await store.ledger.list({ since, limit: 1000 }),
    written: await store.ledger.list({ state: 'written', limit: 7 }),
    client: await store.ledger.list({ client: 'acme', limit: 1000 }),
    source: await store.ledger.list({ source: 'acme.main', since, limit: 1000 }),
    counts: [await store.ledger.count(), await store.ledger.count('acme')],
    clients: await store.ledger.clients(since),
    known: await store.ledger.known('main', [...calls.map(({ call_id }) => call_id), 'never-came']),
    people: await store.people.calls(calls.map(({ call_id }) => ({ by: 'number' as const, value: `+1${call_id}` }))),
  };
}

it('answers for packed entries as for those that are not', async () => {
  const call = fc.record({
    source: fc.constantFrom('main', 'second', 'acme.main', 'acme.second', 'beta.main'),
    // Some of the same millisecond.
    at: fc
      .oneof(fc.integer({ min: 7, max: 600 }), fc.constantFrom(24, 48))
      .map((hours) => Math.floor(old(hours) / HOUR_MS) * HOUR_MS),
    end: fc.constantFrom<End>(
      'written',
      'written',
      'written',
      'skipped',
      'parked',
      'dead',
      'queued',
      'unrouted',
      'dropped',
    ),
    payload: fc.nat({ max: 5 }).map((n) => n === 0),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(call, { minLength: 1, maxLength: 70 }),
      fc.integer({ min: 1, max: 30 }),
      async (calls, limit) => {
        await store.close();
        await openStore();
        const arrivals = await Promise.all(calls.map(({ source, ...rest }) => settle(source, rest)));
        const before = await askAll(arrivals, limit);
        const expected = calls.filter(({ end }) => !['parked', 'dead', 'queued'].includes(end)).length;
        expect(await pack()).toBe(expected);
        expect(await askAll(arrivals, limit)).toEqual(before);
        for (const one of arrivals) expect(await hasHash(one)).toBe(!(await isPacked(one)));
      },
    ),
    { numRuns: 25 },
  );
});

describe('what is packed', () => {
  it('takes few buckets, also for calls that settle late', async () => {
    const at = Math.floor(old(48) / SPAN_MS) * SPAN_MS;
    await Promise.all(Array.from({ length: 97 }, (_, n) => settle('main', { at: at + n * 1000 })));
    expect(await pack()).toBe(97);
    for (let late = 0; late < 3; late += 1) {
      await settle('main', { at: at + late });
      expect(await pack()).toBe(1);
    }
    expect(await store.redis.zcard(`${store.keys.packed}-index`)).toBe(2);
    expect((await store.ledger.list({ limit: 200 })).map(({ received_at }) => received_at)).toHaveLength(100);
  });

  it('waits until there is enough for a bucket, or no more can come', async () => {
    const one = await settle('main', { at: Date.now() - 1 });
    expect(await pack()).toBe(0);
    expect(await hasHash(one)).toBe(true);
  });

  it('goes on where it stopped, and does not begin anew for some minutes', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, n) => settle('main', { at: old(40) + n })));
    expect(await packSettled(store, { before: Date.now(), budget: 0 })).toBe(50);
    expect(await packSettled(store, { before: Date.now() })).toBe(10);
    await settle('main', { at: old(40) });
    expect(await packSettled(store, { before: Date.now() })).toBe(0);
    expect(await packSettled(store, { before: Date.now(), now: Date.now() + 11 * 60_000 })).toBe(1);
  });

  it('gets by a lone entry before more calls than one budget reads', async () => {
    const lone = await settle('acme.main', { at: old(40) });
    await Promise.all(Array.from({ length: 1_100 }, (_, n) => settle('main', { at: old(40) + 1 + n, end: 'parked' })));
    const last = await settle('main', { at: old(40) + 2_000 });
    for (let slice = 0; slice < 6; slice += 1) await packSettled(store, { before: Date.now(), budget: 0 });
    expect([await isPacked(lone), await isPacked(last)]).toEqual([true, true]);
  });

  it('joins a bucket whose entries have ended in part, and leaves none of their ids behind', async () => {
    const first = await settle('acme.main', { at: old(40) });
    await settle('acme.main', { at: old(40) });
    await store.redis.pexpire(store.keys.ledger('acme.main', first.call_id), 300);
    expect(await pack()).toBe(2);
    await expect.poll(() => store.ledger.read('acme.main', first.call_id)).toBeUndefined();
    await settle('acme.main', { at: old(40) });
    expect(await pack()).toBe(1);
    const [ids, bucket] = [
      await store.redis.hget(store.keys.packed, 'ids'),
      await store.redis.hget(store.keys.packed, 'last'),
    ];
    // Its id goes with its bytes: until the bucket is removed it has both.
    expect([ids, bucket]).toEqual(['3', '1']);
    expect(await store.accept(first, 90)).toBe('accepted');
    expect(await store.redis.hget(store.keys.packed, 'ids')).toBe('2');
  });

  it('is none before other processes have had an hour to be upgraded', async () => {
    await store.redis.hdel(store.keys.packed, 'since');
    const one = await settle('main', { at: old(40) });
    expect(await packSettled(store, { before: Date.now() })).toBe(0);
    expect(await hasHash(one)).toBe(true);
    expect(await packSettled(store, { before: Date.now(), now: Date.now() + HOUR_MS + 1000 })).toBe(1);
  });

  it('ends when its retention has passed, and leaves nothing behind', async () => {
    const first = await settle('acme.main', { at: old(40), days: 90 });
    const second = await settle('acme.main', { at: old(40), days: 90 });
    await store.redis.pexpire(store.keys.ledger('acme.main', first.call_id), 400);
    await store.redis.pexpire(store.keys.ledger('acme.main', second.call_id), 800);
    expect(await pack()).toBe(2);
    await expect.poll(() => store.ledger.read('acme.main', first.call_id)).toBeUndefined();
    // As a new call: nothing is known of it any more.
    expect(await store.accept(first, 90)).toBe('accepted');
    await expect.poll(() => store.ledger.read('acme.main', second.call_id)).toBeUndefined();
    await store.ledger.trim(Date.now() - 90 * 24 * HOUR_MS);
    expect(await store.ledger.count('acme')).toBe(1);
    await removeCall(store, first);
    expect(await store.ledger.clients()).toEqual([]);
    const left = (await store.redis.keys(`${store.keys.packed}*`)).map((name) => name.slice(store.keys.packed.length));
    expect(left).toEqual(['']);
  });

  it('finds its slot again however many calls there are', async () => {
    const calls = await Promise.all(Array.from({ length: 200 }, (_, n) => settle('main', { at: old(30) + n })));
    expect(await pack()).toBe(200);
    expect(Number(await store.redis.hget(store.keys.packed, 'slots'))).toBeGreaterThan(2);
    const found = await store.ledger.packed.known('main', [...calls.map(({ call_id }) => call_id), 'never-came']);
    expect(found.size).toBe(200);
    for (const { call_id } of calls.slice(30)) await removeCall(store, { source: 'main', call_id });
    expect(Number(await store.redis.hget(store.keys.packed, 'slots'))).toBeLessThan(3);
    for (const one of calls.slice(0, 30)) expect(await isPacked(one)).toBe(true);
    expect(await store.ledger.count()).toBe(30);
  });
});

it('all calls of a bucket can be replayed at once', async () => {
  const calls = await Promise.all(Array.from({ length: 45 }, (_, n) => settle('main', { at: old(40) + n })));
  expect(await pack()).toBe(45);
  const replayed = await Promise.all(
    calls.map(({ source, call_id }) => store.ledger.requeue(source, call_id, 'sales-calls', ['written'])),
  );
  expect(replayed.map((delivery) => delivery?.replays)).toEqual(calls.map(() => 1));
  expect(await store.redis.zcard(`${store.keys.packed}-index`)).toBe(0);
});

describe('a packed call', () => {
  let call: Arrival;
  beforeEach(async () => {
    call = await settle('acme.main', { at: old(40) });
    await settle('acme.main', { at: old(40) });
    expect(await pack()).toBe(2);
  });
  const read = () => store.ledger.read(call.source, call.call_id);

  it('is recognised when its webhook comes again', async () => {
    const before = await read();
    expect(await store.accept(call, 90)).toBe('duplicate');
    expect(await read()).toEqual(before);
    expect(await store.payloads.has(call.source, call.call_id, revisionOf(call.body))).toBe(false);
  });

  it('takes a late revision, and counts it with the others', async () => {
    const body = Buffer.from(`{"call":{"call_id":"${call.call_id}"},"more":1}`);
    const late = { ...call, body, received_at: Date.now() };
    expect(await store.accept(late, 90)).toBe('accepted');
    expect((await read())?.revisions.map(({ hash }) => hash)).toEqual([revisionOf(call.body), revisionOf(body)]);
    expect(await hasHash(call)).toBe(true);
    expect(await isPacked(call)).toBe(false);
    expect(await pack()).toBe(0);
    expect(await store.ledger.count('acme')).toBe(2);
  });

  it('is as it was when a job comes that a crash left behind', async () => {
    const before = await read();
    const ref = { ...call, revision: revisionOf(call.body) };
    const wanted = [{ route: 'sales-calls', connection: 'sales' }];
    expect(await store.ledger.route(ref, { effect: 'applied', facts: { notes: [] }, wanted })).toEqual([]);
    expect(await beginAttempt(store, { ...ref, route: 'sales-calls', replays: 0 })).toBeUndefined();
    expect(await read()).toEqual(before);
  });

  it('can be replayed', async () => {
    expect(await store.ledger.requeue(call.source, call.call_id, 'sales-calls', ['written'])).toMatchObject({
      replays: 1,
    });
    expect((await store.ledger.openSince(Date.now())).map(({ call_id }) => call_id)).toContain(call.call_id);
    // It says that the payload is gone where nothing can be read any more.
    const options = { attempts: 3, from: ['queued' as const] };
    expect(await store.operations.replay(call.source, call.call_id, 'sales-calls', options)).toBe('expired');
  });

  it('is delivered again from its payload, as long as that is there', async () => {
    const kept = await settle('acme.main', { at: old(40), payload: true });
    expect(await pack()).toBe(1);
    const options = { attempts: 3, from: ['written' as const] };
    expect(await store.operations.replay('acme.main', kept.call_id, 'sales-calls', options)).toBe('replayed');
    expect(await store.ledger.read('acme.main', kept.call_id)).toMatchObject({
      deliveries: [{ state: 'queued', replays: 1 }],
    });
    expect(await store.payloads.read('acme.main', kept.call_id, revisionOf(kept.body))).toEqual(kept.body);
  });

  it('is forgotten like any other', async () => {
    expect(await forgetCall(store, call)).toMatchObject({ records: [{ id: '123456789' }] });
    expect(await read()).toMatchObject({ forgotten: expect.any(Number), deliveries: [{ records: [] }] });
    expect(await store.people.calls([{ by: 'number', value: `+1${call.call_id}` }])).toEqual([]);
    await store.ledger.close(call.source, call.call_id);
    expect(await pack()).toBe(1);
    expect(await store.accept(call, 90)).toBe('duplicate');
    expect(await read()).toMatchObject({ forgotten: expect.any(Number) });
  });

  it('moves to another name', async () => {
    const renaming = {
      source: (name: string) => name.replace('acme.', 'beta.'),
      route: (name: string) => name,
      connection: (name: string) => name,
    };
    const copy = await copyCall(store, call);
    expect(copy?.ttl).toBeGreaterThan(80 * 24 * HOUR_MS);
    expect(await moveCall(store, call, { renaming, sameKey: true }, 1_000)).toBe(true);
    expect(await read()).toBeUndefined();
    expect(await store.ledger.read('beta.main', call.call_id)).toMatchObject({ deliveries: [{ state: 'written' }] });
    expect(await store.people.calls([{ by: 'number', value: `+1${call.call_id}` }])).toEqual([
      { source: 'beta.main', call_id: call.call_id },
    ]);
    expect([await store.ledger.count('acme'), await store.ledger.count('beta')]).toEqual([1, 1]);
  });
});

it('is in one form only, and keeps what came, while packing, arrivals, replays and forgetting go on beside each other', async () => {
  const calls = await Promise.all(
    Array.from({ length: 120 }, (_, n) => settle(n % 3 ? 'main' : 'acme.main', { at: old(40) + n })),
  );
  const others = await Promise.all([openTestStore({ prefix: prefixOf() }), openTestStore({ prefix: prefixOf() })]);
  try {
    const revised = new Set<string>();
    const forgotten = new Set<string>();
    const replayed = new Set<string>();
    let done = false;
    const packing = others.map(async (other) => {
      while (!done) {
        // Whatever is open is closed, so that it is packed again at once.
        for (const { source, call_id } of await other.ledger.openSince(Date.now())) {
          const entry = await other.ledger.read(source, call_id);
          const rests =
            entry?.revisions.every(({ effect }) => effect) && entry.deliveries.every(({ state }) => state !== 'queued');
          if (rests) await other.ledger.close(source, call_id);
        }
        await other.redis.hdel(other.keys.packed, 'walked', 'walk');
        await packSettled(other, { before: Date.now() });
      }
    });
    for (const [n, call] of calls.entries()) {
      const { source, call_id } = call;
      await Promise.all([
        store.accept(call, 90),
        n % 4 === 0 &&
          store
            .accept({ ...call, body: Buffer.from(`{"n":${n}}`) }, 90)
            .then((is) => is === 'accepted' && revised.add(call_id)),
        n % 4 === 1 &&
          store.ledger.requeue(source, call_id, 'sales-calls', ['written']).then((is) => is && replayed.add(call_id)),
        n % 4 === 2 && forgetCall(store, call, { wait: 1_000 }).then((is) => is && forgotten.add(call_id)),
        store.ledger.known(source, [call_id]).then((known) => expect(known.size).toBe(1)),
        store.ledger.read(source, call_id).then((entry) => expect(entry?.call_id).toBe(call_id)),
        store.ledger.page({ limit: 200 }).then(({ entries }) => expect(entries).toHaveLength(calls.length)),
      ]);
    }
    done = true;
    await Promise.all(packing);
    expect([revised.size, replayed.size, forgotten.size]).toEqual([30, 30, 30]);
    for (const call of calls) {
      expect(await isPacked(call)).toBe(!(await hasHash(call)));
      const entry = await store.ledger.read(call.source, call.call_id);
      expect(entry?.revisions).toHaveLength(revised.has(call.call_id) ? 2 : 1);
      expect(entry?.forgotten !== undefined).toBe(forgotten.has(call.call_id));
      expect(entry?.deliveries[0]?.replays).toBe(replayed.has(call.call_id) ? 1 : 0);
    }
    expect(await store.ledger.count()).toBe(calls.length);
    expect(await store.ledger.count('acme')).toBe(calls.filter(({ source }) => source !== 'main').length);
  } finally {
    for (const other of others) await other.close();
  }
});

const prefixOf = () => store.keys.prefix.slice(1, -1);
