/** The live run itself, against the sandbox: it must tell the truth before a real org is asked. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SANDBOX_RULES } from '@wrapup/sandbox';
import { expect, test } from 'vitest';
import { runLive } from '../live/run.ts';
import { openAccount } from './salesforce-harness.ts';

test('a run provisions, writes, answers every question, and leaves no record behind', async () => {
  const account = await openAccount({ duplicate_rules: 'alert' }, { provisioned: false });
  try {
    const { client_id, client_secret, base_url } = account.settings();
    const { steps, answers } = await runLive({
      connection: { client_id, client_secret, base_url },
      any_org: false,
      deploy: true,
    });
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.find(({ step }) => step === 'people and their records in one request')?.detail).toMatch(
      /all linked; refused first: invalid_field/,
    );
    expect(answers.filter(({ confirms }) => !confirms)).toEqual([]);
    const asked = answers.map(({ question }) => question);
    const guesses = SANDBOX_RULES.flatMap(({ vendor, source }) =>
      vendor === 'Salesforce' && 'guessed' in source ? [source.guessed] : [],
    );
    expect(guesses.filter((question) => !asked.includes(question))).toEqual([]);
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
