import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { samplePayload, sign } from '@wrapup/synthflow';
import { expect, onTestFinished, test } from 'vitest';
import { startIngress } from '../../../test/support/process.ts';
import { openInstallation, SECRET } from './support/installation.ts';
import { ROOT, wrapup } from './support/run.ts';

const SAMPLE = join(ROOT, 'samples/connected.json');
const CALL = '0d3e1f6a-5b27-4c1e-8f3d-2a9b7c5d1e01';

async function openIngress(extra: Record<string, string> = {}) {
  const installation = await openInstallation();
  const env = { ...installation.env, ...extra };
  const ingress = await startIngress(env);
  onTestFinished(() => ingress.kill());
  return { ...installation, env: { ...env, INGRESS_PORT: String(ingress.port) } };
}

/** The requests to a server with fixed answers. */
async function listen(status: number, body = '{}') {
  const seen: { url: string | undefined; headers: NodeJS.Dict<string | string[]>; body: string }[] = [];
  const server = createServer(async (request, response) => {
    seen.push({ url: request.url, headers: request.headers, body: await text(request) });
    if (status > 0) response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('a sample is signed and accepted, again it is a duplicate, under a fresh id it is new', async () => {
  const { env, store } = await openIngress();
  const first = await wrapup(['send', SAMPLE], env);
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(/^202 \{"status":"accepted","call_id":"0d3e1f6a-.*\} \(\d+ ms\)\n$/);
  const again = await wrapup(['send', SAMPLE, '--json'], env);
  expect(again.json()).toMatchObject({
    sent: 1,
    statuses: { 200: 1 },
    answers: [{ call_id: CALL, body: { status: 'duplicate' } }],
  });
  const fresh = await wrapup(['send', SAMPLE, '--new-id', '--times', '6', '--parallel'], env);
  expect(fresh.code).toBe(0);
  expect(fresh.stdout).toMatch(/^6 answers from .*\n {2}202 {2}6\n/);
  expect(await store.ledger.count()).toBe(7);
});

test('a payload may come from standard input, and get the id that is asked for', async () => {
  const { env, store } = await openIngress();
  const payload = JSON.stringify(samplePayload('voicemail'));
  const { code } = await wrapup(['send', '-', '--call-id', 'my-own-id'], env, payload);
  expect(code).toBe(0);
  expect(await store.ledger.read('main', 'my-own-id')).toMatchObject({ verified: 'signature' });
});

test('the path token of the source is used and not shown', async () => {
  const { env } = await openIngress({ WEBHOOK_PATH_TOKEN: 'a-token-of-the-path' });
  const sent = await wrapup(['send', SAMPLE, '--json'], env);
  expect(sent.code).toBe(0);
  expect(sent.stdout).not.toContain('a-token-of-the-path');
});

test('what ingress refuses is exit code 1, with its answer', async () => {
  const { env } = await openIngress();
  const wrong = await wrapup(['send', SAMPLE, '--secret', 'not-the-secret'], env);
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toMatch(/^401 /);
  const nothing = await wrapup(['send', '-'], env, 'this is no JSON');
  expect(nothing.code).toBe(1);
  expect(nothing.stdout).toMatch(/^400 /);
});

test('the bytes of the file are sent as they are, under the signature that Synthflow would give', async () => {
  const { seen, url } = await listen(202);
  const body = '{ "call" : {"call_id":"c-1"},\n "odd":  1.0 }';
  await wrapup(['send', '-', '--url', url, '--secret', SECRET, '--source', 'eu'], {}, body);
  expect(seen).toMatchObject([
    {
      url: '/webhooks/eu/post-call',
      body,
      headers: { 'synthflow-signature': sign('c-1', SECRET), 'content-type': 'application/json' },
    },
  ]);
});

test('one that is not there, or does not answer in time, is exit code 3', async () => {
  const { url } = await listen(0);
  const late = await wrapup(['send', SAMPLE, '--url', url, '--secret', SECRET, '--timeout', '300']);
  expect(late.code).toBe(3);
  expect(late.stderr).toContain('within 300 ms');
  const away = await wrapup(['send', SAMPLE, '--url', 'http://127.0.0.1:1', '--secret', SECRET]);
  expect(away.code).toBe(3);
  expect(away.stderr).toContain('ECONNREFUSED');
});

test('wrong use is exit code 2 and says what is right', async () => {
  const { env } = await openInstallation();
  const uses: [string[], RegExp][] = [
    [['send', '/nowhere.json'], /cannot read \/nowhere\.json \(ENOENT\)/],
    [['send', SAMPLE, '--source', 'other'], /no source "other"[\s\S]*main/],
    [['send', SAMPLE, '--url', 'localhost'], /--url must be http/],
    [['send', SAMPLE, '--times', '0'], /whole number/],
    [['send'], /missing required argument/],
    [['sned'], /Did you mean send/],
    [['send', SAMPLE, '--secert', 'x'], /Did you mean --secret/],
    [['send', '-', '--new-id'], /standard input is not JSON/],
  ];
  for (const [args, says] of uses) {
    const { code, stderr, stdout } = await wrapup(args, env, '{');
    expect([args, code, stdout]).toEqual([args, 2, '']);
    expect(stderr).toMatch(says);
  }
});

test('a file that stands where --parallel takes a number is said to stand in the wrong place', async () => {
  const { code, stderr } = await wrapup(['send', '--times', '50', '--parallel', 'samples/connected.json'], {});
  expect(code).toBe(2);
  expect(stderr).toMatch(/"samples\/connected\.json" is no number.*before --parallel: wrapup send samples/s);
});

test('a body that is not JSON is reported by line and column, and not quoted', async () => {
  const options = ['send', '-', '--secret', 's', '--new-id'];
  const text = await wrapup(options, {}, '# Dana Example\n');
  expect(text).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('standard input is not JSON: the first mistake is at line 1, column 1'),
  });
  const comma = await wrapup(options, {}, '{\n  "call": { "call_id": "x" },\n  "lead": { "name": "Dana", }\n}');
  expect(comma.stderr).toContain('line 3, column 29');
  expect(comma.stderr).not.toContain('Dana');
  expect((await wrapup(options, {}, '{"call": {"call_id": "x"')).stderr).toContain('line 1, column 25');
  expect((await wrapup(options, {}, '{"call": "x')).stderr).toContain('line 1, column 12');
});
