import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeArrival, openTestStore, stopDelivery } from '../../../test/support/store.ts';
import {
  cursorOf,
  forgetCall,
  isIndexComplete,
  maintainIndex,
  reasonFilter,
  revisionOf,
  runBulk,
  type Store,
  startBulk,
  type UnresolvedItem,
  type UnresolvedPage,
} from '../src/index.ts';

const body = Buffer.from('{}');
const revision = revisionOf(body);
let store: Store;

beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

interface Given {
  call_id?: string;
  source?: string;
  route?: string;
  connection?: string;
  state?: 'parked' | 'dead';
  code?: string;
  reason?: string;
  /** Epoch ms at which it stopped; default now. */
  at?: number;
}

/** A delivery that stopped, at a time that the test chooses. */
async function stop({
  connection = 'sales',
  state = 'parked',
  code = 'invalid_field',
  at,
  ...given
}: Given = {}): Promise<string> {
  const { source, call_id, route } = await stopDelivery(store, { ...given, connection, state, code });
  if (at !== undefined) {
    // The clock of the ledger is the machine's: a test that needs a certain time moves the item there.
    const key = `${store.keys.unresolved}:${state}:${source}|${route}|${connection}|${code}`;
    await store.redis.zadd(key, 'XX', at, call_id);
  }
  return call_id;
}

async function stopMany(number: number, given: (index: number) => Given): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < number) {
    const some = Array.from({ length: Math.min(50, number - ids.length) }, (_, index) =>
      stop(given(ids.length + index)),
    );
    ids.push(...(await Promise.all(some)));
  }
  return ids;
}

const idsOf = (items: UnresolvedItem[]) => items.map(({ call_id }) => call_id);
const requeue = (id: string, route = 'sales-calls') => store.ledger.requeue('main', id, route, ['parked', 'dead']);
const listed = async (state: 'parked' | 'dead' = 'parked') => {
  const found: string[] = [];
  for await (const { call_id } of store.unresolved.all(state)) found.push(call_id);
  return found;
};

/** All pages of a list, from the newest on. */
async function pages(limit: number, between?: (page: UnresolvedPage) => Promise<void>): Promise<UnresolvedItem[][]> {
  const found: UnresolvedItem[][] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.unresolved.page('parked', {}, { limit, after });
    found.push(page.items);
    if (page.next === undefined) return found;
    await between?.(page);
    after = page.next;
  }
}

describe('pages', () => {
  it('come newest first, each item once, across routes and codes', async () => {
    const ids = await stopMany(23, (index) => ({
      at: 1_700_000_000_000 + index,
      route: index % 3 === 0 ? 'alerts' : 'sales-calls',
      code: index % 2 === 0 ? 'invalid_field' : 'refused',
    }));
    const found = await pages(5);
    expect(found.map(({ length }) => length)).toEqual([5, 5, 5, 5, 3]);
    expect(idsOf(found.flat())).toEqual(ids.toReversed());
  });

  it('hold each item once where all of them stopped in the same millisecond', async () => {
    const at = 1_700_000_000_000;
    const ids = await stopMany(40, (index) => ({ at, code: index % 4 === 0 ? 'refused' : 'invalid_field' }));
    // The same call, the same moment, two routes.
    const twice = 'call|with:odd signs é';
    for (const route of ['alerts', 'sales-calls']) await stop({ call_id: twice, route, at });
    for (const limit of [1, 7, 41, 42]) {
      const all = (await pages(limit)).flat();
      expect(all).toHaveLength(42);
      expect(new Set(idsOf(all))).toEqual(new Set([...ids, twice]));
      expect(new Set(all.map(({ cursor }) => cursor)).size).toBe(42);
    }
  });

  it('go on at the right place while items leave, stop again and arrive', async () => {
    const ids = await stopMany(30, (index) => ({ at: 1_700_000_000_000 + Math.floor(index / 3) }));
    const [oldest] = ids as [string];
    const turns = [
      // The item that the cursor names leaves; so does one that is still to come.
      async ({ items }: UnresolvedPage) => {
        await requeue(items.at(-1)?.call_id as string);
        await requeue(oldest);
      },
      // One that was listed stops again, and so is newer; another one arrives.
      async ({ items }: UnresolvedPage) => {
        const again = items[0]?.call_id as string;
        await requeue(again);
        await store.ledger.recordOutcome(
          { source: 'main', call_id: again, route: 'sales-calls', revision, replays: 1 },
          { state: 'parked', code: 'refused' },
        );
        await stop();
      },
    ];
    const found = idsOf((await pages(4, async (page) => turns.shift()?.(page))).flat());
    expect(found).toHaveLength(29);
    expect(new Set(found)).toEqual(new Set(ids.slice(1)));
  });

  it('lead back to where one came from', async () => {
    const ids = await stopMany(11, (index) => ({ at: 1_700_000_000_000 + Math.floor(index / 2) }));
    const whole = idsOf((await store.unresolved.page('parked')).items);
    expect(new Set(whole)).toEqual(new Set(ids));
    const first = await store.unresolved.page('parked', {}, { limit: 4 });
    const second = await store.unresolved.page('parked', {}, { limit: 4, after: first.next });
    const third = await store.unresolved.page('parked', {}, { limit: 4, after: second.next });
    expect(first.previous).toBeUndefined();
    expect(third.next).toBeUndefined();
    const back = await store.unresolved.page('parked', {}, { limit: 4, before: third.previous });
    expect(idsOf(back.items)).toEqual(idsOf(second.items));
    const start = await store.unresolved.page('parked', {}, { limit: 4, before: back.previous });
    expect(idsOf(start.items)).toEqual(idsOf(first.items));
    expect(start.previous).toBeUndefined();
  });

  it('begin with the newest where a cursor cannot be read', async () => {
    await stop();
    for (const after of ['x', '', 'W10', 'WzEsMiwzXQ'])
      expect((await store.unresolved.page('parked', {}, { after })).items).toHaveLength(1);
  });
});

describe('filters', () => {
  it('by source, route, connection, code and time are counted and listed alike', async () => {
    const one = await stop({ code: 'refused', at: 1_700_000_000_000 });
    const two = await stop({ source: 'other', route: 'alerts', connection: 'http', at: 1_700_000_000_500 });
    const three = await stop({ code: 'mapping', at: 1_700_000_001_000 });
    await stop({ state: 'dead', code: 'timeout' });
    const wanted: [Parameters<Store['unresolved']['page']>[1], string[]][] = [
      [{}, [three, two, one]],
      [{ source: 'other' }, [two]],
      [{ route: 'sales-calls' }, [three, one]],
      [{ connection: 'sales' }, [three, one]],
      [{ connection: 'sales', codes: ['refused', 'invalid_field'] }, [one]],
      [{ since: 1_700_000_000_500 }, [three, two]],
      [{ until: 1_700_000_000_500 }, [two, one]],
      [{ since: 1_700_000_000_001, until: 1_700_000_000_999 }, [two]],
      [{ source: 'nowhere' }, []],
    ];
    for (const [filter, ids] of wanted) {
      expect(idsOf((await store.unresolved.page('parked', filter)).items), JSON.stringify(filter)).toEqual(ids);
      expect(await store.unresolved.count('parked', filter), JSON.stringify(filter)).toBe(ids.length);
    }
    expect(await store.unresolved.partitions('dead')).toEqual([
      { source: 'main', route: 'sales-calls', connection: 'sales', code: 'timeout', count: 1 },
    ]);
  });

  it('by client take the calls of all its sources, and of no other client', async () => {
    const route = 'acme.calls';
    const mine = [await stop({ source: 'acme.main', route }), await stop({ source: 'acme.second', route })];
    await stop({ source: 'acme-west.main', route: 'acme-west.calls' });
    await stop({ source: 'main', call_id: mine[0] as string });
    const filter = { client: 'acme' };
    expect(await store.unresolved.count('parked', filter)).toBe(2);
    // Both may have stopped in the same millisecond.
    expect(idsOf((await store.unresolved.page('parked', filter)).items).sort()).toEqual([...mine].sort());
    expect(await store.unresolved.count('parked', { ...filter, source: 'acme.main' })).toBe(1);
    expect(await store.unresolved.count('parked', { ...filter, source: 'main' })).toBe(0);
    const named = await store.unresolved.named('parked', mine, filter);
    expect(named.map(({ source }) => source)).toEqual(['acme.main', 'acme.second']);
    const run = await startBulk(store, { state: 'parked', action: 'drop', filter, why: 'a test' });
    expect(await runBulk(store, run.id, { attempts: () => 1 })).toMatchObject({ of: 2, done: 2 });
    expect(await store.unresolved.count('parked')).toBe(2);
  });

  it('take a reason for a code where one contains it, and for what is said otherwise', async () => {
    const field = await stop({ reason: 'HubSpot takes no "soon" for closedate.' });
    await stop({ reason: 'It has seen a timeout.' });
    expect(reasonFilter('FIELD')).toEqual({ codes: ['invalid_field'] });
    const said = reasonFilter('CloseDate');
    expect(said).toEqual({ text: 'closedate' });
    expect(idsOf((await store.unresolved.page('parked', said)).items)).toEqual([field]);
    expect(await store.unresolved.countMatches('parked', said, 1000)).toEqual({ count: 1, exact: true });
    expect((await store.unresolved.page('parked', reasonFilter('timeout'))).items).toEqual([]);
  });

  it('by text stop in time, and go on from there', async () => {
    const ids = await stopMany(3, (index) => ({ at: 1_700_000_000_000 + index, reason: 'needle' }));
    await stopMany(600, (index) => ({ at: 1_700_000_001_000 + index }));
    const cut = await store.unresolved.page('parked', { text: 'needle' }, { within: -1 });
    expect(cut).toMatchObject({ items: [], cut: true });
    expect(await store.unresolved.countMatches('parked', { text: 'needle' }, -1)).toEqual({ count: 0, exact: false });
    const rest = await store.unresolved.page('parked', { text: 'needle' }, { within: 60_000, after: cut.next });
    expect(idsOf(rest.items)).toEqual(ids.toReversed());
  });

  it('by call id find it in any source', async () => {
    const id = await stop({ source: 'other' });
    await stop({ call_id: id });
    const found = await store.unresolved.named('parked', [id, 'unknown']);
    expect(found.map(({ source }) => source).sort()).toEqual(['main', 'other']);
    expect(await store.unresolved.named('parked', [id], { source: 'main' })).toHaveLength(1);
    expect(await store.unresolved.named('dead', [id])).toEqual([]);
  });
});

describe('the index', () => {
  it('follows every change of state, and leaves no key behind', async () => {
    const replayed = await stop();
    const dropped = await stop({ state: 'dead', code: 'timeout' });
    const forgotten = await stop();
    const revised = await stop();
    const routeless = randomUUID();
    await store.accept(makeArrival(routeless, body), 90);
    await store.ledger.stop('main', routeless, { code: 'unverified', reason: 'r', state: 'parked' });
    expect((await listed()).sort()).toEqual([replayed, forgotten, revised, routeless].sort());
    expect(await listed('dead')).toEqual([dropped]);

    await store.operations.replay('main', replayed, 'sales-calls', { attempts: 1 });
    await store.operations.drop('main', dropped, 'sales-calls', { reason: 'a test call' });
    await forgetCall(store, { source: 'main', call_id: forgotten });
    const newer = Buffer.from('{"more":1}');
    await store.accept(makeArrival(revised, newer, { received_at: Date.now() + 5 }), 90);
    const call = { source: 'main', call_id: revised, revision: revisionOf(newer) };
    const wanted = [{ route: 'sales-calls', connection: 'sales' }];
    const park = { code: 'contradicts', reason: 'r', hint: 'h' };
    await store.ledger.route(call, { effect: 'parked', facts: { notes: [] }, wanted, park });
    expect(await listed()).toEqual(expect.arrayContaining([revised, routeless]));
    expect(await store.unresolved.partitions('parked', { codes: ['contradicts'] })).toMatchObject([{ count: 1 }]);
    expect(await store.unresolved.count('parked')).toBe(2);

    await store.operations.drop('main', revised, 'sales-calls', { reason: 'why' });
    await store.operations.dropCall('main', routeless, { reason: 'forged' });
    expect([await listed(), await listed('dead')]).toEqual([[], []]);
    expect(await store.redis.keys(`${store.keys.unresolved}*`)).toEqual([]);
  });

  it('is left by a stopped call whose revision turned out to be a hint, or that was routed after all', async () => {
    const [hint, routed] = [randomUUID(), randomUUID()];
    for (const id of [hint, routed]) {
      await store.accept(makeArrival(id, body), 90);
      await store.ledger.parkUnrecognised(
        { source: 'main', call_id: id, revision },
        { code: 'unrecognised', reason: 'r' },
      );
    }
    expect(await store.unresolved.count('parked')).toBe(2);
    await store.ledger.reopen('main', hint);
    await store.ledger.stop('main', hint, { code: 'internal', reason: 'r' });
    expect(await store.unresolved.count('dead')).toBe(1);
    await store.ledger.markUnverified('main', hint, revision);
    await store.ledger.route(
      { source: 'main', call_id: routed, revision },
      { effect: 'applied', facts: { notes: [] }, wanted: [] },
    );
    expect(await store.redis.keys(`${store.keys.unresolved}*`)).toEqual([]);
  });

  it('forgets what expired, when it is read and by age', async () => {
    const gone = await stop();
    const old = await stop({ at: 1_000 });
    const kept = await stop();
    await store.redis.del(store.keys.ledger('main', gone));
    expect(await listed()).toEqual([kept, old]);
    expect(await store.unresolved.count('parked')).toBe(2);
    expect(await store.unresolved.trim(2_000)).toBe(1);
    expect(await listed()).toEqual([kept]);
  });

  it('is made of what an older version left, in bounded steps that may be interrupted', async () => {
    const ids = await stopMany(25, (index) => (index % 2 ? { state: 'dead', code: 'timeout' } : {}));
    const routeless = randomUUID();
    await store.accept(makeArrival(routeless, body), 90);
    await store.ledger.stop('main', routeless, { code: 'unverified', reason: 'r', state: 'parked' });
    const keys = await store.redis.keys(`${store.keys.unresolved}*`);
    await store.redis.del(...keys);
    expect(await listed()).toEqual([]);

    let turns = 0;
    while (!(await maintainIndex(store, { before: 0, budget: 0, batch: 5 }))) turns += 1;
    expect(turns).toBeGreaterThan(5);
    expect(await isIndexComplete(store)).toBe(true);
    expect((await listed()).sort()).toEqual([...ids.filter((_, index) => index % 2 === 0), routeless].sort());
    expect((await listed('dead')).sort()).toEqual(ids.filter((_, index) => index % 2 === 1).sort());
    // Done, until a day has passed.
    await store.redis.del(`${store.keys.unresolved}:parked`);
    expect(await maintainIndex(store, { before: 0 })).toBe(true);
    expect(await listed()).toEqual([]);
    const tomorrow = Date.now() + 25 * 3600_000;
    while (!(await maintainIndex(store, { before: 0, now: tomorrow })));
    expect(await store.unresolved.count('parked')).toBe(14);
  });

  it('comes as often as the ledger forgets, where that is more than once a day', async () => {
    const call_id = await stop();
    const delivery = (await store.ledger.read('main', call_id))?.deliveries[0];
    if (delivery) await store.operations.addUnresolved({ source: 'main', call_id }, delivery);
    const at = Date.now();
    while (!(await maintainIndex(store, { before: 0, now: at })));
    await store.redis.del(store.keys.ledger('main', call_id));
    const later = at + 3_600_000;
    expect(await maintainIndex(store, { before: 0, now: later })).toBe(true);
    expect(await store.operations.list('parked')).toHaveLength(1);
    while (!(await maintainIndex(store, { before: later - 1_800_000, now: later })));
    expect(await store.operations.list('parked')).toEqual([]);
  });

  it('takes jobs out of the queues that stand for nothing, and no others', async () => {
    const [gone, kept] = [await stop(), await stop()];
    for (const call_id of [gone, kept]) {
      const delivery = (await store.ledger.read('main', call_id))?.deliveries[0];
      if (delivery) await store.operations.addUnresolved({ source: 'main', call_id }, delivery);
    }
    // As if the process had died between the ledger and the queue.
    await requeue(gone);
    while (!(await maintainIndex(store, { before: 0 })));
    expect((await store.operations.list('parked')).map(({ call_id }) => call_id)).toEqual([kept]);
  });
});

describe('the ledger', () => {
  it('is paged by time, also where many calls came in the same millisecond and go meanwhile', async () => {
    const at = Date.now();
    const ids: string[] = [];
    for (let index = 0; index < 250; index += 1) {
      const call_id = randomUUID();
      ids.push(call_id);
      await store.accept(makeArrival(call_id, body, { received_at: index < 120 ? at : at + index }), 90);
    }
    const found: string[] = [];
    let after: string | undefined;
    do {
      const page = await store.ledger.page({ ...(after ? { after } : {}), limit: 30 });
      found.push(...page.entries.map(({ call_id }) => call_id));
      after = page.next;
      // What was listed may leave the index, and new calls arrive: neither moves the place.
      await store.redis.zrem(store.keys.index, `main:${page.entries.at(-1)?.call_id}`);
      await store.accept(makeArrival(randomUUID(), body, { received_at: at + 10_000 }), 90);
    } while (after);
    expect(found).toHaveLength(250);
    expect(new Set(found)).toEqual(new Set(ids));
    expect(found[0]).toBe(ids.at(-1));
  });

  it('goes on after any call, and back to a time', async () => {
    const at = Date.now();
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    for (const [index, id] of ids.entries()) await store.accept(makeArrival(id, body, { received_at: at + index }), 90);
    const [newest] = await store.ledger.list({ limit: 1 });
    if (!newest) throw new Error('no call');
    const rest = await store.ledger.list({ after: cursorOf(newest) });
    expect(rest.map(({ call_id }) => call_id)).toEqual([ids[1], ids[0]]);
    expect(await store.ledger.list({ since: at + 1 })).toHaveLength(2);
  });
});
