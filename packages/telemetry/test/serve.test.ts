import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { listenHost, listenPort, type Served, type ServeOptions, serve, trustConnection } from '../src/index.ts';

const open: Served[] = [];
afterEach(async () => {
  for (const served of open.splice(0)) await served.close(0);
});

async function start(app: Parameters<typeof serve>[0], options: Partial<ServeOptions> = {}) {
  const served = await serve(app, { port: 0, host: '127.0.0.1', name: 'worker', ...options });
  open.push(served);
  return served;
}

describe('serve', () => {
  it('says in one line that the port is taken', async () => {
    const first = await start((_, response) => response.end());
    const second = serve((_, response) => response.end(), { port: first.port, host: '127.0.0.1', name: 'worker' });
    await expect(second).rejects.toThrow(
      /^worker cannot listen on 127\.0\.0\.1:\d+: something else listens there\. Set WORKER_PORT .*$/,
    );
  });

  it('falls back to a free port when asked to', async () => {
    const first = await start((_, response) => response.end());
    const second = await start((_, response) => response.end('2'), { port: first.port, fallbackToFreePort: true });
    expect(second.port).not.toBe(first.port);
    expect(await (await fetch(`http://127.0.0.1:${second.port}`)).text()).toBe('2');
  });

  describe('above its limit of connections', () => {
    const ping = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

    /** Connects, and has one request answered when something is sent. */
    async function open(port: number, sent = '') {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      const one = { socket, closed: false };
      socket.once('close', () => {
        one.closed = true;
      });
      await new Promise((resolve) => socket.once('connect', resolve));
      if (sent) {
        socket.write(sent);
        await new Promise((resolve) => socket.once('data', resolve));
      }
      return one;
    }

    it('closes the unproved connection that has been silent longest, and takes the new one', async () => {
      const served = await start((_, response) => response.end('ok'), { maxConnections: 3 });
      const [first, second, third] = [await open(served.port), await open(served.port, ping), await open(served.port)];
      await expect.poll(() => served.connections.open).toBe(3);
      first.socket.write(ping);
      await new Promise((resolve) => first.socket.once('data', resolve));
      const fourth = await open(served.port, ping);
      await expect.poll(() => second.closed).toBe(true);
      expect([first.closed, third.closed, fourth.closed]).toEqual([false, false, false]);
      expect(served.connections.closed).toBe(1);
      for (const { socket } of [first, third, fourth]) socket.destroy();
    });

    it('spares those that were trusted, and among them those with a request in hand', async () => {
      const nothing = () => {};
      let finish = nothing;
      const served = await start(
        (request, response) => {
          trustConnection(request.socket);
          if (request.url === '/slow') finish = () => response.end('late');
          else response.end('ok');
        },
        { maxConnections: 2 },
      );
      const trusted = await open(served.port, ping);
      const stranger = await open(served.port);
      const another = await open(served.port);
      await expect.poll(() => stranger.closed).toBe(true);
      expect(trusted.closed).toBe(false);

      another.socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
      await expect.poll(() => served.connections.open).toBe(2);
      await expect.poll(() => finish).not.toBe(nothing);
      const last = await open(served.port, ping);
      await expect.poll(() => trusted.closed).toBe(true);
      expect(another.closed).toBe(false);
      finish();
      await new Promise((resolve) => another.socket.once('data', resolve));
      for (const { socket } of [another, last]) socket.destroy();
    });
  });

  it('cuts off a client that never finishes its header', async () => {
    const served = await start((_, response) => response.end(), { headersTimeout: 300, requestTimeout: 600 });
    const socket = connect(served.port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nhost: x\r\n');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    await new Promise((resolve) => socket.once('close', resolve));
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('lets requests in hand finish when it closes, and does not wait for idle connections', async () => {
    let release = () => {};
    let began = () => {};
    const inHand = new Promise<void>((resolve) => {
      began = resolve;
    });
    const served = await start((request, response) => {
      if (request.url === '/idle') return void response.end('idle');
      release = () => void response.end('done');
      began();
    });
    const url = `http://127.0.0.1:${served.port}`;
    await (await fetch(`${url}/idle`)).text();
    const slow = fetch(`${url}/slow`);
    await inHand;
    const closed = served.close();
    release();
    expect(await (await slow).text()).toBe('done');
    await closed;
    await expect(fetch(url)).rejects.toThrow();
  });

  it('cuts what is left when the patience ends', async () => {
    let began = () => {};
    const inHand = new Promise<void>((resolve) => {
      began = resolve;
    });
    const served = await start(() => began());
    const stuck = fetch(`http://127.0.0.1:${served.port}`);
    await inHand;
    await Promise.all([expect(stuck).rejects.toThrow(), served.close(50)]);
  });
});

describe('connections above the limit', () => {
  /** Three connections of proved senders: one with a request under way, one whose next header stalls, one that is idle. */
  it('are closed for newcomers: of proved ones those without a request under way, the oldest first', async () => {
    let release = () => {};
    let underWay = false;
    const served = await start(
      (request, response) => {
        trustConnection(request.socket);
        if (request.url !== '/long') return void response.end('answered');
        release = () => void response.end('done');
        underWay = true;
      },
      { maxConnections: 3 },
    );
    const open = async (path: string, heard: RegExp) => {
      const socket = connect(served.port, '127.0.0.1');
      socket.on('error', () => {});
      let text = '';
      const state = { closed: false };
      socket.once('close', () => {
        state.closed = true;
      });
      socket.on('data', (chunk) => {
        text += chunk;
      });
      if (path) socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      else await new Promise((resolve) => socket.once('connect', resolve));
      if (path === '/long') await expect.poll(() => underWay).toBe(true);
      else if (path) await expect.poll(() => text).toMatch(heard);
      return { socket, state, text: () => text };
    };
    const long = await open('/long', /done/);
    const slow = await open('/', /answered/);
    slow.socket.write('GET / HTTP/1.1\r\nhost: x\r\n');
    const idle = await open('/', /answered/);
    const closed = () => [long, slow, idle].map(({ state }) => state.closed);

    const newcomer = await open('', /./);
    await expect.poll(closed).toEqual([false, true, false]);
    // Unproved ones go first.
    const next = await open('', /./);
    await expect.poll(() => newcomer.state.closed).toBe(true);
    next.socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await expect.poll(next.text).toMatch(/answered/);
    await open('/', /answered/);
    await expect.poll(closed).toEqual([false, true, true]);
    expect(served.connections.closed).toBe(3);
    release();
    await expect.poll(long.text).toMatch(/done/);
  });
});

describe('where to listen', () => {
  it('is everywhere for ingress, loopback for the others unless in a container or configured otherwise', () => {
    expect(listenHost('ingress', {})).toBeUndefined();
    expect(listenHost('worker', {})).toBe('127.0.0.1');
    expect(listenHost('worker', { WRAPUP_CONTAINER: '1' })).toBeUndefined();
    expect(listenHost('worker', { WRAPUP_CONTAINER: '1', WORKER_HOST: '10.0.0.1' })).toBe('10.0.0.1');
  });

  it('comes from <ROLE>_PORT', () => {
    expect(listenPort('dashboard', {})).toBe(8081);
    expect(listenPort('dashboard', { DASHBOARD_PORT: '0' })).toBe(0);
    expect(() => listenPort('dashboard', { DASHBOARD_PORT: '80a' })).toThrow(/DASHBOARD_PORT is "80a"/);
    expect(() => listenPort('dashboard', { DASHBOARD_PORT: '70000' })).toThrow(/no port/);
  });
});
