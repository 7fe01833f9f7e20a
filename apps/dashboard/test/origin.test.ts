import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, parked, startDashboard } from './support/harness.ts';

let dashboard: Harness;
beforeAll(async () => {
  dashboard = await startDashboard({ allowedHosts: ['wrapup.example.com'] });
});
afterAll(() => dashboard.close());

describe('the name that is asked for', () => {
  it.each([
    'localhost:8081',
    'LOCALHOST',
    'wrapup.localhost:1',
    '127.0.0.1:8081',
    '127.9.9.9',
    '[::1]:8081',
    'wrapup.example.com',
    'Wrapup.Example.com:443',
    hostname(),
  ])('%s is ours', async (host) => {
    expect(await dashboard.getAs(host)).toBe(200);
  });

  it.each([
    'evil.example',
    'evil.example:8081',
    'localhost.evil.example',
    'wrapup.example.com.evil.example',
    'not-wrapup.example.com',
    '127.0.0.1.evil.example',
    '203.0.113.7',
    '[2001:db8::1]',
    'a b',
    'localhost@evil.example',
    'evil.example#localhost',
  ])('%s is not, on any page', async (host) => {
    // Node itself answers 400 to what is no host at all.
    for (const path of ['/', '/queues/api/queues', '/assets/dashboard.css', '/playground']) {
      expect([400, 403]).toContain(await dashboard.getAs(host, path));
    }
  });

  it('does not matter to health checks, and does to metrics', async () => {
    expect(await dashboard.getAs('dashboard', '/healthz')).toBe(200);
    expect(await dashboard.getAs('dashboard:8081', '/metrics')).toBe(403);
    expect(await dashboard.getAs('wrapup.example.com', '/metrics')).toBe(200);
  });
});

describe('a write', () => {
  const target = { source: 'main', route: 'sales-calls' };

  it.each<[string, Record<string, string>]>([
    ['from another site', { origin: 'https://evil.example' }],
    ['from another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['from a sandboxed frame', { origin: 'null' }],
    ['from nowhere', {}],
    ['from another site, as the browser says', { 'sec-fetch-site': 'cross-site' }],
    ['from a sibling site', { origin: 'http://sub.wrapup.example.com' }],
    ['with an origin that is no address', { origin: 'wrapup.example.com' }],
  ])('%s is refused and changes nothing', async (_what, headers) => {
    const callId = await dashboard.seed(parked());
    for (const action of ['replay', 'drop']) {
      const answer = await dashboard.post(`/calls/${callId}/${action}`, { ...target, reason: 'x' }, headers);
      expect(answer.status).toBe(403);
    }
    for (const path of ['/parked/replay', '/parked/drop']) {
      const answer = await dashboard.post(path, { seen: String(Date.now()), why: 'x' }, headers);
      expect(answer.status).toBe(403);
    }
    const board = await fetch(`${dashboard.url}/queues/api/queues/calls/empty`, { method: 'PUT', headers });
    expect(board.status).toBe(403);
    expect((await dashboard.delivery(callId)).state).toBe('parked');
  });

  it('whose origin and fetch metadata contradict each other is refused', async () => {
    const headers = { origin: dashboard.url, 'sec-fetch-site': 'cross-site' };
    const callId = await dashboard.seed(parked());
    expect((await dashboard.post(`/calls/${callId}/replay`, target, headers)).status).toBe(403);
    expect((await dashboard.delivery(callId)).state).toBe('parked');
  });

  it.each<[string, (url: string) => Record<string, string>]>([
    ['from our own page', (url) => ({ origin: url })],
    ['through a proxy under an allowed name', () => ({ origin: 'https://wrapup.example.com' })],
    ['that the browser calls same-origin', () => ({ 'sec-fetch-site': 'same-origin' })],
  ])('%s is taken', async (_what, headers) => {
    const callId = await dashboard.seed(parked());
    const answer = await dashboard.post(`/calls/${callId}/replay`, target, headers(dashboard.url));
    expect(answer.status).toBe(303);
    expect((await dashboard.delivery(callId)).state).toBe('queued');
  });
});

describe('every answer', () => {
  it.each(['/', '/parked', '/playground', '/queues/', '/queues/queue/calls', '/queues/api/queues', '/nowhere'])(
    '%s forbids framing, sniffing, caching and strangers’ content',
    async (path) => {
      const { headers } = await dashboard.get(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(/^default-src 'self';/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(policy).not.toContain('http');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('same-origin');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-powered-by')).toBeNull();
    },
  );

  it('of our own pages forbids scripts altogether', async () => {
    expect((await dashboard.get('/')).headers.get('content-security-policy')).toContain("script-src 'self'");
  });
});

it('an address beyond the assets gives no file', async () => {
  for (const path of [
    '/assets/../dashboard.ts',
    '/assets/%2e%2e/dashboard.ts',
    '/assets/..%2fdashboard.ts',
    '/queues/static/..%2findex.ejs',
  ]) {
    const answer = await dashboard.get(path);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  }
});
