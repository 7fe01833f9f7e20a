import { hasClientLogins, loadConfig, type Reader } from '@wrapup/config';
import { expect, test } from 'vitest';
import { configFolder, ENV, GOOD, MAPPING } from './support/folder.ts';

const ACME = GOOD.replace('${SYNTHFLOW_WEBHOOK_SECRET}', 'c3a1f0be9a77401bb3f1c0de9a7740aa').replace(
  '"${HUBSPOT_ACCESS_TOKEN}"',
  'a-token',
);
const load = (dashboard: string, env: Record<string, string> = {}, reader?: Reader, root = '') =>
  loadConfig({
    file: configFolder({
      'wrapup.yaml': `${GOOD}${root}`,
      'clients/acme.yaml': `${ACME}${dashboard}`,
      'mappings/hubspot.yaml': MAPPING,
    }),
    env: { ...ENV, ...env },
    ...(reader && { reader }),
  });
const VARIABLE = 'dashboard: { password: "${ACME_PASSWORD}" }\n';

test('a client has the password of its own login', async () => {
  const { config, findings } = await load(VARIABLE, { ACME_PASSWORD: '6f8d2b19c04e7a53' });
  expect(findings).toEqual([]);
  expect(config?.clients.acme).toMatchObject({ state: 'current', password: '6f8d2b19c04e7a53' });
});

test('ingress and worker need no password, and the dashboard does', async () => {
  for (const reader of ['ingress', 'worker'] as const) {
    const { config, findings } = await load(VARIABLE, {}, reader);
    expect(findings).toEqual([]);
    expect(config?.clients.acme).not.toHaveProperty('password');
    // Which decides whether its metrics are open.
    expect(config && hasClientLogins(config)).toBe(true);
    expect(config?.clients.acme?.state).toBe('current');
  }
  for (const reader of ['dashboard', undefined] as const) {
    const { findings } = await load(VARIABLE, {}, reader);
    expect(findings).toMatchObject([{ code: 'unset-variable', message: expect.stringContaining('ACME_PASSWORD') }]);
  }
});

test('one that is absent or can be guessed is an error beside a real account', async () => {
  const absent = await load('dashboard: {}\n');
  expect(absent.findings).toMatchObject([{ code: 'no-password', severity: 'error' }]);
  const empty = await load(VARIABLE, { ACME_PASSWORD: '' });
  expect(empty.findings).toMatchObject([{ code: 'no-password' }]);
  const weak = await load(VARIABLE, { ACME_PASSWORD: 'acme-2026' });
  expect(weak.findings).toMatchObject([
    { code: 'weak-password', severity: 'error', hint: expect.stringContaining('put it into ACME_PASSWORD') },
  ]);
});

test('in wrapup.yaml it has no meaning', async () => {
  const { findings } = await load('', {}, undefined, 'dashboard: { password: 6f8d2b19c04e7a53 }\n');
  expect(findings).toMatchObject([
    { code: 'outside-client', hint: expect.stringContaining('DASHBOARD_PASSWORD'), at: { line: 8 } },
  ]);
});
