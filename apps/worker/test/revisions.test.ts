/**
 * A signature covers the call id only. What the owner of a captured one (`attacker`) may do to a call that the CRM does not
 * have yet, and what Wrapup (`system`) answers: at first without an `api_key`, then with one.
 */
import { randomUUID } from 'node:crypto';
import type { DeliveryChange } from '@wrapup/queue';
import { samplePayload } from '@wrapup/synthflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginAttempt } from '../../../test/support/store.ts';
import { processCall } from '../src/calls/process-call.ts';
import type { Verify } from '../src/calls/verifier.ts';
import { readCall } from '../src/payloads/read-call.ts';
import { callAt } from '../src/payloads/revisions.ts';
import { sweep } from '../src/upkeep/sweep.ts';
import { configWith, openCallStore, type TestPayload } from './support/call-store.ts';

let callStore: Awaited<ReturnType<typeof openCallStore>>;
beforeAll(async () => {
  callStore = await openCallStore();
});
afterAll(() => callStore.close());

const ROUTE = 'sales-calls';
const REAL = '+14155550142';
const FORGED = '+14155550199';

/** One call, what is sent of it, and what Wrapup makes of that. */
function open(change: { api_key?: string; verify?: Verify; revisions?: 'additive' | 'apply' | 'park' } = {}) {
  const { store } = callStore;
  const { verify, ...source } = change;
  const config = configWith(({ sources }) => void Object.assign(sources.main as object, source));
  const id = randomUUID();
  const read = async () => {
    const entry = await store.ledger.read('main', id);
    if (!entry) throw new Error('no entry');
    return entry;
  };
  const process = (revision: string) =>
    processCall({ source: 'main', call_id: id, revision }, { store, config, verify });
  return {
    ...{ id, config, read, process },
    /** A webhook, judged as soon as it came. */
    async send(payload: object) {
      const { revision } = await callStore.arrive(payload);
      return { revision, verdict: await process(revision) };
    },
    /** An attempt at the delivery that comes out so. */
    async deliver(change: DeliveryChange) {
      const { route, revision, replays } = await delivery();
      const ref = { source: 'main', call_id: id, route, revision, replays };
      await beginAttempt(store, ref);
      expect(await store.ledger.recordOutcome(ref, change)).toBe(true);
    },
    delivery,
    effects: async () => (await read()).revisions.map(({ effect }) => effect ?? 'waits'),
    /** The call that the delivery writes, or wrote last. */
    async standing() {
      const entry = await read();
      const source = config.sources.main as never;
      return callAt(entry, (await delivery()).revision, (hash) => readCall(store, source, entry, hash));
    },
    replay: () => store.operations.replay('main', id, ROUTE, { attempts: 10 }),
    drop: () => store.operations.drop('main', id, ROUTE, { reason: 'forged' }),
  };
  async function delivery() {
    const [only] = (await read()).deliveries;
    if (!only) throw new Error('no delivery');
    return only;
  }
}

function webhook(
  id: string,
  { phone = REAL, call = {}, ...more }: { phone?: string; call?: object; [key: string]: unknown } = {},
) {
  const payload = samplePayload('connected', { call_id: id, phone } as never) as unknown as TestPayload;
  return { ...payload, ...more, call: { ...payload.call, ...call } };
}

/** The same before the call was over. */
function underWay(id: string, change: Parameters<typeof webhook>[1] = {}) {
  const payload = webhook(id, { ...change, status: 'in-progress' });
  const { transcript: _t, recording_url: _r, end_call_reason: _e, duration: _d, ...call } = payload.call;
  return { ...payload, call: { ...call, status: 'in-progress', ...change.call } };
}

const WAITS = { job: 'delay', result: 'waits' };

describe('while the CRM is away', () => {
  it('attacker: another number under the captured signature. system: the real call is written, then a person is asked; drop keeps it', async () => {
    const call = open();
    const real = await call.send(webhook(call.id));
    await call.deliver({ code: 'unavailable', reason: 'The CRM is away.' });
    const forged = await call.send(webhook(call.id, { phone: FORGED }));
    expect(forged.verdict).toMatchObject(WAITS);
    expect(await call.delivery()).toMatchObject({ state: 'queued', revision: real.revision });
    expect((await call.read()).waiting).toMatchObject({ code: 'delivering' });
    // The sweep and a second worker that looks at it come to the same.
    await sweep(callStore.store, call.config, Date.now() + 10 * 60_000);
    const [one, other] = await Promise.all([call.process(forged.revision), call.process(forged.revision)]);
    expect([one, other]).toMatchObject([WAITS, WAITS]);
    expect(await call.delivery()).toMatchObject({ state: 'queued', revision: real.revision, attempts: 1 });

    await call.deliver({ state: 'written' });
    await Promise.all([call.process(forged.revision), call.process(forged.revision)]);
    expect(await call.effects()).toEqual(['applied', 'parked']);
    expect(await call.delivery()).toMatchObject({ state: 'parked', code: 'contradiction', revision: forged.revision });
    expect(await call.read()).not.toHaveProperty('waiting');
    expect(await call.drop()).toMatchObject({ state: 'dropped' });
  });

  it('attacker: the same. person: replays it after all. system: writes it', async () => {
    const call = open();
    await call.send(webhook(call.id));
    const again = await call.send(webhook(call.id, { phone: FORGED }));
    await call.deliver({ state: 'written' });
    await call.process(again.revision);
    expect(await call.replay()).toBe('replayed');
    expect(await call.delivery()).toMatchObject({ state: 'queued', revision: again.revision });
    expect((await call.standing())?.call.lead.phone).toBe(FORGED);
  });

  it('system: what comes meanwhile and only adds is not held up by the one that waits', async () => {
    const call = open();
    await call.send(webhook(call.id));
    await call.send(webhook(call.id, { phone: FORGED }));
    const more = await call.send(webhook(call.id, { metadata: { shelf: 'A7' } }));
    expect(await call.effects()).toEqual(['applied', 'waits', 'added']);
    expect(await call.delivery()).toMatchObject({ state: 'queued', revision: more.revision });
    expect((await call.standing())?.call.lead.phone).toBe(REAL);
  });
});

describe.each(['dead', 'parked'] as const)('when the real call is %s and not written', (state) => {
  it('attacker: another number. system: asks a person; drop sends the real call on its way again', async () => {
    const call = open();
    const real = await call.send(webhook(call.id));
    await call.deliver({ state, code: 'unavailable', reason: 'The CRM is away.' });
    const forged = await call.send(webhook(call.id, { phone: FORGED }));
    expect(await call.delivery()).toMatchObject({ state: 'parked', revision: forged.revision });
    await call.drop();
    expect(await call.delivery()).toMatchObject({ state: 'queued', revision: real.revision });
    expect((await call.standing())?.call.lead.phone).toBe(REAL);
  });

  it('person: replays what came again. system: writes it', async () => {
    const call = open();
    await call.send(webhook(call.id));
    await call.deliver({ state, code: 'unavailable', reason: 'The CRM is away.' });
    const corrected = await call.send(webhook(call.id, { phone: FORGED }));
    expect(await call.replay()).toBe('replayed');
    expect(await call.delivery()).toMatchObject({ state: 'queued', revision: corrected.revision });
  });
});

it('system: a revision that was judged while another worker delivered one is judged again', async () => {
  const call = open();
  const { revision } = await callStore.arrive(webhook(call.id));
  const other = await callStore.arrive(webhook(call.id, { phone: FORGED }));
  const wanted = [{ route: ROUTE, connection: 'sales' }];
  await call.process(revision);
  // It saw none of the two delivered.
  const stale = { compared: [] };
  expect(await callStore.store.ledger.route(other, { effect: 'applied', facts: { notes: [] }, wanted, ...stale })).toBe(
    'again',
  );
  expect(await call.effects()).toEqual(['applied', 'waits']);
  expect(await call.delivery()).toMatchObject({ revision });
});

describe('under the signature of a call that is not over', () => {
  it('system: its real end is written, with the addresses that it is the first to tell', async () => {
    const call = open();
    const begun = await call.send(underWay(call.id));
    const end = await call.send(webhook(call.id, { call: { recording_url: 'https://example.com/a.mp3' } }));
    expect(await call.effects()).toEqual(['applied', 'applied']);
    expect(begun.verdict).toMatchObject({ job: 'complete' });
    expect(await call.delivery()).toMatchObject({ state: 'queued', revision: end.revision });
    const standing = await call.standing();
    expect(standing?.call.recording_url).toBe('https://example.com/a.mp3');
    expect(standing?.proved).toBe(standing?.call);
  });

  it.each([
    ['number', { phone: FORGED }, 'lead.phone'],
    ['agent', { call: { model_id: 'another-agent' } }, 'agent.id'],
  ] as const)(
    'attacker: an end with another %s. system: asks a person, and the real end is written all the same',
    async (_, change, path) => {
      const call = open();
      const begun = await call.send(underWay(call.id));
      await call.deliver({ state: 'written' });
      const forged = await call.send(webhook(call.id, change as never));
      expect(await call.effects()).toEqual(['applied', 'parked']);
      expect(await call.delivery()).toMatchObject({
        state: 'parked',
        code: 'contradiction',
        revision: forged.revision,
      });
      expect((await call.delivery()).reason).toContain(path);
      expect((await call.delivery()).reason).not.toContain('5550199');
      const end = await call.send(webhook(call.id));
      expect(await call.delivery()).toMatchObject({ state: 'queued', revision: end.revision });
      expect((await call.standing())?.call).toMatchObject({ terminal: true, lead: { phone: REAL } });
      expect(begun.revision).not.toBe(end.revision);
    },
  );

  it('attacker: another agent while it goes on. system: the real end does not count as its contradiction', async () => {
    const call = open();
    await call.send(underWay(call.id));
    await call.send(underWay(call.id, { call: { model_id: 'another-agent' } }));
    const end = await call.send(webhook(call.id));
    expect((await call.effects()).at(-1)).toBe('applied');
    expect(await call.delivery()).toMatchObject({ state: 'queued', revision: end.revision });
  });

  it('system: `revisions: apply` believes the signature, `park` asks about another number only', async () => {
    for (const [revisions, effect] of [
      ['apply', 'applied'],
      ['park', 'parked'],
    ] as const) {
      const call = open({ revisions });
      await call.send(underWay(call.id));
      await call.deliver({ state: 'written' });
      await call.send(webhook(call.id, { phone: FORGED }));
      expect((await call.effects()).at(-1)).toBe(effect);
    }
    const call = open({ revisions: 'park' });
    await call.send(underWay(call.id));
    await call.send(webhook(call.id));
    expect(await call.effects()).toEqual(['applied', 'applied']);
  });

  it('attacker: an end with a link, then one with another number, where there is an api_key. system: writes what Synthflow says', async () => {
    let asked = 0;
    const copy = (id: string) => webhook(id, { from: 'the API' });
    const call = open({
      api_key: 'right-key',
      async verify(job) {
        asked += 1;
        const { revision } = await callStore.arrive(copy(job.call_id), { verified: 'api' });
        return { next: 'accepted', revision };
      },
    });
    await call.send(underWay(call.id));
    const bare = await call.send(webhook(call.id, { metadata: { shelf: 'A7', page: 'https://evil.example' } }));
    expect(bare.verdict).toMatchObject(WAITS);
    const proved = (await call.read()).revisions.find(({ verified }) => verified === 'api');
    await call.process(proved?.hash ?? '');
    await call.process(bare.revision);
    const standing = await call.standing();
    expect(standing?.call.metadata).toMatchObject({ shelf: 'A7' });
    expect(JSON.stringify({ ...standing?.call, raw: null })).not.toContain('evil.example');
    expect(standing?.left_out).toContain('metadata.page');

    const forged = await call.send(webhook(call.id, { phone: FORGED }));
    expect(forged.verdict).toMatchObject(WAITS);
    await call.deliver({ state: 'written' });
    await call.process(forged.revision);
    expect(await call.delivery()).toMatchObject({ state: 'parked', reason: /API says otherwise/ });
    expect(asked).toBe(2);
  });
});
