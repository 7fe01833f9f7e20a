import { AdoptionError, adoptSource, loadConfig } from '@wrapup/config';
import { expect, test } from 'vitest';
import { configFolder, ENV, GOOD, MAPPING } from './support/folder.ts';

const files = (root: string, client: string) => ({
  'wrapup.yaml': root,
  'clients/acme.yaml': client,
  'mappings/hubspot.yaml': MAPPING,
});

test('the only source moves with all that belongs to it, and keeps its keys', async () => {
  const text = `# our calls\n${GOOD}inbound: { look_up: sales, guard: none }\nretention: { delivered: 3d }\n`;
  const { root, client, moved } = adoptSource(text, 'main', 'acme');
  expect(moved).toEqual({ connections: ['sales'], routes: ['sales-calls'] });
  const { config } = await loadConfig({ file: configFolder(files(root, client)), env: ENV });
  expect(config?.sources).toMatchObject({ 'acme.main': { key_prefix: 'main', inbound: { look_up: 'acme.sales' } } });
  expect(config?.routes).toMatchObject([{ name: 'acme.sales-calls', from: ['acme.main'], to: 'acme.sales' }]);
  expect(config?.clients.acme).toMatchObject({ state: 'current', retention: { delivered_days: 3 } });
  expect(config?.retention.delivered_days).toBe(3);
  // A variable stays one, and comments stay with what they are about.
  expect(client).toContain('"${SYNTHFLOW_WEBHOOK_SECRET}"');
});

const TWO = `sources:
  # The first workspace.
  main: { webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"] }
  other: { webhook_secrets: [c3a1f0be9a77401bb3f1c0de9a7740aa] }
connections:
  sales: { kind: hubspot, access_token: "\${HUBSPOT_ACCESS_TOKEN}" } # of main
  office: { kind: http, url: https://example.com/hook }
routes:
  - { name: sales-calls, from: main, to: sales, mapping: mappings/hubspot.yaml }
  - { name: others, from: other, to: office, mapping: mappings/http.yaml }
alerts: { to: office }
`;

test('one of several sources moves, and the others stay as they are', async () => {
  const { root, client } = adoptSource(TWO, 'main', 'acme');
  expect(client).toContain('# of main');
  expect(root).not.toContain('sales');
  const file = configFolder({ ...files(root, client), 'mappings/http.yaml': 'extends: http/event\n' });
  const { config, findings } = await loadConfig({ file, env: ENV });
  expect(findings).toEqual([]);
  expect(config?.routes.map(({ name, from }) => [name, from])).toEqual([
    ['others', ['other']],
    ['acme.sales-calls', ['acme.main']],
  ]);
});

test.each([
  ['a source that is not there', TWO, 'mian', /no source "mian"/],
  ['a route of several', TWO.replace('from: main', 'from: [main, other]'), 'main', /sales-calls takes calls of other/],
  [
    'a connection that others use',
    TWO.replace('to: office, m', 'to: sales, m'),
    'main',
    /sales is used by route others/,
  ],
  ['the connection of alerts', TWO.replace('{ to: office }', '{ to: sales }'), 'main', /sales is used by alerts/],
])('%s is refused with what to do', (_what, text, source, says) => {
  expect(() => adoptSource(text, source, 'acme')).toThrow(says);
  expect(() => adoptSource(text, source, 'acme')).toThrow(AdoptionError);
});
