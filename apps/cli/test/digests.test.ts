import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lastPeriod } from '@wrapup/queue';
import { expect, onTestFinished, test } from 'vitest';
import { openEndpoint, status } from '../../../packages/http/test/support/endpoint.ts';
import { seedDemoCalls } from '../../../test/support/demo-calls.ts';
import { openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const WEEK = { every: 'week', at: 0, time_zone: 'UTC' } as const;

async function open() {
  const { env, store } = await openInstallation();
  const endpoint = await openEndpoint();
  onTestFinished(() => endpoint.close());
  const file = join(dirname(env.WRAPUP_CONFIG as string), 'wrapup.yaml');
  writeFileSync(
    file,
    `sources:
  main: { webhook_secrets: [3f8c12a94d6b4077fe8c12a94d6b4077], agents: { agent-a: { name: Alice } } }
connections:
  sales: { kind: hubspot, access_token: pat-na1-test, base_url: "http://127.0.0.1:9" }
  chat: { kind: http, url: "${endpoint.url}/hook", allow_private: true }
routes:
  - { name: sales-calls, to: sales, mapping: mappings/hubspot.yaml }
digests:
  - { name: monday, to: chat, time_zone: Europe/Berlin }
`,
  );
  return { env: { ...env, WRAPUP_CONFIG: file, DASHBOARD_URL: 'https://wrapup.example.com/' }, store, endpoint };
}

test('prints a week, with links to the calls behind its numbers', async () => {
  const { env, store } = await open();
  const period = lastPeriod(WEEK, Date.now());
  await seedDemoCalls(store, {
    ...{ calls: 80, until: period.until - 1000, agents: ['agent-a', 'agent-b'], people: ['101'] },
    route: { route: 'sales-calls', connection: 'sales' },
  });
  const shown = await wrapup(['digests', 'show', 'monday', '--period', period.name], env);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  const lines = shown.stdout.split('\n');
  expect(lines[0]).toMatch(/^Week \d+, /);
  expect(lines[1]).toMatch(/^\d+ calls, \d+ % reached a person \(the week before: none\)\./);
  expect(shown.stdout).toMatch(/^Outcomes: connected \d+, /m);
  expect(shown.stdout).toMatch(/^Alice: \d+ calls, \d+ % reached$/m);
  expect(shown.stdout).toMatch(/^https:\/\/wrapup\.example\.com\/\?from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d$/m);
  const { stopped } = (await wrapup(['digests', 'show', 'monday', '--period', period.name, '--json'], env)).json() as {
    stopped: { link: string }[];
  };
  expect(stopped[0]?.link).toMatch(/^https:\/\/wrapup\.example\.com\/calls\?from=.*&state=(parked|dead)&code=\w+$/);
  // One that is not configured, of a day.
  const day = await wrapup(['digests', 'show', '--every', 'day', '--json'], env);
  expect(day.json()).toMatchObject({ every: 'day', time_zone: 'UTC' });
});

test('sends one as a test, and says what became of those that were due', async () => {
  const { env, store, endpoint } = await open();
  expect(await wrapup(['digests', 'send', 'monday'], env)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^digest monday of \d{4}-W\d\d was sent to chat\n$/),
  });
  await wrapup(['digests', 'send', 'monday'], env);
  const ids = endpoint.received.map(({ headers }) => headers['webhook-id']);
  expect(new Set(ids).size).toBe(2);
  expect(endpoint.received[0]?.body).toMatchObject({ type: 'digest.week', data: { vars: { name: 'monday' } } });
  // A test is none of those that are due.
  const none = await wrapup(['digests'], env);
  expect(none).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/monday +all +chat +week +08:00 Europe\/Berlin +none was due yet/),
  });

  const failed = { period: '2026-W47', state: 'failed', at: Date.now(), attempts: 16, code: 'unavailable' } as const;
  await store.digests.note('monday', { ...failed, reason: 'hooks.example.com answered 503.' });
  const listed = await wrapup(['digests'], env);
  expect(listed).toMatchObject({ code: 1, stdout: expect.stringMatching(/2026-W47 failed \d+ s ago/) });
  expect(listed.stdout).toContain('monday: hooks.example.com answered 503. [unavailable]');

  endpoint.answers(status(404));
  expect(await wrapup(['digests', 'send', 'monday'], env)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('answered 404'),
  });
});

test.each([
  [['digests', 'send', 'munday'], /there is no digest munday\n.*there are: monday/],
  [
    ['digests', 'show', 'monday', '--period', '2026-11'],
    /2026-11 is no week that is over\n.*write one such as \d{4}-W\d\d/,
  ],
  [['digests', 'show', '--time-zone', 'Mars/Base'], /IANA name of a time zone/],
])('refuses %s', async (command, says) => {
  const { env } = await open();
  expect(await wrapup(command, env)).toMatchObject({ code: 2, stderr: expect.stringMatching(says) });
});
