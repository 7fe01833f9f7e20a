import { randomUUID } from 'node:crypto';
import type { Client } from '@wrapup/config';
import { ClientStateNotes } from '@wrapup/queue';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { makeArrival } from '../../../test/support/store.ts';
import { readClients } from '../src/queries/clients.ts';
import { configOf, type Harness, parked, startDashboard } from './support/harness.ts';

const client = (name: string, change: Partial<Client> = {}): [string, Client] => [
  name,
  {
    ...{ name, file: `/nowhere/clients/${name}.yaml`, state: 'current', hash: 'abc', errors: [] },
    retention: { ledger_days: 90, delivered_days: 7, stopped_days: 30 },
    ...change,
  },
];
const ERROR = { severity: 'error', code: 'x', message: 'no connection "salse"', hint: 'did you mean sales?' } as const;

let dashboard: Harness;
afterEach(() => dashboard.close());

describe('the overview of clients', () => {
  it('lists those first that need a person, with what is wrong', async () => {
    const clients = Object.fromEntries([
      client('calm'),
      client('broken', {
        state: 'unusable',
        errors: [{ ...ERROR, at: { file: 'clients/broken.yaml', line: 7, column: 3 } }],
      }),
      client('stale', { state: 'last_good', errors: [ERROR] }),
      client('stopped'),
      client('waits'),
      client('worse'),
    ]);
    dashboard = await startDashboard({ config: () => configOf({ clients }) });
    await dashboard.seed({ ...parked(), source: 'waits.main' });
    await dashboard.seed({ ...parked({ state: 'dead', code: 'unavailable' }), source: 'worse.main' });
    await dashboard.seed({ ...parked(), source: 'gone.main' });
    const at = Date.now() - 26 * 3600_000;
    await dashboard.seed({ source: 'calm.main', received_at: at });
    await dashboard.store.connections.pause('stopped.sales', 'a test');
    await dashboard.store.connections.pause('sales', 'of no client');

    await dashboard.seed({ ...parked(), source: 'main' });
    await dashboard.seed({ source: 'main' });

    const found = await readClients(dashboard.store, configOf({ clients }));
    expect(found.map((one) => one.client)).toEqual([
      ...['broken', undefined, 'stopped', 'worse', 'stale', 'gone', 'waits', 'calm'],
    ]);
    // What stands in wrapup.yaml itself: its calls alone, and no file of a client.
    expect(found[1]).toEqual({
      ...{ errors: [], today: 2, parked: 1, dead: 0, paused: ['sales'], last_webhook: expect.any(Number) },
    });
    const by = Object.fromEntries(found.map((one) => [one.client, one]));
    expect(by.stopped).toMatchObject({ paused: ['stopped.sales'], parked: 0 });
    expect(by.worse).toMatchObject({ dead: 1, today: 1, last_webhook: expect.any(Number) });
    expect(by.gone).toMatchObject({ state: 'unconfigured', parked: 1 });
    expect(by.calm).toMatchObject({ today: 0, last_webhook: at });
    expect(by.stale?.last_webhook).toBeUndefined();

    const page = await (await dashboard.get('/clients')).text();
    expect(page).toContain('<a href="/?client=waits">waits</a>');
    expect(page).toContain('<a href="/parked?client=waits">');
    expect(page).toContain('clients/broken.yaml:7');
    expect(page).toContain('did you mean sales?');
    expect(page).toContain('unconfigured');
    expect(page).toContain('<td><code>wrapup.yaml</code></td>\n<td class="number">2</td>');
    expect(page).not.toContain('client=undefined');
  });

  it('has no row of wrapup.yaml where there is nothing else, or nothing in it', async () => {
    dashboard = await startDashboard();
    await dashboard.seed({ source: 'main' });
    expect(await readClients(dashboard.store, configOf())).toEqual([]);
    const own = Object.fromEntries([client('calm')]);
    const bare = { ...configOf({ clients: own }), sources: {} };
    expect((await readClients(dashboard.store, bare)).map((one) => one.client)).toEqual([undefined, 'calm']);
    const { redis, keys } = dashboard.store;
    await redis.del(keys.index);
    expect((await readClients(dashboard.store, bare)).map((one) => one.client)).toEqual(['calm']);
  });

  it('shows what only ingress misses', async () => {
    const clients = Object.fromEntries([client('calm'), client('unsigned')]);
    dashboard = await startDashboard({ config: () => configOf({ clients }) });
    const { redis, keys } = dashboard.store;
    const missing = { ...ERROR, message: 'UNSIGNED_SECRET is not set' };
    await new ClientStateNotes(redis, keys).note([{ name: 'unsigned', state: 'unusable', errors: [missing] }]);
    const page = await (await dashboard.get('/clients')).text();
    expect(page).toContain('webhooks are answered 503');
    expect(page).toContain('ingress: UNSIGNED_SECRET is not set');
  });

  it('of a thousand asks Redis as often as of ten', async () => {
    dashboard = await startDashboard();
    const { store } = dashboard;
    // Some at a time: a producer gives up on what Redis does not answer within a second.
    const add = async (from: number, to: number) => {
      for (let at = from; at < to; at += 50)
        await Promise.all(
          Array.from({ length: Math.min(50, to - at) }, (_, index) =>
            store.accept(makeArrival(randomUUID(), Buffer.from('{}'), { source: `c${at + index}.main` }), 90),
          ),
        );
    };
    const commands = async (clients: number) => {
      const named = Array.from({ length: clients }, (_, index) => client(`c${index}`));
      const config = configOf({ clients: Object.fromEntries(named) });
      // The first time may have to load scripts.
      await readClients(store, config);
      const sending = vi.spyOn(store.redis, 'sendCommand');
      // And wrapup.yaml itself.
      expect(await readClients(store, config)).toHaveLength(clients + 1);
      const sent = sending.mock.calls.length;
      sending.mockRestore();
      expect(sent).toBeGreaterThan(0);
      return sent;
    };
    await add(0, 10);
    const few = await commands(10);
    await add(10, 1000);
    expect(await commands(1000)).toBe(few);
    const page = await (await dashboard.get('/clients')).text();
    expect(page.match(/<tr>/g)).toHaveLength(1002);
  });
});
