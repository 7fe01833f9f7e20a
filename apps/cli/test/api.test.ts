/** Commands with `--api`: the same, without a Redis of their own. */
import type { LoginRole } from '@wrapup/config';
import { expect, onTestFinished, test } from 'vitest';
import { parked, startDashboard } from '../../dashboard/test/support/harness.ts';
import { wrapup } from './support/run.ts';

async function open(role: LoginRole = 'admin') {
  const dashboard = await startDashboard();
  onTestFinished(() => dashboard.close());
  const given = { name: 'night shift', role, expires_at: Date.now() + 60_000 };
  const { text } = await dashboard.store.tokens.add(given, { name: 'ada' });
  // Nothing answers at this address: a command that asks Redis fails.
  const env = { REDIS_URL: 'redis://127.0.0.1:9', WRAPUP_API_TOKEN: text };
  const run = (...args: string[]) => wrapup([...args, '--api', dashboard.url], env);
  return { dashboard, env, run };
}

test('lists and shows calls, and what is parked and dead', async () => {
  const { dashboard, run } = await open();
  const id = await dashboard.seed(parked({ candidates: ['101'] }));
  const list = await run('calls', 'list');
  expect(list).toMatchObject({ code: 0, stderr: '' });
  expect(list.stdout).toMatch(new RegExp(`main +${id} +connected +sales-calls: parked \\(ambiguous_person\\)`));
  expect((await run('calls', 'list', '--json')).json()).toMatchObject([
    { call_id: id, deliveries: [{ state: 'parked' }] },
  ]);
  const shown = await run('calls', 'show', id);
  expect(shown.stdout).toContain('Two contacts match.');
  expect(shown.stdout).toContain('Merge them.');
  expect(await run('calls', 'show', 'none')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no call none'),
  });
  expect((await run('parked', 'list')).stdout).toContain('Two contacts match.');
  expect((await run('dead', 'list')).stdout).toBe('Nothing is dead.\n');
});

test('replays and drops, by call id and by filter, in the name of the token', async () => {
  const { dashboard, run } = await open('operator');
  const [first, second] = [await dashboard.seed(parked()), await dashboard.seed(parked())];
  for (let n = 0; n < 3; n += 1) await dashboard.seed(parked({ code: 'invalid_field' }));
  expect((await run('parked', 'replay', '--reason', 'invalid_field', '--plan')).stdout).toBe('3 would be replayed\n');
  expect((await run('parked', 'replay', '--reason', 'invalid_field', '--json')).json()).toMatchObject({
    replayed: 3,
    of: 3,
  });
  expect(await run('parked', 'drop', second, '--reason', 'a test call')).toMatchObject({ code: 0 });
  expect(await dashboard.delivery(second)).toMatchObject({
    state: 'dropped',
    code: 'ambiguous_person',
    dropped: { by: 'night shift' },
  });
  expect(await run('parked', 'replay', second)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`not parked: ${second}`),
  });
  expect(await run('parked', 'replay')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Nothing says which.'),
  });
  expect(await run('parked', 'replay', '--all')).toMatchObject({ code: 0, stdout: '1 of 1 replayed\n' });
  expect((await dashboard.delivery(first)).state).toBe('queued');
  // Its role does not reach the audit.
  expect(await run('audit')).toMatchObject({ code: 1, stderr: expect.stringContaining('The role of this token') });
});

test('says whom an ambiguous call is about, and all of the same number', async () => {
  const { dashboard, run } = await open('operator');
  const ambiguous = { by: 'phone' as const, digest: 'n-1' };
  const twins = () => dashboard.seed(parked({ candidates: ['101', '102'], ambiguous }));
  const [first, second, third] = [await twins(), await twins(), await twins()];
  const one = await run('parked', 'choose', first, '--person', '101');
  expect(one).toMatchObject({ code: 0, stdout: `${first} on sales-calls is about 101, and on its way again\n` });
  expect(await dashboard.delivery(first)).toMatchObject({ state: 'queued', chosen: { by: 'night shift' } });
  const person = ['--person', '102', '--alike'];
  expect((await run('parked', 'choose', second, ...person, '--plan')).stdout).toBe('2 would be replayed\n');
  expect((await run('parked', 'choose', second, ...person, '--json')).json()).toMatchObject({ replayed: 2, of: 2 });
  for (const id of [second, third])
    expect(await dashboard.delivery(id)).toMatchObject({ state: 'queued', chosen: { person: '102' } });
  expect(await run('parked', 'choose', second, '--person', '102')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('not parked for having several candidates'),
  });
});

test('pauses, resumes and lists what the installation has', async () => {
  const { dashboard, run } = await open();
  expect((await run('connections', 'pause', 'sales', '--reason', 'moving')).stdout).toContain(
    'sales is paused: 0 deliveries wait',
  );
  expect((await run('connections', 'list')).stdout).toMatch(
    /sales +hubspot +paused[\s\S]*paused by night shift: moving/,
  );
  expect((await run('connections', 'resume', 'sales')).stdout).toContain('sales is resumed');
  expect(await run('connections', 'pause', 'none')).toMatchObject({ code: 1 });
  expect((await run('client', 'list')).stdout).toBe('No clients.\n');
  expect((await run('omissions')).stdout).toBe('Nothing was left out.\n');
  const entries = (await run('audit', '--json')).stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(entries.filter(({ via }) => via === 'API')).toMatchObject([
    { action: 'pause', by: 'night shift', from: '127.0.0.1', connection: 'sales' },
    { action: 'resume', by: 'night shift' },
  ]);
  expect((await run('audit', '--action', 'pause')).stdout).toMatch(
    /night shift +API, 127.0.0.1 +pause +connection sales, reason: moving/,
  );
  expect(dashboard.logged()).not.toContain('wrong token');
});

test('says what it cannot do', async () => {
  const { dashboard, env, run } = await open();
  expect(await run('forget', 'c-1')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/wrapup forget does not go through the API\n.*calls list/),
  });
  expect(await run('calls', 'show', 'x', '--payload')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no payload'),
  });
  expect(await run('parked', 'replay', '--resume')).toMatchObject({ code: 2 });
  const without = await wrapup(['calls', 'list', '--api', dashboard.url], { REDIS_URL: env.REDIS_URL });
  expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining('WRAPUP_API_TOKEN is not set') });
  const wrong = { ...env, WRAPUP_API_TOKEN: 'wrapup_nonsense' };
  expect(await wrapup(['calls', 'list', '--api', dashboard.url], wrong)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The token is unknown, expired or revoked'),
  });
  expect(await wrapup(['calls', 'list', '--api', 'http://127.0.0.1:9'], env)).toMatchObject({ code: 3 });
  expect(await wrapup(['calls', 'list', '--api', 'ftp://x'], env)).toMatchObject({ code: 2 });
});
