import type { Client, Config } from '@wrapup/config';
import type { Log } from '@wrapup/destination';
import type { Finding } from '@wrapup/findings';
import { ALERTS_QUEUE, type CircuitChange, ClientStateNotes } from '@wrapup/queue';
import { expect, it, onTestFinished, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { openTestStore } from '../../../test/support/store.ts';
import { InstallationWorkers } from '../src/bullmq/installation-workers.ts';
import { alertBrokenClient, queueAlert, startAlerts } from '../src/upkeep/alerts.ts';
import { sweep } from '../src/upkeep/sweep.ts';
import { configWith } from './support/call-store.ts';

const retention = { ledger_days: 90, delivered_days: 7, stopped_days: 30 };
const client = (name: string, more: Partial<Client> = {}): Client => ({
  ...{ name, file: `/clients/${name}.yaml`, state: 'current', hash: 'aaaa', errors: [], retention },
  ...more,
});
const PAUSED: CircuitChange = {
  became: 'opened',
  pause: {
    cause: 'unauthorized',
    code: 'auth',
    reason: 'Token revoked.',
    hint: '',
    since: 1_000,
    next_probe: 2_000,
  } as never,
} as CircuitChange;

const pausedSince = (since: number): CircuitChange => ({ ...PAUSED, pause: { ...PAUSED.pause, since } });

async function open() {
  const store = await openTestStore();
  onTestFinished(() => store.close());
  const config: Config = configWith((given) => {
    given.alerts = { to: 'ops', lost_fields: 10 };
    given.clients = { acme: client('acme', { alerts: { to: 'acme.hook', lost_fields: 50 } }), bolt: client('bolt') };
  });
  const queued = async () => {
    const jobs = await store.queues.get<{ to: string; text: string; id: string }>(ALERTS_QUEUE).getWaiting();
    return jobs.map(({ data }) => data);
  };
  return { store, config, queued };
}

it('alerts the client and the installation, and no other client', async () => {
  const { store, config, queued } = await open();
  await queueAlert(store, config, 'acme.sales', PAUSED);
  expect((await queued()).map(({ to }) => to).sort()).toEqual(['acme.hook', 'ops']);
  // A second worker that sees the same pause.
  await queueAlert(store, config, 'acme.sales', PAUSED);
  expect(await queued()).toHaveLength(2);
  await queueAlert(store, config, 'bolt.sales', PAUSED);
  expect((await queued()).map(({ to }) => to).sort()).toEqual(['acme.hook', 'ops', 'ops']);
});

it('alerts once about what is wrong with the file of a client', async () => {
  const { store, config, queued } = await open();
  const error: Finding = { severity: 'error', code: 'bad-value', message: 'it is wrong', hint: 'put it right' };
  const broken = client('bolt', { state: 'last_good', errors: [error] });
  await alertBrokenClient(store, config, broken);
  await alertBrokenClient(store, config, broken);
  await alertBrokenClient(store, config, client('acme'));
  expect(await queued()).toMatchObject([
    { to: 'ops', type: 'client.configuration_broken', data: { client: 'bolt', code: 'bad-value' } },
  ]);
  const [{ text } = { text: '' }] = await queued();
  expect(text).toMatch(/^The file of client bolt has an error: error: it is wrong/);
});

it('gives a client no hint, which says what others have', async () => {
  const { store, config, queued } = await open();
  const hint = 'it is bolt.main: give each its own secret';
  const error: Finding = { severity: 'error', code: 'shared-secret', message: 'the secret is shared', hint };
  await alertBrokenClient(store, config, client('acme', { state: 'unusable', errors: [error] }));
  const alerts = await queued();
  const [own, whole] = ['acme.hook', 'ops'].map((to) => alerts.find((one) => one.to === to));
  expect(whole).toMatchObject({ text: expect.stringContaining('bolt.main'), data: { hint } });
  expect(own).toMatchObject({ text: expect.stringContaining('the secret is shared'), data: { hint: null } });
  expect(JSON.stringify(own)).not.toContain('bolt');
});

it('alerts once about a client whose file only ingress cannot use', async () => {
  const { store, config, queued } = await open();
  const error: Finding = { severity: 'error', code: 'unset-variable', message: 'BOLT_SECRET is not set' };
  await new ClientStateNotes(store.redis, store.keys).note([client('bolt', { state: 'unusable', errors: [error] })]);
  await sweep(store, config);
  await sweep(store, config);
  expect(await queued()).toMatchObject([
    { to: 'ops', data: { client: 'bolt', state: 'unusable', reason: 'ingress: BOLT_SECRET is not set' } },
  ]);
});

it('keeps no one waiting for an endpoint that hangs', async () => {
  const { store, config } = await open();
  const connection = { kind: 'http', settings: {} };
  Object.assign(config.connections, {
    'acme.hook': { name: 'acme.hook', ...connection },
    ops: { name: 'ops', ...connection },
  });
  const { alerts: _, ...theirs } = config;
  // More than a process has hands.
  for (let since = 1; since <= 40; since++) await queueAlert(store, theirs, 'acme.sales', pausedSince(since));
  await queueAlert(store, config, 'bolt.sales', PAUSED);

  const workers = new InstallationWorkers(
    store,
    () => config,
    () => {},
  );
  onTestFinished(() => workers.close());
  const hang = Promise.withResolvers<void>();
  const sent: string[] = [];
  let atOnce = 0;
  let most = 0;
  startAlerts(workers, {
    ...{ config: () => config, log: { warn() {} } as unknown as Log, count: () => {} },
    async notify(to) {
      if (to === 'acme.hook') {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await hang.promise;
        atOnce -= 1;
      }
      sent.push(to);
    },
  });
  await vi.waitFor(() => expect(sent).toEqual(['ops']), PATIENCE);
  hang.resolve();
  await vi.waitFor(() => expect(sent).toHaveLength(41), PATIENCE);
  expect(most).toBe(1);
  expect((await store.queues.get(ALERTS_QUEUE).getJobCounts('failed')).failed).toBe(0);
});
