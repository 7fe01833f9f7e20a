import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetrics, healthRoutes } from '../src/index.ts';

const open: Array<() => void> = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

async function listen(app: RequestListener) {
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  open.push(() => void server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('health routes', () => {
  it('say that the process is up and whether it is ready', async () => {
    let state = { ok: true, problems: ['eviction policy'] };
    const url = await listen(healthRoutes({ ready: async () => state }));
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ok', problems: ['eviction policy'] }]);
    state = { ok: false, problems: ['Redis is gone'] };
    const not = await fetch(`${url}/readyz?x=1`);
    expect([not.status, await not.json()]).toEqual([503, { status: 'unavailable', problems: ['Redis is gone'] }]);
  });

  it('take a check that rejects or hangs for not ready', async () => {
    const rejecting = await listen(healthRoutes({ ready: () => Promise.reject(new Error('x')) }));
    expect((await fetch(`${rejecting}/readyz`)).status).toBe(503);
    const hanging = await listen(healthRoutes({ ready: () => new Promise(() => {}) }));
    expect((await fetch(`${hanging}/readyz`)).status).toBe(503);
  });

  it('ask for the token of the metrics', async () => {
    const metrics = createMetrics();
    metrics.counter('alerts_total').inc({ result: 'sent' });
    metrics.counter('alerts_total').inc({ result: 'sent' });
    const url = await listen(healthRoutes({ metrics, metricsToken: 'open sesame' }));
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    expect((await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    const scraped = await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer open sesame' } });
    expect(scraped.headers.get('content-type')).toContain('text/plain');
    expect(await scraped.text()).toContain('wrapup_alerts_total{result="sent"} 2');
  });

  it('leave other paths to the next handler, or answer 404', async () => {
    const health = healthRoutes({});
    const alone = await listen(health);
    expect((await fetch(`${alone}/metrics`)).status).toBe(404);
    expect((await fetch(`${alone}/healthz`, { method: 'POST' })).status).toBe(405);
    const shared = await listen((request, response) => health(request, response, () => response.end('mine')));
    expect(await (await fetch(`${shared}/other`)).text()).toBe('mine');
  });
});
