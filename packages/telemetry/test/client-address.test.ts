import { describe, expect, it } from 'vitest';
import { clientAddress, networkOf, readTrustedProxies } from '../src/index.ts';

describe('proxies in front', () => {
  it('are addresses, networks and names of ranges', () => {
    expect(readTrustedProxies('X', '')).toEqual([]);
    expect(readTrustedProxies('X', '10.0.0.5, 172.16.0.0/12 ,2001:db8::/32,Loopback')).toEqual([
      '10.0.0.5',
      '172.16.0.0/12',
      '2001:db8::/32',
      'loopback',
    ]);
  });

  it.each(['proxy.example.com', '10.0.0.5/33', '0.0.0.0/0', '::/0', '1', 'true'])('are not %s', (wrong) => {
    expect(() => readTrustedProxies('X_PROXY', `10.0.0.5,${wrong}`)).toThrow(`X_PROXY holds "${wrong}"`);
  });
});

it.each([
  [{ ip: '::ffff:192.0.2.1' }, '192.0.2.1'],
  [{ ip: '2001:0db8:0:0::1' }, '2001:db8::1'],
  [{ ip: 'unknown', socket: { remoteAddress: '192.0.2.7' } }, '192.0.2.7'],
  [{}, ''],
])('the address of %j is "%s"', (request, address) => {
  expect(clientAddress({ socket: {}, ...request })).toBe(address);
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::6', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::', 'fe80:0:0:0'],
])('%s counts as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
