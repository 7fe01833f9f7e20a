/** The live run itself, against the sandbox: it must tell the truth before a real account is asked. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ExchangeRecorder } from '@wrapup/destination/recorder';
import { SANDBOX_RULES } from '@wrapup/sandbox';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runLive } from '../live/run.ts';
import { openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
beforeEach(async () => {
  account = await openAccount();
  account.sandbox.control.reset({ provisioned: false });
  account.sandbox.control.settings({ hubspot: { limits: { search_per_second: 5 } } });
});
afterEach(async () => {
  await account.close();
});

const target = () => ({ token: 'pat-na1-live', base_url: account.sandbox.hubspotUrl, version: '2026-09' });

test('a run does everything, answers every question, and leaves no record behind', async () => {
  const recorder = new ExchangeRecorder('hubspot');
  const { steps, answers } = await runLive({ ...target(), observe: recorder.observe });
  expect(recorder.size).toBeGreaterThan(50);
  expect(recorder.lines().join()).not.toMatch(/pat-na1-live|wrapup-write|555010/);
  expect(steps.filter(({ ok }) => !ok)).toEqual([]);
  expect(answers.filter(({ confirms }) => !confirms)).toEqual([]);
  const asked = answers.map(({ question }) => question);
  const guesses = SANDBOX_RULES.flatMap(({ vendor, source }) =>
    vendor === 'HubSpot' && 'guessed' in source ? [source.guessed] : [],
  );
  expect(guesses.filter((question) => !asked.includes(question))).toEqual([]);
  for (const object of ['contacts', 'calls', 'tasks']) expect(account.sandbox.records(object)).toEqual([]);
});

test('a step that fails is reported, and what was made is removed all the same', async () => {
  account.sandbox.control.fault({ kind: 'status', object: 'tasks', path: '/batch/', times: 2 });
  const { steps } = await runLive(target());
  const failed = steps.filter(({ ok }) => !ok).map(({ step }) => step);
  expect(failed).toContain('write, and write again');
  expect(steps.at(-1)).toMatchObject({ step: 'clean up', ok: true });
});

test('without a key it is skipped, and says so', async () => {
  const { HUBSPOT_LIVE_TOKEN: _, HUBSPOT_LIVE_TOKEN_FILE: __, ...env } = process.env;
  const main = fileURLToPath(new URL('../live/main.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main], { env });
  expect(stdout).toMatch(/^Skipped: HUBSPOT_LIVE_TOKEN is not set/);
});
