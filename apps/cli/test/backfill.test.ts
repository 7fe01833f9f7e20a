import { startSandbox } from '@wrapup/sandbox';
import { expect, onTestFinished, test } from 'vitest';
import { beginAttempt } from '../../../test/support/store.ts';
import { CONFIG, configFolder, openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

/** An installation whose source is a sandbox with calls of the past week. */
async function openBusiness({ calls = 20, source = 'api_key: right-key' } = {}) {
  const { env, store } = await openInstallation();
  const sandbox = await startSandbox({ settings: { synthflow: { api_key: 'right-key' } } });
  onTestFinished(() => sandbox.close());
  await sandbox.control.demo({ calls, past: 7 * 24 * 3600_000 });
  const lines = `    ${source}\n    base_url: ${sandbox.synthflowUrl}\n    default_country`;
  env.WRAPUP_CONFIG = `${configFolder(CONFIG.replace('    default_country', lines))}/wrapup.yaml`;
  return { env, store, sandbox };
}

test('a backfill is planned, run, and finds nothing the second time', async () => {
  const { env, store } = await openBusiness();
  const plan = await wrapup(['backfill', '--from', '9d', '--plan'], env);
  expect(plan).toMatchObject({ code: 0, stderr: '' });
  expect(plan.stdout).toContain('20 listed, 0 known, 20 missing, nothing enqueued, as only counted');
  expect(await store.ledger.count()).toBe(0);

  const run = await wrapup(['backfill', '--from', '9d', '--json'], env);
  expect(run.json()).toMatchObject({ ok: true, source: 'main', listed: 20, missing: 20, enqueued: 20, troubles: [] });
  expect((await store.ledger.list())[0]).toMatchObject({ received: 'backfill', verified: 'api' });
  const again = await wrapup(['backfill', '--from', '9d', '--agent', 'Alice (renewals)'], env);
  expect(again.stdout).toMatch(/(\d+) listed, \1 known, 0 missing, 0 enqueued/);
});

test('a call whose payload has expired is fetched again, and can be replayed then', async () => {
  const { env, store } = await openBusiness({ calls: 3 });
  await wrapup(['backfill', '--from', '9d'], env);
  const [entry, other] = await store.ledger.list();
  if (!entry || !other) throw new Error('nothing was brought in');
  const { call_id, revisions } = entry;
  const [{ hash: revision } = { hash: '' }] = revisions;
  const wanted = [{ route: 'sales-calls', connection: 'sales' }];
  await store.ledger.route({ source: 'main', call_id, revision }, { effect: 'applied', facts: { notes: [] }, wanted });
  const ref = { source: 'main', call_id, revision, route: 'sales-calls', replays: 0 };
  await beginAttempt(store, ref);
  await store.ledger.recordOutcome(ref, { state: 'parked', code: 'invalid_field' });
  await store.payloads.remove('main', call_id, [revision]);

  for (const command of [
    ['parked', 'replay', call_id],
    ['replay', call_id],
  ]) {
    const { stdout } = await wrapup(command, env);
    expect(stdout).toContain(`wrapup backfill --call ${call_id} fetches the call again`);
  }
  // One that the ledger does not know is brought in, as by any backfill.
  await store.redis.del(store.keys.ledger('main', other.call_id));
  const fetched = await wrapup(['backfill', '--call', call_id, '--call', other.call_id, '--json'], env);
  expect(fetched.json()).toEqual({
    source: 'main',
    calls: [
      { call_id, result: 'restored' },
      { call_id: other.call_id, result: 'brought' },
    ],
  });
  expect(await store.ledger.read('main', other.call_id)).toMatchObject({ received: 'backfill', verified: 'api' });
  expect((await wrapup(['parked', 'replay', call_id], env)).stdout).toContain('1 of 1 replayed');
  expect((await wrapup(['backfill', '--call', call_id], env)).stdout).toContain('nothing new');

  const unknown = await wrapup(['backfill', '--call', 'nobody-knows-it'], env);
  expect(unknown).toMatchObject({ code: 1, stdout: expect.stringMatching(/nobody-knows-it: .*\[unknown_call\]/) });
  expect(await wrapup(['backfill', '--call', call_id, '--from', '2d'], env)).toMatchObject({ code: 2 });
});

test('what cannot be is said, with what to do about it', async () => {
  const { env } = await openBusiness({ calls: 1 });
  const nobody = await wrapup(['backfill', '--from', '9d', '--agent', 'Nobody'], env);
  expect(nobody).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/no agent "Nobody"[\s\S]*Alice \(renewals\)/),
  });
  const logs = await wrapup(['backfill', '--from', '9d', '--from-logs'], env);
  expect(logs).toMatchObject({ code: 1, stderr: expect.stringContaining('workspace_id') });
  const never = await wrapup(['backfill', '--from', '2d', '--to', '3d'], env);
  expect(never).toMatchObject({ code: 2, stderr: expect.stringContaining('--from must be before --to') });
  expect(await wrapup(['backfill'], env)).toMatchObject({ code: 2 });
});

test('a key that Synthflow refuses ends both with what it means; a Synthflow that is not there with 3', async () => {
  const { env, sandbox } = await openBusiness({ calls: 1, source: 'api_key: wrong-key' });
  for (const command of [['backfill', '--from', '9d'], ['reconcile']]) {
    const { code, stdout, stderr } = await wrapup(command, env);
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/401[\s\S]*another region/);
  }
  await sandbox.close();
  expect(await wrapup(['reconcile'], env)).toMatchObject({ code: 3 });
});

test('without an API key reconcile says where to get one', async () => {
  const { env } = await openInstallation();
  expect(await wrapup(['reconcile'], env)).toMatchObject({ code: 1, stderr: expect.stringContaining('API Keys') });
});
