import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure, ids } from '@wrapup/destination/conformance';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, writeOne } from './support/connect.ts';
import { type Endpoint, openEndpoint, status } from './support/endpoint.ts';
import { planOf, someCall } from './support/plans.ts';

let endpoint: Endpoint;
beforeEach(async () => {
  endpoint = await openEndpoint();
});
afterEach(() => endpoint.close());

const TWO = `
events:
  - name: first
    fields: { n: { value: 1 } }
  - name: second
    fields: { n: { value: 2 } }
`;
const sent = () => endpoint.received.map(({ body }) => (body as { n: number }).n);

describe('several events of one call', () => {
  test('go one after the other, each under its own id', async () => {
    const outcome = await writeOne(await connect({ url: endpoint.url }), planOf(someCall(), { mapping: TWO }));
    expect(sent()).toEqual([1, 2]);
    const [first, second] = endpoint.received.map(({ headers }) => headers['webhook-id']);
    expect(first).not.toBe(second);
    expect(ids(outcome)).toEqual({ first, second });
    expect(outcome).toMatchObject({
      receipt: { requests: 2, notes: [/^first: /, /^second: /].map((e) => expect.stringMatching(e)) },
    });
  });

  test('the second waits for the first, and the first is not sent again once it was taken', async () => {
    const destination = await connect({ url: endpoint.url });
    endpoint.answers((response, { body }) => response.writeHead((body as { n: number }).n === 1 ? 200 : 503).end());
    const lost = failure(await writeOne(destination, planOf(someCall(), { mapping: TWO })));
    expect(lost).toMatchObject({ next: 'retry', details: { record: 'second', done: { first: expect.any(String) } } });
    endpoint.answers(status(200));
    const done = lost.details.done ?? {};
    const resume = { attempts: 1, records: done, done: Object.keys(done) };
    const outcome = await writeOne(destination, planOf(someCall(), { mapping: TWO, resume }));
    expect(sent()).toEqual([1, 2, 2]);
    expect(outcome).toMatchObject({
      ok: true,
      receipt: {
        requests: 1,
        records: [
          { name: 'first', did: 'unchanged', id: done.first },
          { name: 'second', did: 'created' },
        ],
      },
    });
    expect(endpoint.received[1]?.headers['webhook-id']).toBe(endpoint.received[2]?.headers['webhook-id']);
  });

  test('what still fails does not forget what was done before', async () => {
    endpoint.answers(status(503));
    const resume = { attempts: 1, records: { first: 'msg_1' }, done: ['first'] };
    const lost = failure(
      await writeOne(await connect({ url: endpoint.url }), planOf(someCall(), { mapping: TWO, resume })),
    );
    expect(lost.details.done).toEqual({ first: 'msg_1' });
    expect(sent()).toEqual([2]);
  });

  test('a replay sends all of them again: what is only known to exist says nothing of this revision', async () => {
    const resume = { attempts: 1, records: { first: 'msg_1', second: 'msg_2' } };
    await writeOne(await connect({ url: endpoint.url }), planOf(someCall(), { mapping: TWO, resume }));
    expect(sent()).toEqual([1, 2]);
  });

  test('what the mapping could make nothing of is noted, and what it wants a person to look for is not sent', async () => {
    const destination = await connect({ url: endpoint.url });
    const call = { ...someCall(), vars: { n: 'a lot' } };
    const mapping = (required: string) =>
      `events:\n  - name: event\n    fields:\n      n: { from: vars.n, transform: number${required} }\n      id: call.id\n`;
    const outcome = await writeOne(destination, planOf(call, { mapping: mapping('') }));
    expect(outcome).toMatchObject({
      receipt: { notes: [{ code: 'unreadable_number', record: 'event', field: 'n' }, expect.anything()] },
    });
    const parked = planOf(call, { mapping: mapping(', required: park') });
    expect(failure(await writeOne(destination, parked))).toMatchObject({ code: 'required_value', next: 'park' });
    expect((await destination.preview([parked], makeMemoryContext()))[0]).toMatchObject({
      decision: 'park',
      requests: 0,
    });
    expect(endpoint.received).toHaveLength(1);
  });

  test('none at all is a delivery with nothing to write', async () => {
    const mapping = 'events:\n  - name: event\n    when: { path: call.outcome, equals: busy }\n    send: all\n';
    const outcome = await writeOne(await connect({ url: endpoint.url }), planOf(someCall(), { mapping }));
    expect(outcome).toEqual({ ok: true, receipt: { records: [], requests: 0, notes: [] } });
    expect(endpoint.connections()).toBe(0);
  });

  test('a mapping that makes no body for one of them sends none', async () => {
    const plan = planOf(someCall(), { mapping: TWO });
    const records = plan.records.map((record, n) =>
      n === 1 ? { ...record, fields: record.fields.map((field) => ({ ...field, name: 'a..b' })) } : record,
    );
    expect(failure(await writeOne(await connect({ url: endpoint.url }), { ...plan, records }))).toMatchObject({
      code: 'mapping',
      next: 'park',
    });
    expect(endpoint.connections()).toBe(0);
  });
});

describe('how it is sent', () => {
  test.each(['POST', 'PUT', 'PATCH', 'put'])('%s', async (method) => {
    await writeOne(await connect({ url: endpoint.url, method }), planOf());
    expect(endpoint.received[0]?.method).toBe(method.toUpperCase());
  });

  test('with the connection’s headers, whatever their case', async () => {
    const headers = { Authorization: 'Bearer x', 'X-Team': 7, 'USER-AGENT': 'acme' };
    await writeOne(await connect({ url: endpoint.url, headers }), planOf());
    expect(endpoint.received[0]?.headers).toMatchObject({
      authorization: 'Bearer x',
      'x-team': '7',
      'user-agent': 'acme',
    });
  });

  test('as JSON of known length, in the bytes that were announced', async () => {
    await writeOne(await connect({ url: endpoint.url }), planOf());
    const [received] = endpoint.received;
    expect(received?.headers['content-length']).toBe(String(received?.raw.length));
    expect(received?.headers['transfer-encoding']).toBeUndefined();
  });

  test('a call that is nested too deeply to be written parks, and says what to leave out', async () => {
    let deep: unknown = 1;
    for (let n = 0; n < 100_000; n += 1) deep = [deep];
    const call = someCall({ raw: deep as never });
    const mapping = 'events:\n  - name: event\n    send: raw\n';
    const refused = failure(await writeOne(await connect({ url: endpoint.url }), planOf(call, { mapping })));
    expect(refused).toMatchObject({ code: 'mapping', next: 'park', hint: expect.stringContaining('raw') });
    expect(await writeOne(await connect({ url: endpoint.url }), planOf(call))).toMatchObject({ ok: true });
  });
});

describe('the same delivery twice in one batch', () => {
  test('is sent once, and its cost shared', async () => {
    const destination = await connect({ url: endpoint.url });
    const plans = [planOf(), planOf(someCall({ id: 'c2' })), planOf(), planOf(someCall(), { revision: 'r2' })];
    const outcomes = await destination.write(plans, makeMemoryContext(makeMemoryCommons()));
    expect(endpoint.received).toHaveLength(3);
    expect(outcomes.map((outcome) => outcome.ok && outcome.receipt.requests)).toEqual([0.5, 1, 0.5, 1]);
    expect(ids(outcomes[0])).toEqual(ids(outcomes[2]));
  });
});
