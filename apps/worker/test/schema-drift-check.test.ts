/** A change of an account that its mappings do not fit is reported before a call fails on it. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '@wrapup/config';
import type { Log } from '@wrapup/destination';
import { readSchemaChecks, SCHEMA_CHECK_QUEUE } from '@wrapup/queue';
import { startSandbox } from '@wrapup/sandbox';
import { createMetrics } from '@wrapup/telemetry';
import { expect, onTestFinished, test, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { startWorker } from '../src/worker.ts';
import { openCallStore } from './support/call-store.ts';

const MAPPING = `extends: hubspot/call-log
person:
  fields:
    annual_budget: { from: vars.budget, transform: number }
    hs_lead_status: { value: HOT }
`;
const TOKEN = 'pat-na1-test';
const WAIT = { timeout: PATIENCE, interval: 50 };
vi.setConfig({ testTimeout: 90_000 });

async function open() {
  const sandbox = await startSandbox({ provisioned: true });
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-examiner-'));
  writeFileSync(join(folder, 'm.yaml'), MAPPING);
  writeFileSync(
    join(folder, 'wrapup.yaml'),
    `sources: { main: { webhook_secrets: [5f1c0de9a77401bb] } }
connections: { sales: { kind: hubspot, access_token: ${TOKEN}, base_url: "${sandbox.hubspotUrl}" } }
routes: [ { name: calls, to: sales, mapping: m.yaml } ]
`,
  );
  const { config, findings } = await loadConfig({ file: join(folder, 'wrapup.yaml'), env: {} });
  if (!config) throw new Error(JSON.stringify(findings));
  const callStore = await openCallStore();
  const said: { level: string; fields: Record<string, unknown>; text: string }[] = [];
  const say = (level: string) => (fields: object, text?: string) =>
    void said.push({ level, fields: fields as Record<string, unknown>, text: text ?? '' });
  const log = { info: say('info'), warn: say('warn'), error: say('error'), debug: () => {} } as unknown as Log;
  const metrics = createMetrics();
  const worker = await startWorker({
    store: callStore.store,
    config: () => config as Config,
    log,
    metrics,
    onError: () => {},
    first_schema_check: 0,
  });
  onTestFinished(async () => {
    await worker.close();
    await callStore.close();
    await sandbox.close();
  });
  const property = (method: string, name: string, body?: object) =>
    fetch(`${sandbox.hubspotUrl}/crm/v3/properties/contacts${method === 'DELETE' ? `/${name}` : ''}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const { store } = callStore;
  const result = async () => (await readSchemaChecks(store, ['sales']))[0];
  const warnings = (code: string) => said.filter(({ fields }) => fields.code === code);
  return { store, metrics, property, result, warnings, sandbox };
}

test('what does not fit is found at start, logged with its mapping line, counted, and noticed when it is corrected or drifts', async () => {
  const { store, metrics, property, result, warnings, sandbox } = await open();
  await vi.waitFor(async () => expect((await result())?.findings.length).toBe(2), WAIT);
  expect(warnings('missing-property')[0]).toMatchObject({
    level: 'warn',
    fields: { connection: 'sales', mapping: 'm.yaml:4' },
  });
  expect(warnings('unknown-option')[0]?.fields).toMatchObject({
    mapping: 'm.yaml:5',
    hint: expect.stringMatching(/NEW/),
  });
  expect(await metrics.text()).toContain('wrapup_mapping_findings{connection="sales",severity="error"} 2');

  // An administrator creates the property: one finding less.
  const created = await property('POST', '', {
    ...{ name: 'annual_budget', label: 'Budget', type: 'number', fieldType: 'number', groupName: 'contactinformation' },
  });
  expect(created.status).toBe(201);
  const again = () => store.queues.get(SCHEMA_CHECK_QUEUE).add('examine', {}, { removeOnComplete: true });
  await again();
  await vi.waitFor(async () => expect((await result())?.findings.length).toBe(1), WAIT);

  // And takes it away again, which is said anew; what was known is not said twice.
  expect((await property('DELETE', 'annual_budget')).status).toBe(204);
  await again();
  await vi.waitFor(() => expect(warnings('missing-property').length).toBe(2), WAIT);
  expect(warnings('unknown-option').length).toBe(1);

  // An account that cannot be asked keeps what was found, and says that it is old.
  sandbox.control.fault({ kind: 'unauthorized', times: 100 });
  await again();
  await vi.waitFor(async () => expect((await result())?.failed?.code).toBe('unauthorized'), WAIT);
  expect((await result())?.findings.length).toBe(2);
  expect(await metrics.text()).not.toMatch(/mapping_compared_timestamp_seconds\{/);
});
