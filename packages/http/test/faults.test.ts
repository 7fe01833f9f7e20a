import { createServer, type Server, type Socket } from 'node:net';
import { makeMemoryContext } from '@wrapup/destination';
import { failure } from '@wrapup/destination/conformance';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { connect, writeOne } from './support/connect.ts';
import { type Endpoint, openEndpoint, status } from './support/endpoint.ts';
import { planOf, someCall } from './support/plans.ts';

let endpoint: Endpoint;
beforeEach(async () => {
  endpoint = await openEndpoint();
});
afterEach(() => endpoint.close());

/** Long enough that nothing here can end before it by chance, short enough to wait for. */
const TIMEOUT = 300;
/** What a deadline that did not hold would take: longer than any test may. */
const FOR_EVER = 60_000;

describe('the deadline covers everything', () => {
  const drip: [string, (endpoint: Endpoint) => void][] = [
    ['no answer', (one) => one.answers(() => {})],
    [
      'an answer that never ends',
      (one) =>
        one.answers((response) => {
          response.writeHead(200, { 'content-length': '10' });
          response.write('half');
        }),
    ],
    [
      'an answer that drips',
      (one) =>
        one.answers((response) => {
          response.writeHead(200);
          const timer = setInterval(() => response.write('.'), 20);
          response.on('close', () => clearInterval(timer));
        }),
    ],
    [
      'a header that drips',
      (one) =>
        one.answers((response) => {
          const { socket } = response;
          socket?.write('HTTP/1.1 200 OK\r\nx-long: ');
          const timer = setInterval(() => socket?.write('.'), 20);
          socket?.on('close', () => clearInterval(timer));
        }),
    ],
  ];

  test.each(drip)('%s', async (_what, prepare) => {
    prepare(endpoint);
    const destination = await connect({ url: endpoint.url, timeout: TIMEOUT });
    const late = failure(await writeOne(destination, planOf(), undefined, { within: FOR_EVER }));
    expect(late).toMatchObject({ code: 'timeout', next: 'retry', hint: expect.stringContaining('same webhook-id') });
  });

  test.each(drip)('%s, and the batch’s own deadline is nearer', async (_what, prepare) => {
    prepare(endpoint);
    const destination = await connect({ url: endpoint.url, timeout: 25_000 });
    const late = failure(await writeOne(destination, planOf(), undefined, { within: TIMEOUT }));
    expect(late).toMatchObject({ code: 'timeout', next: 'retry' });
  });

  test('an error whose text never ends is that error all the same', async () => {
    endpoint.answers((response) => {
      response.writeHead(422, { 'content-length': '100' });
      response.write('the field is wrong');
    });
    const destination = await connect({ url: endpoint.url, timeout: TIMEOUT });
    const refused = failure(await writeOne(destination, planOf()));
    expect(refused).toMatchObject({
      code: 'refused',
      next: 'park',
      message: expect.stringContaining('field is wrong'),
    });
  });

  test('an endpoint that takes the connection and reads nothing', async () => {
    const sockets = new Set<Socket>();
    const server: Server = createServer({ pauseOnConnect: true }, (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const destination = await connect({ url: `http://127.0.0.1:${port}`, timeout: TIMEOUT });
    // More than the sockets' buffers hold.
    const big = someCall({ transcript: 'word '.repeat(4_000_000) });
    expect(failure(await writeOne(destination, planOf(big)))).toMatchObject({ code: 'timeout' });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  test('nothing is sent when no time is left', async () => {
    const destination = await connect({ url: endpoint.url });
    const late = failure(await writeOne(destination, planOf(), undefined, { within: 0 }));
    expect(late).toMatchObject({
      code: 'timeout',
      next: 'retry',
      message: expect.stringContaining('Nothing was sent'),
    });
    expect(endpoint.connections()).toBe(0);
  });
});

describe('work that is withdrawn', () => {
  test('stops in the middle, closes its connection, and burns no attempt', async () => {
    let closed = false;
    endpoint.answers((response) => {
      response.on('close', () => {
        closed = true;
      });
    });
    const controller = new AbortController();
    const destination = await connect({ url: endpoint.url, timeout: 25_000 });
    const writing = writeOne(destination, planOf(), undefined, { signal: controller.signal, within: FOR_EVER });
    await vi.waitUntil(() => endpoint.received.length === 1, PATIENCE);
    controller.abort();
    expect(failure(await writing)).toMatchObject({ code: 'busy', next: 'throttle' });
    await vi.waitUntil(() => closed, PATIENCE);
  });

  test('is not begun', async () => {
    const destination = await connect({ url: endpoint.url });
    const outcome = await writeOne(destination, planOf(), undefined, { signal: AbortSignal.abort() });
    expect(failure(outcome)).toMatchObject({ code: 'busy', next: 'throttle' });
    expect(endpoint.connections()).toBe(0);
  });
});

describe('the connection', () => {
  test('that is refused', async () => {
    await endpoint.close();
    const refused = failure(await writeOne(await connect({ url: endpoint.url }), planOf()));
    expect(refused).toMatchObject({
      code: 'network',
      next: 'retry',
      message: 'The connection to 127.0.0.1 failed (ECONNREFUSED).',
      hint: expect.stringContaining('Nothing listens there'),
    });
    endpoint = await openEndpoint();
  });

  test('that is reset before an answer', async () => {
    endpoint.answers((response) => response.socket?.resetAndDestroy());
    expect(failure(await writeOne(await connect({ url: endpoint.url }), planOf()))).toMatchObject({
      code: 'network',
      next: 'retry',
    });
  });

  test('that is cut in the middle of a success: it may have been none', async () => {
    endpoint.answers((response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half');
      setImmediate(() => response.destroy());
    });
    expect(failure(await writeOne(await connect({ url: endpoint.url }), planOf()))).toMatchObject({
      code: 'network',
      next: 'retry',
    });
  });

  test('that answers what is not HTTP', async () => {
    endpoint.answers((response) => response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n'));
    expect(failure(await writeOne(await connect({ url: endpoint.url }), planOf()))).toMatchObject({
      code: 'network',
      next: 'retry',
    });
  });

  test('to an http:// endpoint under https:// says which of the two it must be', async () => {
    const url = endpoint.url.replace('http:', 'https:');
    const wrong = failure(await writeOne(await connect({ url }), planOf()));
    expect(wrong).toMatchObject({ code: 'network', next: 'retry', hint: expect.stringContaining('http://') });
  });

  test('is used again for the next event', async () => {
    const destination = await connect({ url: endpoint.url });
    for (const id of ['c1', 'c2', 'c3']) await writeOne(destination, planOf(someCall({ id })));
    expect([endpoint.received.length, endpoint.connections()]).toEqual([3, 1]);
  });

  test('carries the failure no further than its code: no request hangs on it', async () => {
    endpoint.answers((response) => response.socket?.resetAndDestroy());
    const lost = failure(await writeOne(await connect({ url: endpoint.url }), planOf()));
    expect([lost.cause, lost.details.cause]).toEqual([undefined, undefined]);
  });
});

describe('an answer without end', () => {
  test('that is a success counts as one after a megabyte, and is not read on', async () => {
    let sent = 0;
    let closed = false;
    endpoint.answers((response) => {
      response.writeHead(200);
      response.on('close', () => {
        closed = true;
      });
      const chunk = 'x'.repeat(100_000);
      const more = () => {
        while (!closed && response.write(chunk)) sent += chunk.length;
      };
      response.on('drain', more);
      more();
    });
    const destination = await connect({ url: endpoint.url, timeout: 20_000 });
    expect(await writeOne(destination, planOf())).toMatchObject({ ok: true });
    await vi.waitUntil(() => closed, PATIENCE);
    expect(sent).toBeLessThan(50_000_000);
  });

  test('one slow endpoint call does not hold up the others of its batch', async () => {
    endpoint.answers((response, { body }) => {
      const { id } = (body as { data: { call: { id: string } } }).data.call;
      if (id !== 'slow') status(200)(response, undefined as never, undefined as never);
    });
    const destination = await connect({ url: endpoint.url, timeout: 5_000 });
    const plans = ['c1', 'slow', 'c2'].map((id) => planOf(someCall({ id })));
    const outcomes = await destination.write(plans, makeMemoryContext());
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true]);
  });
});
