import { startSandbox } from '@wrapup/sandbox';
import { expect, onTestFinished, test } from 'vitest';
import { startIngress } from '../../../test/support/process.ts';
import { describeProgress } from '../src/terminal/progress.ts';
import { openInstallation, SECRET } from './support/installation.ts';
import { wrapup } from './support/run.ts';

async function openSandbox() {
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  return sandbox;
}

test('the sandbox makes calls, and ingress takes the webhooks that are not lost', async () => {
  const { env, store } = await openInstallation();
  const sandbox = await openSandbox();
  const ingress = await startIngress(env);
  onTestFinished(() => ingress.kill());
  const where = { ...env, SANDBOX_URL: sandbox.url, INGRESS_PORT: String(ingress.port) };
  const run = await wrapup(['demo', '--calls', '20', '--rate', '500/s', '--lose', '15%', '--pace', '1ms'], where);
  expect(run.stderr).toBe('');
  expect(run.code).toBe(0);
  expect(run.stdout).toMatch(/^20 of 20 calls over/);
  expect(run.stdout).toMatch(/17 webhooks sent, 3 lost on purpose\n +17 {2}202\n/);
  expect(await store.ledger.count()).toBe(17);
});

test('calls of the past send nothing, and machines get the figures as JSON', async () => {
  const { env } = await openInstallation();
  const sandbox = await openSandbox();
  const args = ['demo', '--calls', '12', '--past', '7d', '--json', '--sandbox', sandbox.url];
  const { json, code } = await wrapup(args, env);
  expect(code).toBe(0);
  expect(json()).toMatchObject({ calls: 12, over: 12, running: false, webhooks: { sent: 0 } });
});

test('webhooks that are refused are exit code 1', async () => {
  const { env } = await openInstallation();
  const sandbox = await openSandbox();
  const args = ['demo', '--calls', '2', '--rate', '500', '--pace', '1ms', '--sandbox', sandbox.url];
  const { code, stdout } = await wrapup([...args, '--url', 'http://127.0.0.1:9'], env);
  expect(code).toBe(1);
  expect(stdout).toMatch(/2 {2}no answer/);
});

test('no sandbox is exit code 3, wrong use is 2', async () => {
  const { env } = await openInstallation();
  expect(await wrapup(['demo', '--sandbox', 'http://127.0.0.1:9'], env)).toMatchObject({ code: 3 });
  expect(await wrapup(['demo', '--lose', '150%'], { SYNTHFLOW_WEBHOOK_SECRET: SECRET })).toMatchObject({ code: 2 });
});

test('progress tells rate and time left', () => {
  expect(describeProgress({ done: 50, total: 200, noun: 'calls', ms: 10_000 })).toBe(
    '50 of 200 calls, 5.0/s, 30 s left',
  );
  expect(describeProgress({ done: 1000, total: 91_000, noun: 'calls', ms: 10_000 })).toMatch(/100\/s, 15 min left/);
  expect(describeProgress({ done: 7, total: undefined, noun: 'calls', ms: 0, note: 'slow' })).toBe('7 calls, slow');
});
