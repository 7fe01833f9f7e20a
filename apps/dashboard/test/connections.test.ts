import { Failure } from '@wrapup/destination';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startDashboard } from './support/harness.ts';

let dashboard: Harness;
beforeAll(async () => {
  dashboard = await startDashboard();
});
afterAll(() => dashboard.close());

const page = async (path = '/connections') => (await dashboard.get(path)).text();
const refused = {
  ok: false as const,
  failure: new Failure('unauthorized', 'The token <b>is</b> refused.', { hint: 'Put in a valid key.' }),
};

describe('the page of connections', () => {
  it('says of one that stopped itself why, since when, what to do and when it is probed', async () => {
    await dashboard.store.connections.note('sales', [refused]);
    const text = await page();
    expect(text).toMatch(/paused<\/span> sales/);
    expect(text).toContain('its credentials are refused. Last failure: The token &lt;b&gt;is&lt;/b&gt; refused.');
    expect(text).toContain('Put in a valid key.');
    expect(text).toMatch(/Next probe.*in \d+ s/s);
    expect(text).toMatch(/running<\/span> alerts/);
    expect((await dashboard.get('/metrics')).status).toBe(200);
    expect(await page('/metrics')).toContain(
      'wrapup_connection_paused{connection="sales",owner="circuit",cause="unauthorized"} 1',
    );
    expect(await page('/metrics')).toContain('wrapup_connection_paused{connection="alerts",owner="",cause=""} 0');
  });

  it('has it probed at once, and does not lift what is not an operator’s', async () => {
    const answer = await dashboard.post('/connections/sales/resume', {});
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/connections?did=probing']);
    const state = await dashboard.store.connections.read('sales');
    expect(state.circuit).toBe('open');
    expect(state.pause?.next_probe).toBeLessThanOrEqual(Date.now());
  });

  it('explains on the page of a call why it waits', async () => {
    const id = await dashboard.seed({ deliveries: [{ route: 'sales-calls', connection: 'sales' }] });
    expect(await page(`/calls/${id}?source=main`)).toContain(
      'Connection sales is paused: its credentials are refused.',
    );
  });

  it('pauses with a reason and resumes, and leaves a line of who did', async () => {
    const answer = await dashboard.post('/connections/alerts/pause', { reason: 'moving, ask dana@example.com' });
    expect(answer.headers.get('location')).toBe('/connections?did=paused');
    expect(await dashboard.store.queues.deliveries('alerts').isPaused()).toBe(true);
    expect(await page('/connections?did=paused')).toContain('moving, ask [e-mail]');
    expect(JSON.parse(dashboard.logged().trim().split('\n').at(-1) ?? '{}')).toMatchObject({
      action: 'pause',
      connection: 'alerts',
      msg: 'an operator acted',
    });
    expect((await dashboard.post('/connections/alerts/resume', {})).headers.get('location')).toBe(
      '/connections?did=resumed',
    );
    expect(await dashboard.store.queues.deliveries('alerts').isPaused()).toBe(false);
    expect(await page()).toMatch(/Last resumed by.*local user, /s);
  });

  it('tells how far the quota of the day reaches, and so do the metrics', async () => {
    const { redis, keys } = dashboard.store;
    const at = Date.now();
    await redis.hset(keys.daily('sales'), { limit: 1000, remaining: 300, at });
    await redis.lpush(keys.dailySamples('sales'), `${at - 1800_000} 600`);
    expect(await page()).toMatch(/300 of 1,000 requests left; 600 an hour.*used up.*in 29 min/s);
    const metrics = await page('/metrics');
    expect(metrics).toContain('wrapup_quota_daily_remaining{connection="sales"} 300');
    expect(metrics).toContain(`wrapup_quota_daily_used_up_timestamp_seconds{connection="sales"} ${at / 1000 + 1800}`);
  });

  it('takes no action on an unknown connection, nor from another origin', async () => {
    expect((await dashboard.post('/connections/nobody/pause', {})).status).toBe(404);
    expect((await dashboard.post('/connections/alerts/pause', {}, { origin: 'https://evil.example' })).status).toBe(
      403,
    );
    expect(await dashboard.store.queues.deliveries('alerts').isPaused()).toBe(false);
  });
});
