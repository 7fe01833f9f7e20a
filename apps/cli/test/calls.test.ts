import { expect, test } from 'vitest';
import { AMBIGUOUS, DEAD, openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

test('calls list shows the latest first, by state when asked', async () => {
  const { env, receive, settle, route } = await openInstallation();
  await receive('connected', { call_id: 'c-new' });
  await settle({ call_id: 'c-parked' }, AMBIGUOUS);
  await route('voicemail', { call_id: 'c-queued' });

  const all = await wrapup(['calls', 'list'], env);
  expect(all.code).toBe(0);
  const lines = all.stdout.trim().split('\n');
  expect(lines[0]).toMatch(/^RECEIVED\s+SOURCE\s+CALL\s+OUTCOME\s+ROUTES$/);
  expect(lines.slice(1).map((line) => line.split(/\s{2,}/)[2])).toEqual(['c-queued', 'c-parked', 'c-new']);
  expect(lines[2]).toMatch(/main\s+c-parked\s+connected\s+sales-calls: parked \(ambiguous_person\)$/);

  const parked = await wrapup(['calls', 'list', '--state', 'parked', '--json'], env);
  expect(parked.json()).toMatchObject([{ call_id: 'c-parked', deliveries: [{ state: 'parked' }] }]);
  const received = await wrapup(['calls', 'list', '--state', 'received', '--json'], env);
  expect(received.json()).toMatchObject([{ call_id: 'c-new', routed: false }]);
  const limited = await wrapup(['--json', 'calls', 'list', '--limit', '1', '--since', '1h'], env);
  expect(limited.json()).toMatchObject([{ call_id: 'c-queued' }]);
});

test('calls list goes on behind a call from its cursor', async () => {
  const { env, receive } = await openInstallation();
  for (const id of ['c-1', 'c-2', 'c-3']) await receive('connected', { call_id: id });
  const [first] = (await wrapup(['calls', 'list', '--limit', '1', '--json'], env)).json() as { cursor: string }[];
  await receive('connected', { call_id: 'c-4' });
  const rest = await wrapup(['calls', 'list', '--cursor', first?.cursor ?? ''], env);
  expect(rest.stdout.match(/c-\d/g)).toEqual(['c-2', 'c-1']);
  const page = await wrapup(['calls', 'list', '--limit', '3'], env);
  const cursor = /\nolder ones: --cursor (\S+)\n$/.exec(page.stdout)?.[1] ?? '';
  expect((await wrapup(['calls', 'list', '--cursor', cursor], env)).stdout.match(/c-\d/g)).toEqual(['c-1']);
  expect(await wrapup(['calls', 'list', '--cursor', 'x'], env)).toMatchObject({ code: 2 });
});

test('calls show explains what was written, with links', async () => {
  const { env, settle } = await openInstallation();
  await settle(
    { call_id: 'c-1' },
    {
      state: 'written',
      requests: 3,
      notes: ['budget was left out'],
      records: [
        {
          name: 'person',
          object: 'contacts',
          id: '101',
          did: 'created',
          url: 'https://app.hubspot.com/c/1/record/0-1/101',
        },
        { name: 'call_log', object: 'calls', id: '201', did: 'created' },
      ],
    },
  );
  const shown = await wrapup(['calls', 'show', 'c-1'], env);
  expect(shown.code).toBe(0);
  for (const part of [
    /^call c-1 of source main: completed, outcome connected$/m,
    /received {2}\d{4}-.*Z \(\d+ s ago\) by webhook/,
    /verified {2}signature verified/,
    /revision {2}[0-9a-f]{12} at .*: applied/,
    /^route sales-calls to sales: written since/m,
    /spent {5}1 attempt, 3 requests, mapping abc123/,
    /record {4}person: contacts 101 created {2}https:\/\/app\.hubspot\.com/,
    /record {4}call_log: calls 201 created/,
    /note {6}budget was left out/,
    /Nothing to do\./,
  ]) {
    expect(shown.stdout).toMatch(part);
  }
});

test('calls show --json has each request that the last attempt took', async () => {
  const { env, settle, store } = await openInstallation();
  await settle({ call_id: 'c-1' }, { state: 'written' });
  const { received_at = 0 } = (await store.ledger.read('main', 'c-1')) ?? {};
  const [queued, taken, planned, sent] = [5, 10, 12, 20].map((ms) => received_at + ms) as [
    number,
    number,
    number,
    number,
  ];
  const request = { at: sent + 1, name: 'create 1 calls', result: 'ok' as const, waited: 2, took: 30, status: 201 };
  const delivery = { source: 'main', call_id: 'c-1', route: 'sales-calls', received_at, queued, taken, planned };
  await store.timings.note([delivery], { sent, requests: [request] }, () => 7);
  const shown = (await wrapup(['calls', 'show', 'c-1', '--json'], env)).json() as { deliveries: { timing: unknown }[] };
  expect(shown.deliveries[0]?.timing).toEqual({
    ...{ queued: new Date(queued).toISOString(), taken: new Date(taken).toISOString() },
    ...{
      planned: new Date(planned).toISOString(),
      sent: new Date(sent).toISOString(),
      batch_size: 1,
      more_requests: 0,
    },
    requests: [{ ...request, at: new Date(sent + 1).toISOString() }],
  });
});

test('calls show says why a call stopped and what to do', async () => {
  const { env, settle } = await openInstallation();
  const left = { name: 'call_log', object: 'calls', id: '17', did: 'created' as const };
  await settle({ call_id: 'c-1' }, { ...AMBIGUOUS, records: [left] });
  await settle({ call_id: 'c-2' }, DEAD);
  const parked = await wrapup(['calls', 'show', 'c-1'], env);
  // What it wrote all the same.
  expect(parked.stdout).toMatch(/record {4}call_log: calls 17 created/);
  expect(parked.stdout).toMatch(/reason {4}Two contacts have this number.* \[ambiguous_person\]/);
  expect(parked.stdout).toMatch(
    /next {6}Merge the two in HubSpot\. Then: wrapup parked replay c-1 --route sales-calls/,
  );
  const dead = await wrapup(['calls', 'show', 'c-2', '--json'], env);
  expect(dead.json()).toMatchObject({
    call_id: 'c-2',
    deliveries: [{ state: 'dead', code: 'unavailable', hint: expect.stringContaining('wrapup doctor') }],
  });
});

test('an unknown call is an error, and an id in two sources needs --source', async () => {
  const { env, route } = await openInstallation();
  const unknown = await wrapup(['calls', 'show', 'nobody'], env);
  expect(unknown).toMatchObject({ code: 1, stdout: '' });
  expect(unknown.stderr).toContain('the ledger has no call nobody');
  await route('connected', { call_id: 'c:1*' }, 'main');
  await route('connected', { call_id: 'c:1*' }, 'other');
  const twice = await wrapup(['calls', 'show', 'c:1*'], env);
  expect(twice.code).toBe(2);
  expect(twice.stderr).toContain('main, other');
  const one = await wrapup(['calls', 'show', 'c:1*', '--source', 'other', '--json'], env);
  expect(one.json()).toMatchObject({ source: 'other', call_id: 'c:1*' });
});

test('control characters from outside never reach the terminal', async () => {
  const { env, settle } = await openInstallation();
  const nasty = 'a\u001b[2Jb\u202ec\u0007d\u009b31me\r\nf';
  await settle({ call_id: 'c-1' }, { ...AMBIGUOUS, reason: nasty, hint: nasty });
  for (const args of [
    ['calls', 'show', 'c-1'],
    ['calls', 'show', 'c-1', '--json'],
    ['parked', 'list'],
    ['parked', 'list', '--json'],
  ]) {
    const { stdout, code } = await wrapup(args, env);
    expect(code).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
});

test('a Redis that does not answer is exit code 3', async () => {
  const { code, stderr } = await wrapup(['calls', 'list'], { REDIS_URL: 'redis://:hush@127.0.0.1:1' });
  expect(code).toBe(3);
  expect(stderr).toContain('Redis at 127.0.0.1:1 does not answer');
  expect(stderr).not.toContain('hush');
});
