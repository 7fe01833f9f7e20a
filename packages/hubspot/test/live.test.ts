/** The live run itself, against the sandbox: it must tell the truth before a real account is asked. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
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
  const { steps, answers } = await runLive(target());
  expect(steps.filter(({ ok }) => !ok)).toEqual([]);
  expect(answers.map(({ question }) => Number.parseInt(question, 10))).toEqual([1, 2, 3, 4, 5, 6, 7]);
  const [upserts, properties, lengths, batches, limits, creation, archived] = answers.map(({ answer }) => answer);
  expect(upserts).toMatch(
    /call: 200, repeated 200, the same record; contact without address and name: 207 VALIDATION_ERROR$/,
  );
  expect(properties).toBe('property: 201');
  expect(lengths).toMatch(/hs_call_body 65536: 200; hs_call_body 65537: 400 VALIDATION_ERROR VALUE_TOO_LONG/);
  expect(batches).toMatch(/create with: 207, 1 written; create without: 400, 0 written/);
  expect(limits).toMatch(/of 20 at once refused: 429, category RATE_LIMITS, errorType undefined, policyName undefined/);
  expect(creation).toBe('400 VALIDATION_ERROR READ_ONLY_VALUE');
  expect(archived).toBe('200: a new record');
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
