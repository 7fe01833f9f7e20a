import { startSandbox } from '@wrapup/sandbox';
import { expect, onTestFinished, test } from 'vitest';
import { startIngress } from '../../../test/support/process.ts';
import { CONFIG, configFolder, openInstallation, SECRET } from './support/installation.ts';
import { wrapup } from './support/run.ts';

async function openBusiness(more = '') {
  const { env } = await openInstallation();
  const sandbox = await startSandbox({ settings: { synthflow: { signature_header: 'HTTP_SYNTHFLOW_SIGNATURE' } } });
  onTestFinished(() => sandbox.close());
  const lines = `    api_key: any-key\n    base_url: ${sandbox.synthflowUrl}\n${more}    default_country`;
  env.WRAPUP_CONFIG = `${configFolder(CONFIG.replace('    default_country', lines))}/wrapup.yaml`;
  return { env, sandbox };
}

test('doctor --source says where agents point and how their webhooks were answered', async () => {
  const { env, sandbox } = await openBusiness('    workspace_id: sandbox-workspace\n');
  const ingress = await startIngress(env);
  onTestFinished(() => ingress.kill());
  const base = `http://127.0.0.1:${ingress.port}/webhooks/main`;
  const demo = { rate: 2_000, pace: 1, webhook: `${base}/post-call` };
  await sandbox.control.demo({ ...demo, calls: 30, secret: SECRET, inbound: `${base}/inbound-call` });
  await sandbox.control.demo({ ...demo, calls: 4, secret: 'another-secret', seed: 2 });
  const before = sandbox.control.requests().total;

  const { code, stdout, json } = await wrapup(['doctor', '--source', 'main', '--json'], env);
  expect(code).toBe(0);
  expect(json()).toMatchObject({
    ok: true,
    agents: [
      { name: 'Alice (renewals)', post_call: { points: 'here' }, inbound_call: { points: 'here' } },
      { name: 'Bruno (front desk)', post_call: { points: 'here' } },
    ],
    webhooks: {
      counted: 34,
      read: 30,
      answers: { 202: 30, 401: 4 },
      refused_by: { wrapup: 4, proxy: 0, no_answer: 0 },
      headers: [{ name: 'HTTP_SYNTHFLOW_SIGNATURE', seen: 30, verified: 26, understood: true }],
      unsigned: 0,
    },
    troubles: [],
  });
  // Nothing of what a call says.
  expect(stdout).not.toMatch(/\+1\d{10}|example\.com|seats/);

  const { requests } = sandbox.control.requests();
  expect(requests.length).toBeGreaterThan(before);
  expect(new Set(requests.filter(({ api }) => api === 'synthflow').map(({ method }) => method))).toEqual(
    new Set(['GET']),
  );

  const text = await wrapup(['doctor', '--source', 'main'], env);
  expect(text.stdout).toMatch(/Webhooks: 34 webhooks in the last 7d/);
  expect(text.stdout).toMatch(/4 were refused by Wrapup/);
  expect(text.stdout).toMatch(/signed as HTTP_SYNTHFLOW_SIGNATURE: 30 of 30 webhooks, 26 with a secret of this source/);
});

test('agents whose webhooks get lost are exit code 1, also without a workspace_id', async () => {
  const { env, sandbox } = await openBusiness();
  const url = 'https://hooks.example.net/webhooks/main/some-old-token/post-call';
  await sandbox.control.demo({ calls: 1, rate: 1_000, pace: 1, lose: 1, webhook: url });
  const { code, stdout } = await wrapup(['doctor', '--source', 'main'], env);
  expect(code).toBe(1);
  expect(stdout).toMatch(/Alice \(renewals\).*a token that is not \(or no longer\) in path_token/);
  expect(stdout).toContain('0 of 2 send their calls here');
  expect(stdout).toMatch(/Without workspace_id the webhook logs cannot be read/);
  expect(stdout).not.toContain('some-old-token');
});

test('a source and a connection at once are a mistake', async () => {
  const { env } = await openBusiness();
  expect(await wrapup(['doctor', 'sales', '--source', 'main'], env)).toMatchObject({ code: 2 });
});
