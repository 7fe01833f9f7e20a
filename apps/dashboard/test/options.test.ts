import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readOptions } from '../src/index.ts';

describe('the dashboard’s options', () => {
  it('bind to loopback and ask for no password when there is none', () => {
    expect(readOptions({})).toEqual({
      host: '127.0.0.1',
      generated: false,
      confined: false,
      allowedHosts: [],
      trustedProxies: [],
      writesMappings: false,
    });
  });

  it('stay on loopback without a password whatever DASHBOARD_HOST says, and an empty password is none', () => {
    expect(readOptions({ DASHBOARD_HOST: '0.0.0.0', DASHBOARD_PASSWORD: '' })).toMatchObject({
      host: '127.0.0.1',
      confined: true,
    });
  });

  it('follow DASHBOARD_HOST once there is a password', () => {
    expect(readOptions({ DASHBOARD_HOST: '0.0.0.0', DASHBOARD_PASSWORD: 'x', DASHBOARD_USER: 'ada' })).toEqual({
      host: '0.0.0.0',
      credentials: { user: 'ada', password: 'x' },
      generated: false,
      confined: false,
      allowedHosts: [],
      trustedProxies: [],
      writesMappings: false,
    });
  });

  it('make a password up in a container, another at each start, and listen on all interfaces', () => {
    const first = readOptions({ WRAPUP_CONTAINER: '1' });
    const second = readOptions({ WRAPUP_CONTAINER: '1' });
    expect(first).toMatchObject({ generated: true, confined: false, credentials: { user: 'admin' } });
    expect(first.host).toBeUndefined();
    expect(first.credentials?.password.length).toBeGreaterThanOrEqual(20);
    expect(first.credentials?.password).not.toBe(second.credentials?.password);
  });

  it('read password and token from files', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'dashboard-')), 'secret');
    writeFileSync(file, 'from-a-file\n');
    expect(readOptions({ DASHBOARD_PASSWORD_FILE: file, METRICS_TOKEN_FILE: file })).toMatchObject({
      credentials: { user: 'admin', password: 'from-a-file' },
      metricsToken: 'from-a-file',
    });
    expect(() => readOptions({ DASHBOARD_PASSWORD_FILE: '/nowhere/at/all' })).toThrow(/DASHBOARD_PASSWORD_FILE/);
  });

  it('read names, and say which one is none', () => {
    const names = readOptions({ DASHBOARD_ALLOWED_HOSTS: 'Wrapup.example.com, dash:8081 , 10.0.0.5,[2001:db8::1]' });
    expect(names.allowedHosts).toEqual(['wrapup.example.com', 'dash', '10.0.0.5', '2001:db8::1']);
    expect(() => readOptions({ DASHBOARD_ALLOWED_HOSTS: 'https://wrapup.example.com' })).toThrow(/no host name/);
    expect(() => readOptions({ DASHBOARD_ALLOWED_HOSTS: '*' })).toThrow(/DASHBOARD_ALLOWED_HOSTS/);
  });

  it('read proxies, and say which one is none', () => {
    expect(readOptions({ DASHBOARD_TRUSTED_PROXY: '10.0.0.5,loopback' }).trustedProxies).toEqual([
      '10.0.0.5',
      'loopback',
    ]);
    expect(() => readOptions({ DASHBOARD_TRUSTED_PROXY: 'proxy.example.com' })).toThrow(
      /^DASHBOARD_TRUSTED_PROXY holds/,
    );
  });

  it('refuse a user that HTTP Basic cannot carry', () => {
    expect(() => readOptions({ DASHBOARD_USER: 'a:b' })).toThrow(/colon/);
  });

  it('say whether mappings are written from the workbench', () => {
    expect(readOptions({ DASHBOARD_WRITES_MAPPINGS: 'true' }).writesMappings).toBe(true);
    expect(readOptions({ DASHBOARD_WRITES_MAPPINGS: '' }).writesMappings).toBe(false);
    expect(() => readOptions({ DASHBOARD_WRITES_MAPPINGS: 'yes' })).toThrow(
      'DASHBOARD_WRITES_MAPPINGS is neither true nor false: yes',
    );
  });
});
