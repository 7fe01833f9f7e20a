import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, source, startHarness } from './support/harness.ts';

const NEUTRAL = '{"call_inbound":{"override_model_id":""}}';
const EVENT = JSON.stringify({ event: 'call_inbound', call_inbound: { from_number: '+14155550123', to_number: '+1' } });

let ingress: Harness;
beforeAll(async () => {
  ingress = await startHarness({ sources: [source(), source({ name: 'guarded', path_token: ['t0ken'] })] });
});
afterAll(() => ingress.close());

async function ask(path: string, body: string | undefined = EVENT, headers: Record<string, string> = {}) {
  const response = await fetch(`${ingress.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body }),
  });
  return [response.status, response.headers.get('content-type'), await response.text()];
}

describe('who is calling', () => {
  it.each([
    ['a known source', '/webhooks/main/inbound-call'],
    ['an unknown source', '/webhooks/nobody/inbound-call'],
    ['the right token', '/webhooks/guarded/t0ken/inbound-call'],
    ['a wrong token', '/webhooks/guarded/wrong/inbound-call'],
    ['no token', '/webhooks/guarded/inbound-call'],
    ['a path that cannot be decoded', '/webhooks/%zz/inbound-call'],
  ])('is answered neutrally for %s', async (_what, path) => {
    expect(await ask(path)).toEqual([200, 'application/json', NEUTRAL]);
  });

  it.each([
    ['no JSON', '{"event":'],
    ['nothing', ''],
    ['an event of another kind', '{"event":"something"}'],
    ['a body over the limit', 'x'.repeat(26 * 1024 ** 2)],
  ])('is answered neutrally for %s', async (_what, body) => {
    expect(await ask('/webhooks/main/inbound-call', body)).toEqual([200, 'application/json', NEUTRAL]);
  });

  it('is answered neutrally whatever the headers say', async () => {
    expect(await ask('/webhooks/main/inbound-call', EVENT, { 'synthflow-signature': 'wrong' })).toContain(NEUTRAL);
    expect(await ask('/webhooks/main/inbound-call', EVENT, { 'content-type': 'text/plain' })).toContain(NEUTRAL);
    expect(await ask('/webhooks/main/inbound-call', EVENT, { 'content-encoding': 'gzip' })).toContain(NEUTRAL);
  });

  it('is answered although the sender has not sent its body yet', async () => {
    const { openRaw } = await import('./support/raw.ts');
    const raw = openRaw(ingress.port);
    raw.write('POST /webhooks/main/inbound-call HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n');
    expect(await raw.hears(/override_model_id/)).toMatch(/^HTTP\/1\.1 200 /);
    raw.socket.destroy();
  });

  it('is not asked by GET and HEAD, which are answered 200 for known sources', async () => {
    expect((await fetch(`${ingress.url}/webhooks/main/inbound-call`)).status).toBe(200);
    expect((await fetch(`${ingress.url}/webhooks/main/inbound-call`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${ingress.url}/webhooks/nobody/inbound-call`)).status).toBe(404);
    expect((await fetch(`${ingress.url}/webhooks/main/inbound-call`, { method: 'PUT' })).status).toBe(405);
  });
});
