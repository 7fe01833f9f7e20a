import { BlockList, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBlock } from '../src/endpoint/address.ts';
import { refusalOf } from '../src/endpoint/address-policy.ts';
import { httpSettings } from '../src/index.ts';

describe('what an address is', () => {
  test.each([
    // This machine, in every notation that a resolver or a URL parser may hand on.
    ['127.0.0.1', 'this machine'],
    ['127.255.255.254', 'this machine'],
    ['::1', 'this machine'],
    ['0:0:0:0:0:0:0:1', 'this machine'],
    ['::ffff:127.0.0.1', 'this machine'],
    ['::ffff:7f00:1', 'this machine'],
    ['0:0:0:0:0:ffff:127.0.0.1', 'this machine'],
    ['::FFFF:7F00:0001', 'this machine'],
    ['::ffff:0:127.0.0.1', 'this machine'],
    ['64:ff9b::127.0.0.1', 'this machine'],
    ['64:ff9b::7f00:1', 'this machine'],
    ['2002:7f00:1::', 'this machine'],
    ['::1%lo', 'this machine'],
    // Networks that only this machine's side of the internet reaches.
    ['10.0.0.1', 'a private network'],
    ['10.255.255.255', 'a private network'],
    ['172.16.0.1', 'a private network'],
    ['172.31.255.255', 'a private network'],
    ['192.168.1.1', 'a private network'],
    ['::ffff:192.168.1.1', 'a private network'],
    ['2002:c0a8:101::1', 'a private network'],
    ['64:ff9b:1::a00:1', 'a private network'],
    ['100.64.0.1', 'a carrier’s private network'],
    ['fc00::1', 'a private network'],
    ['fdff:ffff::1', 'a private network'],
    ['fec0::1', 'a private network'],
    ['198.18.0.1', 'a test network'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    // Where clouds tell their machines who they are.
    ['169.254.169.254', 'a cloud’s metadata service'],
    ['::ffff:169.254.169.254', 'a cloud’s metadata service'],
    ['::ffff:a9fe:a9fe', 'a cloud’s metadata service'],
    ['64:ff9b::a9fe:a9fe', 'a cloud’s metadata service'],
    ['169.254.170.2', 'a cloud’s metadata service'],
    ['100.100.100.200', 'a cloud’s metadata service'],
    ['168.63.129.16', 'a cloud’s metadata service'],
    ['192.0.0.192', 'a cloud’s metadata service'],
    ['fd00:ec2::254', 'a cloud’s metadata service'],
    // What is no address of a host.
    ['0.0.0.0', 'no address of a host'],
    ['0.1.2.3', 'no address of a host'],
    ['::', 'not a public address'],
    ['::127.0.0.1', 'not a public address'],
    ['100::1', 'not a public address'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['192.0.0.8', 'reserved'],
    ['2001::1', 'reserved'],
    ['192.0.2.1', 'for documentation only'],
    ['2001:db8::1', 'for documentation only'],
    ['3fff::1', 'for documentation only'],
    ['not an address', 'no IP address'],
    ['127.1', 'no IP address'],
    ['', 'no IP address'],
  ])('%s is %s', (address, is) => {
    expect(refusalOf(address, false)).toBe(is);
  });

  test.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450:4001::1',
    '::ffff:1.1.1.1',
    '64:ff9b::1.1.1.1',
    '2002:101:101::1',
    '2001:200::1',
  ])('%s is public', (address) => {
    expect(refusalOf(address, false)).toBeUndefined();
  });

  test('every private address is refused, as Node’s own block list has them', () => {
    // Apart: a list of IPv6 blocks also answers for IPv4 addresses, as if they were mapped.
    const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
    for (const block of ['10.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'])
      lists.ipv4.addSubnet(...split(block), 'ipv4');
    for (const block of ['100.64.0.0/10', '224.0.0.0/3', '0.0.0.0/8']) lists.ipv4.addSubnet(...split(block), 'ipv4');
    for (const block of ['fc00::/7', 'fe80::/10', 'ff00::/8', '::1/128', '2001:db8::/32'])
      lists.ipv6.addSubnet(...split(block), 'ipv6');
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4().map((v4) => `::ffff:${v4}`),
    );
    fc.assert(
      fc.property(address, (text) => {
        const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1] ?? text;
        const family = isIPv4(plain) ? 'ipv4' : 'ipv6';
        if (lists[family].check(plain, family)) expect(refusalOf(text, false)).toBeDefined();
        else if (family === 'ipv4' && !/^(?:192\.|198\.|203\.0\.113\.|168\.63\.)/.test(plain))
          expect(refusalOf(text, false)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });
});

const split = (block: string): [string, number] => [block.split('/')[0] ?? '', Number(block.split('/')[1])];

describe('what may be allowed', () => {
  const blocks = (...texts: string[]) => texts.flatMap((text) => parseBlock(text) ?? []);

  test('everything private, but not what clouds tell their machines, nor what is no host', () => {
    for (const address of ['127.0.0.1', '10.0.0.1', 'fd12::1', 'fe80::1', '::ffff:10.0.0.1', '100.64.1.1'])
      expect(refusalOf(address, true), address).toBeUndefined();
    for (const address of [
      '169.254.169.254',
      '::ffff:169.254.169.254',
      '100.100.100.200',
      '0.0.0.0',
      '224.0.0.1',
      '::',
    ])
      expect(refusalOf(address, true), address).toBeDefined();
  });

  test('single addresses and blocks, and nothing beside them', () => {
    const allowed = blocks('10.1.0.0/16', 'fd12::/32', '169.254.169.254');
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd12::9', '169.254.169.254', '1.1.1.1'])
      expect(refusalOf(address, allowed), address).toBeUndefined();
    for (const address of ['10.2.0.1', '127.0.0.1', 'fd13::9', '169.254.169.253'])
      expect(refusalOf(address, allowed), address).toBeDefined();
  });

  test.each(['10.0.0.0/33', '10.0.0/8', 'fc00::/129', '10.0.0.0/', '10.0.0.0/8/8', 'fe80::1%eth0/64', 'private', ''])(
    '%j is no block',
    (text) => {
      expect(parseBlock(text)).toBeUndefined();
    },
  );
});

describe('an address in the url is looked at when the configuration is loaded, however it is written', () => {
  const problem = (url: string, allow_private: unknown = false) =>
    httpSettings.safeParse({ url, allow_private }).error?.issues.map(({ message }) => message);

  test.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0x7f.0.0.1/',
    'http://0177.0.0.1/',
    'http://017700000001/',
    'http://127.1/',
    'http://127.0.1/',
    'http://１２７.０.０.１/',
    'http://127。0。0。1/',
    'http://%31%32%37.0.0.1/',
    'http://127.0.0.1./',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[0:0:0:0:0:ffff:7f00:0001]/',
    'http://[64:ff9b::7f00:1]:8080/x',
    'https://10.0.0.1/hook',
    'https://[fd00::1]/hook',
    'https://169.254.169.254/latest/meta-data/',
    'https://0xa9fea9fe/',
  ])('%s', (url) => {
    expect(problem(url)).toEqual([expect.stringMatching(/^leads to .+, which is not connected to; /)]);
  });

  test('what is allowed passes, and the hint says how', () => {
    expect(problem('http://127.0.0.1/')?.[0]).toContain('allow_private: true');
    expect(problem('http://127.0.0.1/', true)).toBeUndefined();
    expect(problem('http://127.0.0.1/', 'true')).toBeUndefined();
    expect(problem('http://10.1.2.3/', '10.1.2.3')).toBeUndefined();
    expect(problem('http://10.1.2.3/', ['10.1.0.0/16'])).toBeUndefined();
    expect(problem('http://169.254.169.254/', true)?.[0]).toContain('when allow_private lists it');
  });
});
