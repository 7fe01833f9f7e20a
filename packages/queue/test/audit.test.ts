import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeArrival, openTestStore, stopDelivery } from '../../../test/support/store.ts';
import {
  type AuditEntry,
  type AuditedOperator,
  forgetCall,
  replayOmitted,
  runBulk,
  type Store,
  startBulk,
} from '../src/index.ts';

const body = Buffer.from('{}');
const ada: AuditedOperator = { name: 'ada', via: 'dashboard', from: '192.0.2.7' };
const tom: AuditedOperator = { name: 'tom', via: 'command line', from: 'ops-1' };

let store: Store;
beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

async function park(source = 'main', change: object = {}): Promise<string> {
  const place = source === 'main' ? {} : { source, route: 'acme.calls', connection: 'acme.sales' };
  const why = { code: 'ambiguous_person', reason: 'Two people.', candidates: ['101', '102'] };
  return (await stopDelivery(store, { ...place, ...why, ...change })).call_id;
}

async function audit(): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for await (const entry of store.audit.all()) entries.push(entry);
  return entries;
}
const withoutTimes = async () => (await audit()).map(({ id, at, ...entry }) => entry);
const from = { by: 'ada', via: 'dashboard', from: '192.0.2.7' };

describe('what an operator does has an entry', () => {
  it('of a delivery: replayed, decided, dropped, with why it had stopped', async () => {
    const [first, second, third] = [await park(), await park(), await park()];
    const before = Date.now() - 1_000;
    await store.operations.replay('main', first, 'sales-calls', { attempts: 3, by: ada });
    const choice = { person: '102', by: ada, remember: false };
    await store.operations.choose('main', second, 'sales-calls', choice, { attempts: 3 });
    const why = { reason: 'a test of dana@example.com', by: tom };
    await store.operations.drop('main', third, 'sales-calls', why);
    const was = { state: 'parked', code: 'ambiguous_person' };
    const place = { source: 'main', route: 'sales-calls', connection: 'sales', was };
    expect(await withoutTimes()).toEqual([
      { ...from, action: 'replay', ...place, call_id: first },
      { ...from, action: 'choose', record: '102', ...place, call_id: second },
      {
        ...{ by: 'tom', via: 'command line', from: 'ops-1' },
        ...{ action: 'drop', ...place, call_id: third, reason: 'a test of [e-mail]' },
      },
    ]);
    for (const { at } of await audit()) expect(at).toBeGreaterThan(before);
    // The ledger keeps both reasons, too.
    expect((await store.ledger.read('main', third))?.deliveries[0]).toMatchObject({
      ...{ state: 'dropped', code: 'ambiguous_person', reason: 'Two people.' },
      dropped: { by: 'tom', reason: 'a test of dana@example.com' },
    });
  });

  it('of a call that has no routes yet: replayed, dropped, forgotten', async () => {
    const call_id = randomUUID();
    await store.accept(makeArrival(call_id, body), 90);
    const stopped = { code: 'unverified', reason: 'r', state: 'parked' as const };
    await store.ledger.stop('main', call_id, stopped);
    expect(await store.operations.replayCall('main', call_id, { by: ada })).toBe(true);
    await store.ledger.stop('main', call_id, stopped);
    expect(await store.operations.dropCall('main', call_id, { reason: 'forged', by: ada })).toBe(true);
    await forgetCall(store, { source: 'main', call_id }, { wait: 0, by: ada });
    const call = { ...from, source: 'main', call_id };
    const was = { state: 'parked', code: 'unverified' };
    expect(await withoutTimes()).toEqual([
      { ...call, action: 'replay', was },
      { ...call, action: 'drop', was, reason: 'forged' },
      { ...call, action: 'forget' },
    ]);
  });

  it('of a connection: the pause that began, its end, a choice that was taken back', async () => {
    await store.connections.pause('acme.sales', 'moving', ada);
    await store.connections.pause('acme.sales', 'again', tom);
    await store.connections.resume('acme.sales', tom);
    const digest = 'd'.repeat(64);
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
    expect([await store.choices.remove(choice, ada), await store.choices.remove(choice, ada)]).toEqual([true, false]);
    const acme = { client: 'acme', connection: 'acme.sales' };
    expect(await withoutTimes()).toEqual([
      { ...from, ...acme, action: 'pause', reason: 'moving' },
      { by: 'tom', via: 'command line', from: 'ops-1', ...acme, action: 'resume' },
      { ...from, action: 'remove choice', connection: 'sales', target: 'd'.repeat(10) },
    ]);
  });

  it('of many: when it begins, is resumed and ends, with filter and counts, and none of each delivery', async () => {
    for (let n = 0; n < 3; n += 1) await park();
    const filter = { codes: ['ambiguous_person'] };
    const given = { state: 'parked' as const, action: 'drop' as const, filter, why: 'test calls', by: ada };
    const run = await startBulk(store, given);
    const stop = AbortSignal.abort();
    await runBulk(store, run.id, { attempts: () => 1, by: ada, signal: stop });
    await runBulk(store, run.id, { attempts: () => 1, by: tom });
    const many = {
      run: run.id,
      of_state: 'parked',
      filter: expect.objectContaining(filter),
      of: 3,
      reason: 'test calls',
    };
    const entries = await withoutTimes();
    expect(entries).toEqual([
      { ...from, ...many, action: 'drop many', step: 'begun' },
      { ...many, by: 'tom', via: 'command line', from: 'ops-1', action: 'resume run' },
      {
        ...many,
        by: 'tom',
        via: 'command line',
        from: 'ops-1',
        action: 'drop many',
        step: 'ended',
        done: 3,
        expired: 0,
      },
    ]);
    expect(entries.every(({ filter }) => typeof filter?.until === 'number')).toBe(true);
    await replayOmitted(store, { connection: 'sales', id: 'aaaaaaaaaa' }, { attempts: () => 1, by: ada });
    expect((await withoutTimes()).slice(3)).toMatchObject([
      { action: 'replay omissions', target: 'aaaaaaaaaa', step: 'begun' },
      { action: 'replay omissions', of: 0, done: 0, step: 'ended' },
    ]);
  });
});

describe('no entry is there', () => {
  it('of what was not done, or is the system’s', async () => {
    const id = await park();
    expect(await store.operations.replay('main', id, 'sales-calls', { attempts: 1, from: ['dead'], by: ada })).toBe(
      'moved',
    );
    await store.operations.replay('main', id, 'sales-calls', { attempts: 1 });
    expect(await store.operations.drop('main', id, 'elsewhere', { reason: 'r', by: ada })).toBeUndefined();
    expect(await store.operations.dropCall('main', id, { reason: 'r', by: ada })).toBe(false);
    await store.connections.pause('sales', 'no one says who');
    expect(await audit()).toEqual([]);
  });
});

describe('the list', () => {
  it('is read by page, newest first, and by client, action, operator, call and time', async () => {
    const first = await park('acme.main');
    await store.operations.drop('acme.main', first, 'acme.calls', { reason: 'r', by: ada });
    for (let n = 0; n < 4; n += 1)
      await store.audit.note(n % 2 ? ada : tom, { action: 'look up', source: 'main', call_id: `c-${n}` });
    const [newest, next] = [await store.audit.page({}, { limit: 3 }), 3];
    expect(newest.entries.map(({ call_id }) => call_id)).toEqual(['c-3', 'c-2', 'c-1']);
    const rest = await store.audit.page({}, { limit: next, after: newest.next });
    expect(rest.entries.map(({ call_id }) => call_id)).toEqual(['c-0', first]);
    expect(rest).not.toHaveProperty('next');
    const found = async (filter: object) => (await store.audit.page(filter)).entries.map(({ call_id }) => call_id);
    expect(await found({ client: 'acme' })).toEqual([first]);
    expect(await found({ client: 'bolt' })).toEqual([]);
    expect(await found({ action: 'drop' })).toEqual([first]);
    expect(await found({ by: 'tom' })).toEqual(['c-2', 'c-0']);
    expect(await found({ call_id: 'c-1' })).toEqual(['c-1']);
    const at = (await audit())[0]?.at ?? 0;
    expect(await found({ until: at })).toContain(first);
    expect(await found({ since: Date.now() + 60_000 })).toEqual([]);
  });

  it('is kept as long as the ledger, and forgets what is older', async () => {
    await store.audit.note(ada, { action: 'sign in' });
    await store.redis.xadd(
      store.keys.audit,
      'MAXLEN',
      '~',
      10,
      '*',
      'entry',
      JSON.stringify({ ...from, action: 'sign out' }),
    );
    const [signedIn, signedOut] = await audit();
    expect([signedIn?.action, signedOut?.action]).toEqual(['sign in', 'sign out']);
    expect(await store.audit.trim((signedIn?.at ?? 0) - 1)).toBe(0);
    expect(await store.audit.trim(Date.now() + 60_000)).toBe(2);
    expect(await audit()).toEqual([]);
  });
});
