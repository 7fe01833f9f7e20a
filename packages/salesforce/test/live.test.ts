/** The live run itself, against the sandbox: it must tell the truth before a real org is asked. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runLive } from '../live/run.ts';
import { openAccount } from './salesforce-harness.ts';

test('a run provisions, writes, answers every question, and leaves no record behind', async () => {
  const account = await openAccount({ duplicate_rules: 'alert' }, { provisioned: false });
  try {
    const { client_id, client_secret, base_url } = account.settings();
    const { steps } = await runLive({
      connection: { client_id, client_secret, base_url },
      any_org: false,
      deploy: true,
    });
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    const said = new Map(steps.map(({ step, detail }) => [Number.parseInt(step, 10) || step, detail]));
    expect([1, 2, 3, 4, 5, 6, 7].map((n) => said.has(n))).toEqual(Array(7).fill(true));
    expect(said.get(1)).toBe('one 201, repeated 200, as a collection 200 (ok)');
    expect(said.get(3)).toContain('updateable false');
    expect(said.get(5)).toContain('under no key of that name');
    expect(said.get(7)).toBe('400 FIELD_INTEGRITY_EXCEPTION');
    for (const object of ['Task', 'Lead', 'Account']) expect(account.sandbox.salesforce.records(object)).toEqual([]);
  } finally {
    await account.close();
  }
});

test('without credentials it is skipped, and says so', async () => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SALESFORCE_LIVE')));
  const main = fileURLToPath(new URL('../live/main.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main], { env });
  expect(stdout).toMatch(/^Skipped: SALESFORCE_LIVE_CLIENT_ID/);
});
