import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newArrival, openTestStore } from '../../../test/support/store.ts';
import { revisionOf, type Store } from '../src/index.ts';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

describe('bytes from the API', () => {
  it('prove the call, and themselves, from then on', async () => {
    const hint = newArrival();
    await store.accept(hint, 90);
    const later = hint.received_at + 1;
    const truth = { ...hint, body: Buffer.from('{"from":"the api"}'), verified: 'api' as const, received_at: later };
    expect(await store.accept(truth, 90)).toBe('accepted');
    const entry = await store.ledger.read('main', hint.call_id);
    expect(entry?.verified).toBe('api');
    expect(entry?.revisions.map(({ verified }) => verified)).toEqual(['signature', 'api']);
  });

  it('are believed although the same bytes were taken for a hint before', async () => {
    const hint = newArrival({ verified: 'none' });
    await store.accept(hint, 90);
    const revision = revisionOf(hint.body);
    await store.ledger.markUnverified('main', hint.call_id, revision);
    expect(await store.accept(hint, 90)).toBe('duplicate');
    await store.accept({ ...hint, verified: 'api' }, 90);
    const [known] = (await store.ledger.read('main', hint.call_id))?.revisions ?? [];
    expect(known).toMatchObject({ verified: 'api' });
    expect(known).not.toHaveProperty('effect');
  });
});

describe('a call that waits', () => {
  it('keeps the time of the first note, and forgets it once it goes on', async () => {
    const call = newArrival();
    await store.accept(call, 90);
    await store.ledger.wait('main', call.call_id, { code: 'a', reason: 'first' });
    const since = (await store.ledger.read('main', call.call_id))?.waiting?.since;
    await store.ledger.wait('main', call.call_id, { code: 'b', reason: 'second' });
    expect((await store.ledger.read('main', call.call_id))?.waiting).toEqual({ since, code: 'b', reason: 'second' });
    await store.ledger.markUnverified('main', call.call_id, revisionOf(call.body));
    expect(await store.ledger.read('main', call.call_id)).not.toHaveProperty('waiting');
  });
});

describe('a call that is parked before its routes', () => {
  it('is listed among the parked, and taken off the list when it is replayed', async () => {
    const call = newArrival();
    await store.accept(call, 90);
    const why = { code: 'unverified', reason: 'r', hint: 'h', state: 'parked' as const };
    await store.ledger.stop('main', call.call_id, why);
    await store.operations.addUnresolvedCall(call, { at: Date.now(), ...why }, 1);
    const mine = async () => (await store.operations.list('parked')).filter(({ call_id }) => call_id === call.call_id);
    expect(await mine()).toMatchObject([{ code: 'unverified', hint: 'h' }]);
    expect(await store.operations.replayCall('main', call.call_id)).toBe(true);
    expect(await mine()).toEqual([]);
    expect(await store.ledger.read('main', call.call_id)).not.toHaveProperty('stopped');
  });
});

describe('asking for many calls at once', () => {
  it('says which of them the ledger holds', async () => {
    const calls = [newArrival(), newArrival()];
    for (const call of calls) await store.accept(call, 90);
    const ids = calls.map(({ call_id }) => call_id);
    expect([...(await store.ledger.known('main', [...ids, 'unheard-of']))].sort()).toEqual([...ids].sort());
    expect((await store.ledger.known('other', ids)).size).toBe(0);
    expect((await store.ledger.known('main', [])).size).toBe(0);
  });
});

describe('a call that was given up before its routes', () => {
  it('is off the lists, keeps the reason, and may be replayed all the same', async () => {
    const call = newArrival();
    await store.accept(call, 90);
    const why = { code: 'unverified', reason: 'r', state: 'parked' as const };
    await store.ledger.stop('main', call.call_id, why);
    await store.operations.addUnresolvedCall(call, { at: Date.now(), ...why }, 1);
    expect(await store.operations.dropCall('main', call.call_id, { reason: 'forged' })).toBe(true);
    expect((await store.operations.list('parked')).map(({ call_id }) => call_id)).not.toContain(call.call_id);
    const { stopped } = (await store.ledger.read('main', call.call_id)) ?? {};
    expect(stopped).toMatchObject({ ...why, state: 'dropped', dropped: { reason: 'forged' } });
    expect(await store.operations.dropCall('main', call.call_id, { reason: 'again' })).toBe(false);
    expect(await store.operations.replayCall('main', call.call_id)).toBe(true);
    expect(await store.operations.replayCall('main', call.call_id)).toBe(false);
  });
});
