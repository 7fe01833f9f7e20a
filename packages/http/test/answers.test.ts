import { FAILURE_CODES, type Failure, makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure } from '@wrapup/destination/conformance';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ANSWER_TABLE } from '../src/errors/answer-table.ts';
import { readRetryAfter } from '../src/errors/failures.ts';
import { connect, writeOne } from './support/connect.ts';
import { type Endpoint, openEndpoint, status } from './support/endpoint.ts';
import { planOf, someCall } from './support/plans.ts';

let endpoint: Endpoint;
beforeEach(async () => {
  endpoint = await openEndpoint();
});
afterEach(() => endpoint.close());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function answered(code: number, headers: Record<string, string> = {}, settings: object = {}): Promise<Failure> {
  endpoint.answers(status(code, '', headers));
  return failure(await writeOne(await connect({ url: endpoint.url, ...settings }), planOf()));
}

describe('what an answer means', () => {
  test.each([200, 201, 202, 204, 299])('%i is success', async (code) => {
    endpoint.answers(status(code));
    const outcome = await writeOne(await connect({ url: endpoint.url }), planOf());
    expect(outcome).toMatchObject({ ok: true, receipt: { records: [{ did: 'created' }], requests: 1 } });
  });

  test.each([
    [304, 'refused', 'park', /final address/],
    [400, 'refused', 'park', /says why/],
    [401, 'unauthorized', 'reauthenticate', /headers/],
    [402, 'refused', 'park', /says why/],
    [403, 'refused', 'park', /says why/],
    [404, 'refused', 'park', /retry_on: \[404\]/],
    [405, 'refused', 'park', /says why/],
    [408, 'timeout', 'retry', /by itself/],
    [409, 'refused', 'park', /says why/],
    [410, 'gone', 'reauthenticate', /another url/],
    [413, 'refused', 'park', /leave_out/],
    [422, 'refused', 'park', /says why/],
    [425, 'unavailable', 'retry', /by itself/],
    [429, 'throttled', 'throttle', /by itself/],
    [499, 'refused', 'park', /says why/],
    [500, 'unavailable', 'retry', /by itself/],
    [502, 'unavailable', 'retry', /by itself/],
    [503, 'unavailable', 'retry', /by itself/],
    [504, 'unavailable', 'retry', /by itself/],
    [599, 'unavailable', 'retry', /by itself/],
    [600, 'unaccounted', 'retry', /web server/],
  ])('%i: %s, %s', async (code, becomes, next, hint) => {
    const { message, ...rest } = await answered(code);
    expect(rest).toMatchObject({ code: becomes, next, details: { status: code, record: 'event' } });
    expect(rest.details.hint).toMatch(hint);
    expect(message).toContain(`127.0.0.1 answered ${code}: `);
  });

  test('every row has a code, a text and a hint, and none stands behind a wider one', () => {
    const seen: [number, number][] = [];
    for (const { status: wanted, becomes, message: says, hint } of ANSWER_TABLE) {
      expect(Object.keys(FAILURE_CODES)).toContain(becomes);
      expect(says.length * hint.length).toBeGreaterThan(0);
      const [from, to] = typeof wanted === 'number' ? [wanted, wanted] : wanted;
      expect(seen.some(([low, high]) => low <= from && to <= high)).toBe(false);
      seen.push([from, to]);
    }
  });

  test('a status that means "not now" here is tried again', async () => {
    expect(await answered(404, {}, { retry_on: [404] })).toMatchObject({ code: 'unavailable', next: 'retry' });
    expect(await answered(409, {}, { retry_on: [404] })).toMatchObject({ code: 'refused', next: 'park' });
  });

  test('the receiver’s own id of the request is kept, unless it is anything else', async () => {
    expect((await answered(500, { 'x-request-id': 'req-1/a:b' })).details.correlation_id).toBe('req-1/a:b');
    expect((await answered(500, { 'x-request-id': 'call <ada@example.com>' })).details.correlation_id).toBeUndefined();
  });
});

describe('Retry-After', () => {
  test.each([
    [429, '7', 7_000],
    [429, '999999', 24 * HOUR],
    [503, '7', 7_000],
    [503, '999999', HOUR],
    [425, '30', 30_000],
    [500, '1', 1_000],
  ])('%i with %s waits %i ms', async (code, value, ms) => {
    expect((await answered(code, { 'retry-after': value })).details.retry_after).toBe(ms);
  });

  test('without it 429 waits ten seconds, an outage for the next attempt only', async () => {
    expect((await answered(429)).details.retry_after).toBe(10_000);
    expect((await answered(503)).details.retry_after).toBeUndefined();
    expect((await answered(503, { 'retry-after': 'soon' })).details.retry_after).toBeUndefined();
    expect((await answered(400, { 'retry-after': '7' })).details.retry_after).toBeUndefined();
  });

  test.each([429, 503])('%i: until then nothing is sent by anybody, and waiting burns no attempt', async (code) => {
    const commons = makeMemoryCommons();
    const destination = await connect({ url: endpoint.url });
    endpoint.answers(status(code, '', { 'retry-after': '60' }));
    await writeOne(destination, planOf(), commons);
    endpoint.answers(status(200));
    const waits = failure(await writeOne(await connect({ url: endpoint.url }), planOf(), commons, { within: 500 }));
    expect(waits).toMatchObject({ code: 'throttled', next: 'throttle' });
    expect(waits.details.retry_after).toBeGreaterThan(50_000);
    expect(endpoint.received).toHaveLength(1);
  });

  test('is read as seconds or as a date', () => {
    const now = Date.parse('2026-11-23T12:00:00Z');
    expect(readRetryAfter('120', now)).toBe(120_000);
    expect(readRetryAfter(' 1.5 ', now)).toBe(1_500);
    expect(readRetryAfter('Mon, 23 Nov 2026 12:00:30 GMT', now)).toBe(30_000);
    expect(readRetryAfter('Mon, 23 Nov 2026 11:00:00 GMT', now)).toBe(0);
    for (const text of [undefined, '', 'soon', '-5', '1e9', '12345678901'])
      expect(readRetryAfter(text, now)).toBeUndefined();
  });
});

describe('an endpoint that refuses everything', () => {
  test('is asked once after 410; every other call waits without a request, and so does the probe', async () => {
    const commons = makeMemoryCommons();
    endpoint.answers(status(410, 'unsubscribed'));
    const destination = await connect({ url: endpoint.url });
    const first = failure(await writeOne(destination, planOf(), commons));
    expect(first).toMatchObject({ code: 'gone', next: 'reauthenticate', details: { status: 410 } });
    expect(first.message).toBe('127.0.0.1 answered 410: it wants no more events. It says: unsubscribed');
    const other = await connect({ url: endpoint.url });
    for (const id of ['c2', 'c3']) {
      const next = failure(await writeOne(other, planOf(someCall({ id })), commons));
      expect(next).toMatchObject({ code: 'gone', next: 'reauthenticate', message: first.message, hint: first.hint });
    }
    await expect(other.probe(makeMemoryContext(commons))).rejects.toMatchObject({ code: 'gone' });
    await expect(other.preview([planOf()], makeMemoryContext(commons))).rejects.toMatchObject({ code: 'gone' });
    expect(endpoint.received).toHaveLength(1);
  });

  test('goes on at once when the connection gets another address or other credentials', async () => {
    const commons = makeMemoryCommons();
    endpoint.answers(status(401));
    await writeOne(await connect({ url: endpoint.url, headers: { authorization: 'Bearer old' } }), planOf(), commons);
    endpoint.answers((response, { headers }) =>
      response.writeHead(headers.authorization === 'Bearer new' ? 200 : 401).end(),
    );
    const same = await connect({ url: endpoint.url, headers: { authorization: 'Bearer old' } });
    expect(failure(await writeOne(same, planOf(), commons))).toMatchObject({ code: 'unauthorized' });
    expect(endpoint.received).toHaveLength(1);
    const corrected = await connect({ url: endpoint.url, headers: { authorization: 'Bearer new' } });
    expect(await writeOne(corrected, planOf(), commons)).toMatchObject({ ok: true });
  });

  test('is asked again after its time', async () => {
    const kept: number[] = [];
    const commons = makeMemoryCommons();
    const { memory } = commons;
    const noting = {
      ...commons,
      memory: {
        get: (key: string) => memory.get(key),
        set: (key: string, value: string, ttl: number) => {
          kept.push(ttl);
          return memory.set(key, value, ttl);
        },
        delete: (key: string) => memory.delete(key),
        digester: () => memory.digester(),
      },
    };
    for (const code of [410, 401]) {
      endpoint.answers(status(code));
      await writeOne(await connect({ url: `${endpoint.url}/${code}` }), planOf(), noting);
    }
    expect(kept).toEqual([15 * MINUTE, MINUTE]);
  });
});
