import { describe, expect, it } from 'vitest';
import { formatBytes, parseSize } from '../src/body/parse-size.ts';
import { readOptions } from '../src/index.ts';

const read = (env: Record<string, string>) => readOptions((name) => env[name]);

describe('sizes', () => {
  it.each([
    ['26214400', 26_214_400],
    ['25mb', 26_214_400],
    ['25 MB', 26_214_400],
    ['1.5 KiB', 1536],
    ['1g', 1024 ** 3],
  ])('%s', (text, bytes) => expect(parseSize('X', text)).toBe(bytes));

  it.each(['', 'much', '-1', '0', '5 xb', '1e9'])('"%s" is refused by name', (text) => {
    expect(() => parseSize('INGRESS_MAX_BODY', text)).toThrow(/^INGRESS_MAX_BODY is ".*", which is no size: /);
  });

  it('are formatted for people', () => {
    expect(formatBytes(26_214_400)).toBe('25 MB (26214400 bytes)');
    expect(formatBytes(1536)).toBe('1.5 KB (1536 bytes)');
    expect(formatBytes(12)).toBe('12 bytes');
  });
});

describe('options', () => {
  it('are 25 MB a body and 128 MB in all by default', () => {
    expect(read({})).toMatchObject({ maxBody: 25 * 1024 ** 2, maxInFlight: 128 * 1024 ** 2, metricsToken: undefined });
    expect(read({ INGRESS_MAX_BODY: '1mb', INGRESS_MAX_IN_FLIGHT: '2mb', METRICS_TOKEN: 'x' })).toMatchObject({
      maxBody: 1024 ** 2,
      maxInFlight: 2 * 1024 ** 2,
      metricsToken: 'x',
    });
  });

  it('that could never take the largest body are refused', () => {
    expect(() => read({ INGRESS_MAX_BODY: '200mb' })).toThrow(/INGRESS_MAX_IN_FLIGHT .* below INGRESS_MAX_BODY/);
  });

  it('read proxies, and say which one is none', () => {
    expect(read({}).trustedProxies).toEqual([]);
    expect(read({ INGRESS_TRUSTED_PROXY: '10.0.0.5' }).trustedProxies).toEqual(['10.0.0.5']);
    expect(() => read({ INGRESS_TRUSTED_PROXY: 'any' })).toThrow(/^INGRESS_TRUSTED_PROXY holds "any"/);
  });

  it('hold 2,000 connections, or as many as INGRESS_MAX_CONNECTIONS says', () => {
    expect(read({}).maxConnections).toBe(2_000);
    expect(read({ INGRESS_MAX_CONNECTIONS: '150' }).maxConnections).toBe(150);
    for (const text of ['0', '-1', 'many', '1e3', '1000000']) {
      expect(() => read({ INGRESS_MAX_CONNECTIONS: text })).toThrow(
        /^INGRESS_MAX_CONNECTIONS is ".*", which is no number/,
      );
    }
  });
});
