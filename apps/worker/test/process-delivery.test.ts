import type { Omission, RecordReceipt, WriteOutcome } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { forgetCall, RedisLease, recordOf } from '@wrapup/queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configWith, connectedPayload, openCallStore } from './support/call-store.ts';
import { failed, routeCall, written } from './support/routed-call.ts';

let callStore: Awaited<ReturnType<typeof openCallStore>>;
beforeAll(async () => {
  callStore = await openCallStore();
});
afterAll(() => callStore.close());

const receiptOf = (name: string, did: RecordReceipt['did']): RecordReceipt => ({
  ...{ name, did },
  object: 'objects',
  id: `${name}-1`,
});

const routed = (payload = connectedPayload(), config = configWith()) => routeCall(callStore, payload, config);

describe('delivering a call', () => {
  it('puts the outcome into the ledger before the job ends', async () => {
    const { deliver, delivery, plans } = await routed();
    expect(await deliver(written)).toMatchObject({ job: 'complete', result: 'written', omissions: [] });
    expect(await delivery()).toMatchObject({
      state: 'written',
      attempts: 1,
      requests: 2,
      mapping: 'aaaa',
      notes: ['a note'],
    });
    expect(plans[0]?.resume).toBeUndefined();
  });

  it('counts what was left out, keeps it through a replay that fails, and forgets it once it is written', async () => {
    const { deliver, delivery, call, job } = await routed();
    const { store } = callStore;
    const at = { file: 'mapping.yaml', line: 7, column: 3 };
    const omission: Omission = {
      code: 'unknown_option',
      record: 'person',
      field: 'stage',
      reason: 'no such option',
      at,
    };
    const without: WriteOutcome = { ...written, receipt: { ...written.receipt, notes: ['a note', omission] } };
    expect(await deliver(without)).toEqual({
      ...{ job: 'complete', result: 'written', omissions: ['unknown_option'] },
      ...{ priority: 'live', took: expect.any(Number), attempts: 1, requests: written.receipt.requests },
    });
    const lines = () => store.omissions.list({ connections: ['sales'] });
    expect(await lines()).toMatchObject([
      { ...omission, calls: 1, latest: [{ source: call.source, call_id: call.call_id, route: 'sales-calls' }] },
    ]);
    expect(await delivery()).toMatchObject({ state: 'written', notes: ['a note', omission] });

    const replay = async (outcome: WriteOutcome, note?: string) => {
      await store.ledger.requeue(call.source, call.call_id, 'sales-calls', ['written', 'parked']);
      const replays = (await delivery())?.replays ?? 0;
      return deliver(outcome, false, undefined, { ...job, replays }, note);
    };
    expect(await replay(failed('invalid_field'), 'an older configuration')).toMatchObject({ result: 'parked' });
    expect(await delivery()).toMatchObject({ state: 'parked', notes: [omission, 'an older configuration'] });
    expect(await lines()).toMatchObject([{ calls: 1, open: 1 }]);
    await replay(written);
    expect(await lines()).toMatchObject([{ calls: 1, open: 0 }]);
  });

  it('gives the adapter the revision of the call that it delivers', async () => {
    const { deliver, plans, job } = await routed();
    await deliver(failed('unavailable'));
    await deliver(written);
    expect(plans.map(({ revision }) => revision)).toEqual([job.revision, job.revision]);
  });

  it('notes under what a choice would be kept, and gives the adapter whom an operator chose', async () => {
    const match = [{ by: 'phone' as const, value: '+14155550132' }];
    const config = configWith(({ routes: [route] }) => {
      if (!route) return;
      const plan = route.mapping.plan;
      route.mapping.plan = (...given) => ({ ...plan(...given), person: { match } }) as unknown as Plan;
    });
    const { deliver, delivery, plans, job, entry } = await routed(connectedPayload(), config);
    const { store } = callStore;
    const details = { candidates: ['101', '102'], candidate_urls: { 101: 'https://crm.example/101' } };
    await deliver(failed('ambiguous_person', { ...details, ambiguous_by: 'phone' }));
    expect(await delivery()).toMatchObject({
      ...{ state: 'parked', ...details },
      ambiguous: { by: 'phone', digest: await store.choices.digestOf('phone', '+14155550132') },
      reason: expect.stringContaining('Candidates: id 101, id 102.'),
    });
    expect(plans[0]?.chosen).toBeUndefined();
    const { source, call_id } = await entry();
    const choice = { person: '102', by: { name: 'ada' }, remember: true };
    await store.operations.choose(source, call_id, 'sales-calls', choice, { attempts: 4 });
    await deliver(written, false, config, { ...job, replays: 1 });
    expect(plans[1]?.chosen).toEqual([{ id: '102' }, { id: '102', of: 'phone' }]);
    expect(await delivery()).toMatchObject({ state: 'written', chosen: { person: '102', by: 'ada' } });
    expect(await delivery()).not.toHaveProperty('candidates');
    // The next call of the number goes by it without being asked.
    const next = await routed(connectedPayload(), config);
    await next.deliver(written);
    expect(next.plans[0]?.chosen).toEqual([{ id: '102', of: 'phone' }]);
    for (const kept of await store.choices.list()) await store.choices.remove(kept);
  });

  it('takes a choice back when the person who was chosen is not found any more', async () => {
    const { deliver, delivery, job, entry } = await routed();
    await deliver(failed('ambiguous_person', { candidates: ['101', '102'], ambiguous_by: 'phone' }));
    const { source, call_id } = await entry();
    const choice = { person: '102', by: { name: 'ada' }, remember: false };
    await callStore.store.operations.choose(source, call_id, 'sales-calls', choice, { attempts: 4 });
    await deliver(failed('unavailable'), false, configWith(), { ...job, replays: 1 });
    expect(await delivery()).toMatchObject({ state: 'queued', chosen: { person: '102' } });
    await deliver(failed('ambiguous_person', { candidates: ['101'] }), false, configWith(), { ...job, replays: 1 });
    expect(await delivery()).toMatchObject({ state: 'parked', candidates: ['101'] });
    expect(await delivery()).not.toHaveProperty('chosen');
  });

  it('does nothing for a job that is out of date', async () => {
    const { deliver, plans } = await routed();
    await deliver(written);
    expect(await deliver(written)).toEqual({ job: 'complete', result: 'outdated' });
    expect(plans).toHaveLength(1);
  });

  it('tells the adapter that anything may have been written, once an attempt was begun', async () => {
    const { deliver, plans, delivery } = await routed();
    expect(await deliver(failed('unavailable', { done: { person: '5' } }))).toMatchObject({ job: 'retry' });
    expect(await delivery()).toMatchObject({
      state: 'queued',
      code: 'unavailable',
      attempts: 1,
      done: { person: '5' },
    });
    await deliver(written);
    expect(plans[1]?.resume).toEqual({ attempts: 1, records: { person: '5' }, done: ['person'] });
    expect(await delivery()).toMatchObject({ state: 'written' });
    expect((await delivery())?.code).toBeUndefined();
    expect((await delivery())?.done).toBeUndefined();
  });

  it('names what an attempt that failed left in the CRM, and tells the next one, also where no attempt is counted', async () => {
    const { deliver, plans, delivery, call } = await routed();
    const { store } = callStore;
    const [log, task] = ['call_log', 'call-back'].map((name) => receiptOf(name, 'created'));
    await deliver(failed('throttled', { retry_after: 200, records: [log] }));
    expect(await delivery()).toMatchObject({ state: 'queued', attempts: 0, records: [log] });
    const person = receiptOf('person', 'updated');
    await deliver(failed('unavailable', { done: { person: person.id }, records: [person, task] }));
    expect(plans[1]?.resume).toEqual({ attempts: 1, records: { call_log: log?.id }, done: [] });
    // What failed before anything was asked of the CRM takes nothing back.
    await deliver(failed('busy', { retry_after: 200 }));
    expect(await store.people.calls([recordOf('sales', person.object, person.id)])).toEqual([
      { source: call.source, call_id: call.call_id },
    ]);
    const moved = { ...receiptOf('call_log', 'updated'), id: 'another' };
    await deliver(failed('invalid_field', { done: {}, records: [moved] }));
    expect(await delivery()).toMatchObject({ state: 'parked', records: [moved, person, task] });
    expect((await forgetCall(store, call, { wait: 0 }))?.records.map(({ id }) => id)).toEqual(
      [moved, person, task].map((one) => one?.id),
    );
  });

  it('parks what a person has to correct, with code, reason, place and hint, and lists it', async () => {
    const { deliver, delivery, call } = await routed();
    const outcome = failed('invalid_field', {
      hint: 'Add the option, then replay.',
      at: { file: 'mapping.yaml', line: 7, column: 3 },
      vendor_code: 'INVALID_OPTION',
      correlation_id: 'c-1',
    });
    expect(await deliver(outcome)).toMatchObject({
      job: 'complete',
      result: 'parked',
      failure: { code: expect.any(String) },
    });
    expect(await delivery()).toMatchObject({
      state: 'parked',
      code: 'invalid_field',
      reason: 'The CRM said invalid_field. [INVALID_OPTION] (mapping mapping.yaml:7)',
      hint: 'Add the option, then replay.',
      correlation_id: 'c-1',
    });
    const filed = (await callStore.store.operations.list('parked')).find(({ call_id }) => call_id === call.call_id);
    expect(filed).toMatchObject({ route: 'sales-calls', connection: 'sales', attempts: 1 });
  });

  it('counts no attempt while the CRM asks to wait or refuses the credentials', async () => {
    const { deliver, delivery } = await routed();
    expect(await deliver(failed('throttled', { retry_after: 5000 }))).toMatchObject({
      job: 'delay',
      ms: 5000,
      result: 'throttled',
      failure: { code: 'throttled' },
    });
    // A token that is refused is no quota that is used up.
    expect(await deliver(failed('unauthorized'), true)).toMatchObject({
      job: 'delay',
      result: 'unauthorized',
      failure: { code: 'unauthorized' },
    });
    expect(await delivery()).toMatchObject({ state: 'queued', attempts: 0, code: 'unauthorized' });
  });

  it('is dead when the last attempt fails, or when trying again is pointless', async () => {
    const one = await routed();
    expect(await one.deliver(failed('unavailable'), true)).toMatchObject({ job: 'fail', result: 'dead' });
    // Not that it goes on by itself.
    const hint = expect.stringContaining('Replay it once');
    expect(await one.delivery()).toMatchObject({ state: 'dead', code: 'unavailable', hint });
    const other = await routed();
    expect(await other.deliver(failed('bad_request'))).toMatchObject({ job: 'fail', result: 'dead' });
  });

  it('retries an unexpected error, without showing what it said about people', async () => {
    const { deliver, delivery } = await routed();
    expect(await deliver(new Error('cannot read dana@example.com'))).toMatchObject({ job: 'retry' });
    expect((await delivery())?.reason).toBe('Error: cannot read [e-mail]');
  });

  it('waits while another worker is at the same delivery', async () => {
    const { deliver, job, plans } = await routed();
    const { store } = callStore;
    const held = await new RedisLease(store.redis, store.keys).take(
      [`delivery:${job.source}:${job.call_id}:${job.route}`],
      5000,
    );
    expect(await deliver(written)).toMatchObject({ job: 'delay', result: 'busy' });
    expect(plans).toHaveLength(0);
    await held?.release();
    expect(await deliver(written)).toMatchObject({ result: 'written' });
  });

  it('parks a delivery whose route has gone, and says how to go on', async () => {
    const { deliver, delivery } = await routed();
    const without = configWith((config) => config.routes.splice(0));
    expect(await deliver(written, false, without)).toMatchObject({ result: 'parked' });
    expect(await delivery()).toMatchObject({
      code: 'mapping',
      reason: 'Route sales-calls is no longer in the configuration.',
    });
  });

  it('parks a delivery whose route takes the calls of other sources', async () => {
    const { deliver, delivery, plans } = await routed();
    const foreign = configWith((config) => {
      const [route] = config.routes;
      if (route) config.routes[0] = { ...route, from: ['other'] };
    });
    expect(await deliver(written, false, foreign)).toMatchObject({ result: 'parked' });
    expect(await delivery()).toMatchObject({
      code: 'mapping',
      reason: 'Route sales-calls takes no calls of source main.',
    });
    expect(plans).toEqual([]);
  });

  it('calls a delivery skipped when the policy wrote nothing', async () => {
    const { deliver, delivery } = await routed();
    await deliver({ ok: true, receipt: { records: [], requests: 1, notes: ['unmatched: skip'] } });
    expect(await delivery()).toMatchObject({ state: 'skipped', notes: ['unmatched: skip'] });
  });

  it('redoes steps noted under another mapping', async () => {
    const { deliver, plans } = await routed();
    await deliver(failed('unavailable', { done: { person: '5' } }));
    const changed = configWith((config) => {
      const [route] = config.routes;
      if (route) config.routes[0] = { ...route, mapping: { ...route.mapping, hash: 'bbbb' } };
    });
    await deliver(written, false, changed);
    expect(plans[1]?.resume).toEqual({ attempts: 1, records: {}, done: [] });
  });
});
