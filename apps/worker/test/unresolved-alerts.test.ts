import type { Config } from '@wrapup/config';
import { ALERTS_QUEUE, type DeliveryChange, removeClient } from '@wrapup/queue';
import { expect, it, onTestFinished, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { makeArrival, openTestStore } from '../../../test/support/store.ts';
import { sweep } from '../src/upkeep/sweep.ts';
import { configWith } from './support/call-store.ts';

const HOUR_MS = 3600_000;
const retention = { ledger_days: 90, delivered_days: 7, stopped_days: 30 };

async function open() {
  const store = await openTestStore();
  onTestFinished(() => store.close());
  const config: Config = configWith((given) => {
    given.alerts = { to: 'ops', lost_fields: 100 };
    given.clients = {
      acme: {
        ...{ name: 'acme', file: '/clients/acme.yaml', state: 'current', hash: 'aaaa', errors: [], retention },
        alerts: { to: 'acme.hook', lost_fields: 100 },
      },
    };
  });
  let calls = 0;
  /** A delivery that stops now. */
  const stop = async (change: DeliveryChange, source = 'main') => {
    calls += 1;
    const call_id = `call-${calls}`;
    const prefix = source.includes('.') ? `${source.split('.')[0]}.` : '';
    const body = Buffer.from(`{"call":{"call_id":"${call_id}"}}`);
    await store.accept({ ...makeArrival(call_id, body), source }, 90);
    const [revision] = (await store.ledger.read(source, call_id))?.revisions ?? [];
    const ref = { source, call_id, revision: revision?.hash ?? '' };
    const wanted = [{ route: `${prefix}sales-calls`, connection: `${prefix}sales` }];
    await store.ledger.route(ref, { effect: 'applied', facts: { notes: [] }, wanted });
    await store.ledger.recordOutcome({ ...ref, route: wanted[0]?.route ?? '', replays: 0 }, change);
    return call_id;
  };
  const queued = async () => {
    const jobs = await store.queues.get<{ to: string; text: string; data: object }>(ALERTS_QUEUE).getWaiting();
    return jobs.map(({ data }) => data).sort((a, b) => a.to.localeCompare(b.to));
  };
  return { store, config, stop, queued };
}

const AMBIGUOUS: DeliveryChange = {
  state: 'parked',
  code: 'ambiguous_person',
  reason: '2 contacts have the caller’s phone. Candidates: id 70000000101, id 70000000102.',
};

it('alerts once about all that has stopped, by reason and connection, and no client about another', async () => {
  const { store, config, stop, queued } = await open();
  await sweep(store, config);
  expect(await queued()).toEqual([]);
  const id = await stop(AMBIGUOUS);
  await stop(AMBIGUOUS);
  await stop({ state: 'parked', code: 'invalid_field', reason: 'r' }, 'acme.main');
  await stop({ state: 'dead', code: 'unavailable', reason: 'r' });
  const now = Date.now() + 2 * HOUR_MS;
  await sweep(store, config, now);
  const [own, whole] = await queued();
  expect(whole).toMatchObject({
    to: 'ops',
    type: 'calls.unresolved',
    text: expect.stringMatching(
      /^3 calls wait for a decision, the oldest for 2 h: 2 ambiguous_person on sales, 1 invalid_field on acme\.sales\. 1 call was given up after its retries, 2 h ago: 1 unavailable on sales\. /,
    ),
    data: { client: null, parked: 3, dead: 1, new: 4 },
  });
  expect(own).toMatchObject({ to: 'acme.hook', data: { client: 'acme', parked: 1, dead: 0 } });
  expect(JSON.stringify(own)).not.toContain('ambiguous');
  expect(JSON.stringify([own, whole])).not.toMatch(new RegExp(`${id}|70000000101`));
  // The next sweep, and one of another worker.
  await sweep(store, config, now + 60_000);
  await sweep(store, config, now);
  expect(await queued()).toHaveLength(2);
});

it('alerts again after an hour, and only where more has stopped', async () => {
  const { store, config, stop, queued } = await open();
  await stop(AMBIGUOUS);
  // What stopped in the last two seconds is left to the next sweep.
  await sweep(store, config, Date.now());
  expect(await queued()).toEqual([]);
  const first = Date.now() + 2_001;
  await sweep(store, config, first);
  expect(await queued()).toHaveLength(1);
  await sweep(store, config, first + 2 * HOUR_MS);
  expect(await queued()).toHaveLength(1);
  // One that stops in between waits for the hour.
  await vi.waitUntil(() => Date.now() > first - 2_000, PATIENCE);
  await stop(AMBIGUOUS);
  await sweep(store, config, first + HOUR_MS - 1);
  expect(await queued()).toHaveLength(1);
  await sweep(store, config, first + HOUR_MS);
  expect(await queued()).toMatchObject([{}, { data: { parked: 2, new: 1 } }]);
});

it('sends nothing where no connection takes alerts, and keeps nothing of a client that is removed', async () => {
  const { store, config, stop, queued } = await open();
  await stop(AMBIGUOUS, 'acme.main');
  const { alerts: _, ...rest } = config;
  await sweep(store, { ...rest, clients: {} }, Date.now() + 5_000);
  expect(await queued()).toEqual([]);
  await sweep(store, config, Date.now() + 5_000);
  expect(await store.redis.hkeys(store.keys.alerted)).toEqual(expect.arrayContaining(['acme.hook', 'ops']));
  await removeClient(store, 'acme');
  expect(await store.redis.hkeys(store.keys.alerted)).toEqual(['ops']);
});

it('alerts also where a later step of the sweep fails, and the sweep says so', async () => {
  const { store, config, stop, queued } = await open();
  await stop(AMBIGUOUS);
  await store.redis.set(`${store.keys.packed}-ends`, 'no sorted set');
  const kept = await stop({ state: 'dead', code: 'unavailable', reason: 'r' });
  await expect(sweep(store, config, Date.now() + 2 * HOUR_MS)).rejects.toThrow('WRONGTYPE');
  expect((await queued()).map(({ to }) => to)).toEqual(['ops']);
  // What stands behind the step that failed has run, too.
  expect((await store.unresolved.page('dead', {})).items.map(({ call_id }) => call_id)).toContain(kept);
});
