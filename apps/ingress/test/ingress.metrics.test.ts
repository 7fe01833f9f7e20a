import type { Client } from '@wrapup/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventOf, type Harness, newCallId, startHarness } from './support/harness.ts';

let ingress: Harness;
beforeAll(async () => {
  ingress = await startHarness({ options: { metricsToken: 'scrape' } });
});
afterAll(() => ingress.close());

describe('watching ingress', () => {
  it('tells that it is up and ready', async () => {
    expect((await fetch(`${ingress.url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${ingress.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ status: 'ok' });
  });

  it('asks for METRICS_TOKEN', async () => {
    expect((await fetch(`${ingress.url}/metrics`)).status).toBe(401);
    const metrics = await fetch(`${ingress.url}/metrics`, { headers: { authorization: 'Bearer scrape' } });
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toContain('wrapup_ingress_requests_total');
  });

  it('closes the metrics, which name all clients, while one of them has a login and they have no token', async () => {
    const retention = { ledger_days: 90, delivered_days: 7, stopped_days: 30 };
    const acme: Client = { name: 'acme', file: 'acme.yaml', state: 'current', hash: 'a', errors: [], retention };
    const open = await startHarness({ clients: { acme } });
    expect((await fetch(`${open.url}/metrics`)).status).toBe(200);
    await open.close();
    const clients = { acme: { ...acme, has_login: true as const } };
    const closed = await startHarness({ clients });
    const answer = await fetch(`${closed.url}/metrics`);
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('METRICS_TOKEN')]);
    expect((await fetch(`${closed.url}/readyz`)).status).toBe(200);
    await closed.close();
    const guarded = await startHarness({ clients, options: { metricsToken: 'scrape' } });
    expect((await fetch(`${guarded.url}/metrics`)).status).toBe(401);
    expect((await fetch(`${guarded.url}/metrics`, { headers: { authorization: 'Bearer scrape' } })).status).toBe(200);
    await guarded.close();
  });

  it('shows nothing of what a call says, nor of secrets, in logs and metrics', async () => {
    const callId = newCallId();
    const personal = { transcript: 'human: I am Dana Example', recording_url: 'https://rec.example/1.mp3' };
    await ingress.send({ callId, body: eventOf(callId, personal) });
    await ingress.send({ callId, body: eventOf(callId, personal), signature: 'c2lnbmF0dXJl' });
    await ingress.send({ callId, body: `${eventOf(callId, personal)}}` });
    const said = ingress.logged() + (await ingress.metrics.text());
    expect(said).not.toMatch(/Dana|rec\.example|c2lnbmF0dXJl|scrape/);
    expect(said).toContain('"code":"signature-wrong"');
  });

  it('writes at most one line a second about the same refusal, and counts each', async () => {
    const noisy = await startHarness();
    for (let i = 0; i < 30; i++) await noisy.send({ signature: null });
    const lines = noisy
      .logged()
      .split('\n')
      .filter((line) => line.includes('signature-missing'));
    expect(lines.length).toBeLessThan(10);
    expect(await noisy.metrics.text()).toContain('source="main",result="signature-missing"} 30');
    await noisy.close();
  });
});
