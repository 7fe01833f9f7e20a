import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SynthflowApiError } from '../src/index.ts';
import { ask, clientFor, listen, type Say } from './support/api-client.ts';

const record = { call_id: 'c-1', status: 'completed' };
const found = { body: { status: 'ok', response: { calls: [record] } } };
const detail = (description: string) => ({
  detail: { status: 'error', description, request_id: 'r-7', category: 'not_found' },
});

/** Asks for a call and gives what went wrong. */
async function failure(say: (n: number) => Say, options = {}) {
  const { url, asked } = await listen((_asked, n) => say(n));
  const error = await clientFor(url, options)
    .getCall('c-1', ask)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  return { error: error as SynthflowApiError | undefined, asked };
}

describe('what the API refuses', () => {
  it.each<[number, unknown, string, boolean]>([
    [401, {}, 'unauthorized', false],
    [403, { error: 'forbidden', message: 'no such workspace' }, 'forbidden', false],
    [404, detail('Call not found'), 'unknown_call', true],
    [404, '<html>not here</html>', 'wrong_place', false],
    [400, detail('limit must be at most 100'), 'refused', false],
    [422, { error: 'validation', message: 'workspace_id' }, 'refused', false],
    [302, '', 'wrong_place', false],
  ])('%i %j is %s, and is not asked again', async (status, body, code, again) => {
    const { error, asked } = await failure(() => ({ status, body, headers: { location: 'http://127.0.0.1:9/' } }));
    expect(error).toBeInstanceOf(SynthflowApiError);
    expect(error).toMatchObject({ code, again, details: { status } });
    expect(asked).toHaveLength(1);
  });

  it('says that a 401 may mean another region', async () => {
    const { error } = await failure(() => ({ status: 401 }));
    expect(error?.hint).toMatch(/another region/);
  });

  it('quotes the reason and the request id, without personal data', async () => {
    const { error } = await failure(() => ({
      status: 400,
      body: detail('bad lead_phone_number +14155550123 of dana@example.com'),
    }));
    expect(error?.message).toContain('bad lead_phone_number [number] of [e-mail]');
    expect(error?.details.request_id).toBe('r-7');
  });
});

describe('what passes', () => {
  it.each<[string, Say]>([
    ['429', { status: 429, headers: { 'retry-after': '0' } }],
    ['500', { status: 500 }],
    ['502 as HTML', { status: 502, body: '<html></html>', headers: { 'content-type': 'text/html' } }],
    ['a connection that breaks', 'reset'],
    ['an answer that breaks off', { body: '{"status":"ok","resp' }],
  ])('%s is asked again, and answered', async (_name, say) => {
    const { url, asked } = await listen((_asked, n) => (n < 3 ? say : found));
    expect(await clientFor(url).getCall('c-1', ask)).toEqual(record);
    expect(asked).toHaveLength(3);
  });

  it('has a bound', async () => {
    const { error, asked } = await failure(() => ({ status: 503 }), { attempts: 3 });
    expect(error?.code).toBe('unavailable');
    expect(asked).toHaveLength(3);
  });

  it('a long Retry-After is reported, not waited for', async () => {
    const { error, asked } = await failure(() => ({ status: 429, headers: { 'retry-after': '120' } }));
    expect(error).toMatchObject({ code: 'throttled', details: { retry_after: 120_000 } });
    expect(asked).toHaveLength(1);
  });

  it('a server that hangs is given up after the time-out', async () => {
    const { error, asked } = await failure(() => 'hang', { timeout: 50, attempts: 2 });
    expect(error?.code).toBe('timeout');
    expect(asked).toHaveLength(2);
  });

  it('no server there is a network failure', async () => {
    const api = clientFor('http://127.0.0.1:9', { attempts: 1 });
    await expect(api.getCall('c-1', ask)).rejects.toMatchObject({ code: 'network' });
  });

  it('a page of a captive portal is no answer', async () => {
    const { error, asked } = await failure(() => ({ body: '<html></html>', headers: { 'content-type': 'text/html' } }));
    expect(error?.code).toBe('wrong_place');
    expect(asked).toHaveLength(1);
  });
});

describe('the caller of the API', () => {
  it('may stop waiting', async () => {
    const { url } = await listen(() => 'hang');
    const stop = new AbortController();
    const asking = clientFor(url, { timeout: 10_000 }).getCall('c-1', { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
  });

  it('is not kept beyond the deadline', async () => {
    const { url, asked } = await listen(() => ({ status: 500 }));
    // The wait before the next try is drawn by lot: here it is half of the longest, which is beyond the deadline.
    const lot = vi.spyOn(Math, 'random').mockReturnValue(0.5);
    onTestFinished(() => lot.mockRestore());
    const deadline = Date.now() + 1_000;
    const asking = clientFor(url, { base: 60_000 }).getCall('c-1', { ...ask, deadline });
    await expect(asking).rejects.toMatchObject({ code: 'unavailable' });
    expect(asked).toHaveLength(1);
  });

  it('sends the key as a bearer token, and never to where it is redirected', async () => {
    const other = await listen(() => found);
    const { url, asked } = await listen(() => ({ status: 307, headers: { location: `${other.url}/v2/calls/c-1` } }));
    await expect(clientFor(url).getCall('c-1', ask)).rejects.toMatchObject({ code: 'wrong_place' });
    expect(asked[0]?.headers.authorization).toBe('Bearer key-1');
    expect(other.asked).toEqual([]);
  });

  it('never shows the key in an error', async () => {
    const { error } = await failure(() => 'reset', { attempts: 1, api_key: 'very-secret' });
    expect(JSON.stringify(error) + error?.stack + String(error?.cause)).not.toContain('very-secret');
  });
});

describe('addresses', () => {
  it.each(['', '/', '/v2', '/v2/'])('a base_url that ends in "%s" is asked below /v2', async (end) => {
    const { url, asked } = await listen(() => found);
    await clientFor(`${url}${end}`)
      .getCall('a/b c', ask)
      .catch(() => {});
    expect(asked[0]?.path).toBe('/v2/calls/a%2Fb%20c');
  });
});
