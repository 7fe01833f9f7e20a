import { makeMemoryContext } from '@wrapup/destination';
import { failure } from '@wrapup/destination/conformance';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Resolved } from '../src/client/guarded-agent.ts';
import { openHttp } from '../src/destination.ts';
import { type HttpSettings, httpSettings } from '../src/index.ts';
import { connect, writeOne } from './support/connect.ts';
import { type Endpoint, openEndpoint, status } from './support/endpoint.ts';
import { planOf } from './support/plans.ts';

let endpoint: Endpoint;
beforeEach(async () => {
  endpoint = await openEndpoint();
});
afterEach(async () => {
  await endpoint.close();
  vi.unstubAllEnvs();
});

const v4 = (...addresses: string[]): Resolved[] => addresses.map((address) => ({ address, family: 4 }));
const v6 = (...addresses: string[]): Resolved[] => addresses.map((address) => ({ address, family: 6 }));

describe('the address is looked at when the socket is opened', () => {
  test('a name of this machine is refused, by the system’s own resolver, and nothing is sent', async () => {
    const destination = await connect({ url: `http://localhost:${endpoint.port}/`, allow_private: false });
    const refused = failure(await writeOne(destination, planOf()));
    expect(refused).toMatchObject({
      code: 'refused',
      next: 'reauthenticate',
      message: 'localhost was not connected to: its address is this machine.',
      hint: expect.stringContaining('allow_private: true'),
    });
    expect(endpoint.connections()).toBe(0);
  });

  test('and is connected to where it is allowed', async () => {
    const destination = await connect({ url: `http://localhost:${endpoint.port}/`, allow_private: ['127.0.0.1'] });
    expect(await writeOne(destination, planOf())).toMatchObject({ ok: true });
    expect(endpoint.received[0]?.headers.host).toBe(`localhost:${endpoint.port}`);
  });

  test.each([
    ['127.0.0.1', v4('127.0.0.1')],
    ['::1', v6('::1')],
    ['::ffff:127.0.0.1', v6('::ffff:127.0.0.1')],
    ['::ffff:7f00:1', v6('::ffff:7f00:1')],
    ['64:ff9b::7f00:1', v6('64:ff9b::7f00:1')],
    ['0.0.0.0', v4('0.0.0.0')],
    ['169.254.169.254', v4('169.254.169.254')],
    ['several, all private', [...v4('10.0.0.1', '127.0.0.1'), ...v6('fd00::1')]],
  ])('a public name that resolves to %s', async (_what, addresses) => {
    const url = `http://hooks.example.com:${endpoint.port}/`;
    const destination = await connect({ url, allow_private: false }, async () => addresses);
    expect(failure(await writeOne(destination, planOf()))).toMatchObject({ code: 'refused', next: 'reauthenticate' });
    await expect(destination.probe(makeMemoryContext())).rejects.toMatchObject({ code: 'refused' });
    expect(endpoint.connections()).toBe(0);
  });

  test('of several addresses only the permitted ones are connected to', async () => {
    const everywhere = await openEndpoint(undefined, '0.0.0.0');
    const url = `http://hooks.example.com:${everywhere.port}/`;
    const addresses = [...v4('127.0.0.2', '10.255.255.1', '127.0.0.1'), ...v6('::1')];
    const destination = await connect({ url, allow_private: ['127.0.0.1'] }, async () => addresses);
    expect(await writeOne(destination, planOf())).toMatchObject({ ok: true });
    expect(await destination.probe(makeMemoryContext())).toMatchObject({
      account: 'hooks.example.com',
      notes: ['resolves to 127.0.0.1', expect.anything()],
    });
    expect(everywhere.addresses()).toEqual(['127.0.0.1']);
    await everywhere.close();
  });

  test('a name that points elsewhere a moment later is connected to where it was looked at, and nowhere else', async () => {
    // The first answer is permitted; every later one is not, as an attacker’s name server would have it.
    const everywhere = await openEndpoint(status(200, 'ok', { connection: 'close' }), '0.0.0.0');
    let asked = 0;
    const url = `http://rebinding.example.com:${everywhere.port}/`;
    const destination = await connect({ url, allow_private: ['127.0.0.1'] }, async () => {
      asked += 1;
      return v4(asked === 1 ? '127.0.0.1' : '127.0.0.2');
    });
    expect(await writeOne(destination, planOf())).toMatchObject({ ok: true });
    expect(asked).toBe(1);
    expect(failure(await writeOne(destination, planOf()))).toMatchObject({ code: 'refused' });
    expect(asked).toBe(2);
    expect(everywhere.addresses()).toEqual(['127.0.0.1']);
    await everywhere.close();
  });

  test.each(['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1'])(
    'a literal address that got past the settings is refused too: %s',
    async (host) => {
      const fine = httpSettings.parse({ url: 'https://example.com/' });
      const settings: HttpSettings = { ...fine, url: new URL(`http://${host}:${endpoint.port}/`).href };
      const destination = await openHttp('alerts', settings);
      expect(failure(await writeOne(destination, planOf()))).toMatchObject({ code: 'refused', next: 'reauthenticate' });
      expect(await destination.check([], makeMemoryContext())).toMatchObject([
        {
          severity: 'error',
          code: 'private-address',
          message: 'connections.alerts.url leads to this machine, which is not connected to',
        },
      ]);
      expect(endpoint.connections()).toBe(0);
      await destination.close();
    },
  );

  test('a proxy from the environment is not used: the address behind it could not be looked at', async () => {
    const proxy = await openEndpoint();
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY']) vi.stubEnv(name, proxy.url);
    vi.stubEnv('NO_PROXY', '');
    const destination = await connect({ url: `${endpoint.url}/` });
    expect(await writeOne(destination, planOf())).toMatchObject({ ok: true });
    expect([endpoint.connections(), proxy.connections()]).toEqual([1, 0]);
    await proxy.close();
  });
});

describe('a redirect is not followed', () => {
  test.each([301, 302, 303, 307, 308])('%i', async (code) => {
    const elsewhere = await openEndpoint();
    endpoint.answers(status(code, 'moved', { location: `${elsewhere.url}/other` }));
    const refused = failure(await writeOne(await connect({ url: endpoint.url }), planOf()));
    expect(refused).toMatchObject({ code: 'refused', next: 'park', hint: expect.stringContaining('final address') });
    expect([endpoint.received.length, elsewhere.connections()]).toEqual([1, 0]);
    await elsewhere.close();
  });
});

describe('the name', () => {
  test('that does not exist is a failure of the network, not of the call', async () => {
    const destination = await connect({ url: 'https://nowhere.invalid/hook' }, async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND nowhere.invalid'), { code: 'ENOTFOUND' });
    });
    expect(failure(await writeOne(destination, planOf()))).toMatchObject({
      code: 'network',
      next: 'retry',
      message: 'The connection to nowhere.invalid failed (ENOTFOUND).',
      hint: expect.stringContaining('does not exist'),
    });
    await expect(destination.probe(makeMemoryContext())).rejects.toMatchObject({ code: 'network', next: 'retry' });
  });

  test('that never resolves meets the deadline', async () => {
    const never = () => new Promise<Resolved[]>(() => {});
    const destination = await connect({ url: 'https://slow.example.com/hook', timeout: 200 }, never);
    expect(failure(await writeOne(destination, planOf()))).toMatchObject({ code: 'timeout', next: 'retry' });
    await expect(destination.probe(makeMemoryContext())).rejects.toMatchObject({ code: 'timeout' });
    const controller = new AbortController();
    const probing = destination.probe(makeMemoryContext(undefined, { signal: controller.signal }));
    controller.abort();
    await expect(probing).rejects.toMatchObject({ code: 'busy', next: 'throttle' });
  });
});
