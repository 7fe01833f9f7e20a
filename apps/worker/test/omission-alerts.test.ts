import type { Config } from '@wrapup/config';
import type { Omission } from '@wrapup/destination';
import { ALERTS_QUEUE, type DeliveryChange, revisionOf } from '@wrapup/queue';
import { expect, it, onTestFinished, vi } from 'vitest';
import { beginAttempt, makeArrival, newArrival, openTestStore } from '../../../test/support/store.ts';
import { alertOmissions } from '../src/upkeep/omission-alerts.ts';
import { sweep } from '../src/upkeep/sweep.ts';
import { configWith } from './support/call-store.ts';

async function open() {
  const store = await openTestStore();
  onTestFinished(() => store.close());
  const retention = { ledger_days: 90, delivered_days: 7, stopped_days: 30 };
  const config: Config = configWith((given) => {
    given.alerts = { to: 'ops', lost_fields: 10 };
    given.clients = {
      acme: {
        ...{ name: 'acme', file: '/clients/acme.yaml', state: 'current', hash: 'aaaa', errors: [], retention },
        alerts: { to: 'acme.hook', lost_fields: 50 },
      },
    };
  });
  const queued = async () => {
    const jobs = await store.queues
      .get<{ to: string; text: string; data?: Record<string, unknown> }>(ALERTS_QUEUE)
      .getWaiting();
    return jobs.map(({ data }) => data);
  };
  return { store, config, queued };
}

it('alerts once when more of the last hour’s deliveries lose a field than may, and again when others do', async () => {
  const { store, config, queued } = await open();
  config.connections = { sales: { name: 'sales', kind: 'hubspot', settings: {} } };
  const body = Buffer.from('{}');
  const settle = async (field?: string) => {
    const { source, call_id } = newArrival({ body });
    await store.accept(makeArrival(call_id, body), 90);
    const revision = revisionOf(body);
    const wanted = [{ route: 'sales-calls', connection: 'sales' }];
    await store.ledger.route({ source, call_id, revision }, { effect: 'applied', facts: { notes: [] }, wanted });
    const ref = { source, call_id, route: 'sales-calls', revision, replays: 0 };
    await beginAttempt(store, ref);
    const at = { file: 'mappings/hubspot.yaml', line: 7, column: 3 };
    const note: Omission = {
      code: 'unknown_option',
      record: 'person',
      field: field ?? '',
      reason: 'no such option',
      at,
    };
    const change: DeliveryChange = { state: 'written', records: [], notes: field ? [note] : [] };
    await store.ledger.recordOutcome(ref, change, { keptMs: 1e9 });
  };
  const repeat = async (times: number, field?: string) => {
    for (let n = 0; n < times; n += 1) await settle(field);
  };
  await repeat(18);
  await repeat(2, 'stage');
  await sweep(store, config);
  // Two are chance, and no more than the tenth that may.
  expect(await queued()).toEqual([]);
  await repeat(2, 'stage');
  await sweep(store, config);
  await sweep(store, config);
  expect(await queued()).toMatchObject([
    {
      to: 'ops',
      type: 'connection.fields_lost',
      data: { connection: 'sales', calls: 22, lost: 4, share: 18, fields: 'person.stage', reasons: 'unknown_option' },
    },
  ]);
  expect((await queued())[0]?.text).toMatch(
    /^Connection sales: 4 of 22 deliveries .*lost a field \(18 %\)\. person\.stage: .*hubspot\.yaml:7/,
  );

  await repeat(2, 'budget');
  await alertOmissions(store, config, 'sales');
  expect(await queued()).toHaveLength(1);
  const alerted = await store.omissions.readAlerted('sales');
  await store.omissions.noteAlerted('sales', { at: (alerted?.at ?? 0) - 3600_000, lines: alerted?.lines ?? [] });
  await alertOmissions(store, config, 'sales');
  expect((await queued()).map(({ data }) => data?.fields).sort()).toEqual(['person.budget', 'person.stage']);
  // An hour later none of it is of the last hour: the next time is another one.
  await alertOmissions(store, config, 'sales', Date.now() + 2 * 3600_000);
  expect(await store.omissions.readAlerted('sales')).toBeUndefined();
});

it('sends no alert about lost fields where the configuration says never, or where none is asked for', async () => {
  const { store, config, queued } = await open();
  const share = vi.spyOn(store.omissions, 'share').mockResolvedValue({ calls: 10, lost: 10, lines: ['0123456789'] });
  onTestFinished(() => share.mockRestore());
  await alertOmissions(store, { ...config, alerts: { to: 'ops', lost_fields: 100 } }, 'sales');
  const { alerts: _, ...silent } = config;
  await alertOmissions(store, silent, 'sales');
  expect(await queued()).toEqual([]);
  // What the client says of its own holds.
  await alertOmissions(store, { ...config, alerts: { to: 'ops', lost_fields: 100 } }, 'acme.sales');
  expect((await queued()).map(({ to }) => to).sort()).toEqual(['acme.hook', 'ops']);
});
