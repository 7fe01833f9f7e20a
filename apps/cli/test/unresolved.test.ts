import { userInfo } from 'node:os';
import { join } from 'node:path';
import { maintainIndex, runBulk, startBulk } from '@wrapup/queue';
import { expect, test } from 'vitest';
import { beginAttempt } from '../../../test/support/store.ts';
import { AMBIGUOUS, CONFIG, configFolder, DEAD, openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

test('parked and dead list what waits, newest first, and never mix', async () => {
  const { env, settle } = await openInstallation();
  await settle({ call_id: 'p-1' }, AMBIGUOUS);
  await settle({ call_id: 'd-1' }, DEAD);
  await settle(
    { call_id: 'p-2' },
    { ...AMBIGUOUS, code: 'invalid_field', reason: 'HubSpot takes no "soon" for closedate.' },
  );

  const parked = await wrapup(['parked', 'list', '--json'], env);
  expect(parked.code).toBe(0);
  expect(parked.json()).toEqual([
    expect.objectContaining({ call_id: 'p-2', code: 'invalid_field' }),
    {
      source: 'main',
      call_id: 'p-1',
      route: 'sales-calls',
      connection: 'sales',
      code: 'ambiguous_person',
      reason: AMBIGUOUS.reason,
      hint: AMBIGUOUS.hint,
      attempts: 1,
      since: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T.*Z$/),
      outcome: 'connected',
      cursor: expect.stringMatching(/^[\w-]+$/),
    },
  ]);
  const dead = await wrapup(['dead', 'list', '--json'], env);
  expect(dead.json()).toMatchObject([{ call_id: 'd-1', reason: DEAD.reason, hint: expect.stringMatching(/./) }]);
  const byWords = await wrapup(['parked', 'list', '--reason', 'ambiguous person', '--json'], env);
  expect(byWords.json()).toMatchObject([{ code: 'ambiguous_person' }]);
  const byReason = await wrapup(['parked', 'list', '--reason', 'CLOSEDATE', '--json'], env);
  expect(byReason.json()).toMatchObject([{ call_id: 'p-2' }]);

  const text = await wrapup(['parked', 'list'], env);
  expect(text.stdout).toMatch(
    /p-1 +sales-calls +1 +\d+ (?:s|min) ago +ambiguous person\n {4}Two contacts.*\n {4}Merge/,
  );
  expect(text.stdout).toMatch(/2 parked\n$/);
});

test('nothing parked is an empty array and exit code 0', async () => {
  const { env } = await openInstallation();
  expect((await wrapup(['parked', 'list', '--json'], env)).json()).toEqual([]);
  expect(await wrapup(['dead', 'list'], env)).toMatchObject({ code: 0, stdout: 'Nothing is dead.\n' });
});

test('a list that is empty for a name that the configuration does not have says so', async () => {
  const { env } = await openInstallation();
  const misspelt = await wrapup(['parked', 'list', '--route', 'sales-cals'], env);
  expect(misspelt).toMatchObject({ code: 0, stdout: 'Nothing is parked.\n' });
  expect(misspelt.stderr).toMatch(/has no route "sales-cals": did you mean sales-calls\?/);
  const calls = await wrapup(['calls', 'list', '--connection', 'x'], env);
  expect(calls.stderr).toMatch(/has no connection "x": there are: .*sales/);
  const replayed = await wrapup(['replay', '--since', '1h', '--source', 'mian'], env);
  expect(replayed.stderr).toMatch(/has no source "mian": did you mean main\?/);
  expect((await wrapup(['parked', 'list', '--route', 'sales-calls'], env)).stderr).toBe('');
});

test('a dead delivery is listed also before it is filed', async () => {
  const { env, store, route } = await openInstallation();
  const call = await route('connected', { call_id: 'd-1' });
  const ref = { ...call, route: 'sales-calls', replays: 0 };
  await beginAttempt(store, ref);
  await store.ledger.recordOutcome(ref, DEAD);
  expect((await wrapup(['dead', 'list', '--json'], env)).json()).toMatchObject([{ call_id: 'd-1' }]);
});

test('replay puts a delivery back on its way, with the attempts of its route', async () => {
  const { env, store, settle } = await openInstallation();
  await settle({ call_id: 'p-1' }, AMBIGUOUS);
  await settle({ call_id: 'p-2' }, AMBIGUOUS);
  const plan = await wrapup(['parked', 'replay', 'p-1', '--plan'], env);
  expect(plan).toMatchObject({ code: 0, stdout: 'p-1 on sales-calls would be replayed\n1 would be replayed\n' });
  expect((await store.ledger.read('main', 'p-1'))?.deliveries[0]?.state).toBe('parked');

  const replay = await wrapup(['parked', 'replay', 'p-1', '--json'], env);
  expect(replay.code).toBe(0);
  expect(replay.json()).toMatchObject({ replayed: 1, of: 1, items: [{ call_id: 'p-1', done: true }] });
  expect((await store.ledger.read('main', 'p-1'))?.deliveries[0]).toMatchObject({ state: 'queued', replays: 1 });
  const jobs = await store.queues.deliveries('sales').getJobs(['waiting', 'prioritized']);
  expect(jobs.map((job) => [job.data.call_id, job.data.replays, job.opts.attempts])).toEqual([['p-1', 1, 4]]);
  expect((await wrapup(['parked', 'list', '--json'], env)).json()).toMatchObject([{ call_id: 'p-2' }]);
});

test('replay with a mapping that has mistakes is refused: it would go by the one before', async () => {
  const { env, store, settle } = await openInstallation();
  await settle({ call_id: 'p-1' }, AMBIGUOUS);
  const broken = configFolder(CONFIG, 'extends: hubspot/call-log\nperson: { ambigous: oldest }\n');
  const replay = await wrapup(['parked', 'replay', 'p-1'], { ...env, WRAPUP_CONFIG: join(broken, 'wrapup.yaml') });
  expect(replay).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/ambigous[\s\S]*the configuration has errors/),
  });
  expect((await store.ledger.read('main', 'p-1'))?.deliveries[0]).toMatchObject({ state: 'parked', replays: 0 });
  // On a machine that has none, it goes by what the workers have.
  const none = await wrapup(['parked', 'replay', 'p-1'], { ...env, WRAPUP_CONFIG: join(broken, 'nowhere.yaml') });
  expect(none).toMatchObject({ code: 0, stdout: expect.stringContaining('1 of 1 replayed') });
});

test('replay by filter takes only what matches', async () => {
  const { env, store, settle } = await openInstallation();
  await settle({ call_id: 'd-1' }, DEAD);
  await settle({ call_id: 'd-2' }, { ...DEAD, code: 'timeout', reason: 'HubSpot did not answer in time.' });
  await settle({ call_id: 'p-1' }, AMBIGUOUS);
  const replay = await wrapup(['dead', 'replay', '--reason', 'timeout'], env);
  expect(replay).toMatchObject({ code: 0, stdout: 'd-2 on sales-calls replayed\n1 of 1 replayed\n' });
  await wrapup(['dead', 'replay', '--all'], env);
  const states = await Promise.all(['d-1', 'd-2', 'p-1'].map((id) => store.ledger.read('main', id)));
  expect(states.map((entry) => entry?.deliveries[0]?.state)).toEqual(['queued', 'queued', 'parked']);
});

test('replay of nothing in particular, and of what is not parked, are refused', async () => {
  const { env, settle } = await openInstallation();
  await settle({ call_id: 'd-1' }, DEAD);
  const nothing = await wrapup(['parked', 'replay'], env);
  expect(nothing.code).toBe(2);
  expect(nothing.stderr).toContain('--all');
  const dead = await wrapup(['parked', 'replay', 'd-1'], env);
  expect(dead.code).toBe(1);
  expect(dead.stderr).toContain('not parked: d-1');
});

test('drop needs a reason, and keeps it', async () => {
  const { env, store, settle } = await openInstallation();
  await settle({ call_id: 'p-1' }, AMBIGUOUS);
  const silent = await wrapup(['parked', 'drop', 'p-1'], env);
  expect(silent.code).toBe(2);
  expect(silent.stderr).toContain('--reason');
  const dropped = await wrapup(['parked', 'drop', 'p-1', '--reason', 'a test call'], env);
  expect(dropped).toMatchObject({ code: 0, stdout: 'p-1 on sales-calls dropped\n1 of 1 dropped\n' });
  const by = userInfo().username;
  expect((await store.ledger.read('main', 'p-1'))?.deliveries[0]).toMatchObject({
    state: 'dropped',
    code: AMBIGUOUS.code,
    reason: AMBIGUOUS.reason,
    dropped: { reason: 'a test call', by },
  });
  const shown = await wrapup(['calls', 'show', 'p-1'], env);
  expect(shown.stdout).toContain(AMBIGUOUS.reason);
  expect(shown.stdout).toContain(`by ${by}: a test call`);
  expect((await wrapup(['parked', 'list', '--json'], env)).json()).toEqual([]);
});

test('a call that never got as far as its routes is dead, and can be replayed', async () => {
  const { env, store, receive } = await openInstallation();
  await receive('connected', { call_id: 's-1' });
  const why = { code: 'mapping', reason: 'Source main is not in the configuration any more.', hint: 'Put it back.' };
  await store.ledger.stop('main', 's-1', why);
  expect((await wrapup(['dead', 'list', '--json'], env)).json()).toMatchObject([
    { call_id: 's-1', route: null, ...why },
  ]);
  const shown = await wrapup(['calls', 'show', 's-1'], env);
  expect(shown.stdout).toContain('stopped before any route');
  expect((await wrapup(['dead', 'replay', 's-1'], env)).stdout).toBe('s-1 replayed\n1 of 1 replayed\n');
  expect((await store.ledger.read('main', 's-1'))?.stopped).toBeUndefined();
});

test('written calls are delivered again by replay, with the mapping as it is now', async () => {
  const { env, store, settle, route } = await openInstallation();
  await settle({ call_id: 'w-1' }, { state: 'written', records: [], notes: [] });
  await route('connected', { call_id: 'q-1' });
  const plan = await wrapup(['replay', '--route', 'sales-calls', '--since', '1h', '--plan'], env);
  expect(plan.stdout).toContain('w-1 on sales-calls (written): would be replayed');
  expect(plan.stdout).toContain('q-1 on sales-calls (queued): is queued already');
  expect((await wrapup(['replay', 'w-1'], env)).code).toBe(0);
  expect((await store.ledger.read('main', 'w-1'))?.deliveries[0]).toMatchObject({ state: 'queued', replays: 1 });
  expect((await wrapup(['replay'], env)).code).toBe(2);
});

test('connections list shows what waits, removed connections included', async () => {
  const { env, store, settle } = await openInstallation();
  await settle({ call_id: 'p-1' }, AMBIGUOUS);
  await wrapup(['parked', 'replay', 'p-1'], env);
  const gone = { route: 'old', connection: 'gone', revision: 'r', replays: 0 } as never;
  await store.operations.enqueueDelivery({ source: 'main', call_id: 'x' }, gone, 1);
  const list = await wrapup(['connections', 'list', '--json'], env);
  expect(list.json()).toMatchObject([
    { connection: 'sales', kind: 'hubspot', state: 'running', waiting: 1, routes: ['sales-calls'] },
    { connection: 'gone', kind: null, state: 'unconfigured', waiting: 1, routes: [] },
  ]);
});

test('an unrecognised body is listed, shown and dropped', async () => {
  const { env, store, receive } = await openInstallation();
  const call = await receive('connected', { call_id: 'odd-1' });
  const why = { code: 'unrecognised', reason: 'The body has no call id.', hint: 'Look at it.' };
  const stopped = await store.ledger.parkUnrecognised(call, why);
  if (stopped) await store.operations.addUnresolvedCall(call, stopped, 1);
  const listed = await wrapup(['parked', 'list', '--json'], env);
  expect(listed.json()).toMatchObject([{ call_id: 'odd-1', route: null, code: 'unrecognised' }]);
  const shown = await wrapup(['calls', 'show', 'odd-1'], env);
  expect(shown.stdout).toMatch(/a shape that this version does not know/);
  expect(shown.stdout).toMatch(/wrapup parked replay odd-1/);
  const body = await wrapup(['calls', 'show', 'odd-1', '--payload'], env);
  expect(body.stdout).toBe(String(await store.payloads.read('main', 'odd-1', call.revision)));
  const dropped = await wrapup(['parked', 'drop', 'odd-1', '--reason', 'a test chat'], env);
  expect(dropped).toMatchObject({ code: 0 });
  expect((await wrapup(['parked', 'list', '--json'], env)).json()).toEqual([]);
});

test('list says how many there are, and goes on page by page from a cursor', async () => {
  const { env, settle } = await openInstallation();
  for (const id of ['p-1', 'p-2', 'p-3', 'p-4', 'p-5']) await settle({ call_id: id }, AMBIGUOUS);
  const found: string[] = [];
  for (let cursor: string | undefined, pages = 0; pages < 3; pages += 1) {
    const page = await wrapup(['parked', 'list', '--limit', '2', ...(cursor ? ['--cursor', cursor] : [])], env);
    found.push(...(page.stdout.match(/^p-\d/gm) ?? []));
    expect(page.stdout).toMatch(pages < 2 ? /\n2 of 5 parked\nthe next: --cursor \S+\n$/ : /\n1 of 5 parked\n$/);
    cursor = /--cursor (\S+)/.exec(page.stdout)?.[1];
    expect(cursor === undefined).toBe(pages === 2);
  }
  expect(found).toEqual(['p-5', 'p-4', 'p-3', 'p-2', 'p-1']);

  const page = await wrapup(['parked', 'list', '--limit', '2', '--json'], env);
  const items = page.json() as { call_id: string; cursor: string }[];
  expect(items.map(({ call_id }) => call_id)).toEqual(['p-5', 'p-4']);
  const rest = await wrapup(['parked', 'list', '--json', '--cursor', items[1]?.cursor ?? ''], env);
  expect(rest.json()).toMatchObject([{ call_id: 'p-3' }, { call_id: 'p-2' }, { call_id: 'p-1' }]);
  expect(await wrapup(['parked', 'list', '--cursor', 'x'], env)).toMatchObject({ code: 2 });
});

test('list --json without a limit is the whole list, however long', async () => {
  const { env, store, settle } = await openInstallation();
  await Promise.all(Array.from({ length: 260 }, (_, index) => settle({ call_id: `p-${index}` }, AMBIGUOUS)));
  const items = (await wrapup(['parked', 'list', '--json'], env)).json() as { call_id: string }[];
  expect(new Set(items.map(({ call_id }) => call_id)).size).toBe(260);
  expect((await wrapup(['parked', 'list'], env)).stdout).toContain('\n50 of 260 parked\n');
  expect(await store.unresolved.count('parked')).toBe(260);
});

test('what an earlier version left is said to be missing until a worker has indexed it', async () => {
  const { env, store, settle } = await openInstallation();
  await settle({ call_id: 'p-1' }, AMBIGUOUS);
  await store.redis.del(...(await store.redis.keys(`${store.keys.unresolved}*`)));
  const before = await wrapup(['parked', 'list'], env);
  expect(before).toMatchObject({ stdout: 'Nothing is parked.\n', stderr: expect.stringMatching(/1 .*not listed yet/) });
  await maintainIndex(store, { before: 0 });
  const after = await wrapup(['parked', 'list'], env);
  expect(after).toMatchObject({ stdout: expect.stringContaining('1 parked'), stderr: '' });
});

test('a replay of many that was interrupted is gone on with, and says the whole sum', async () => {
  const { env, store, settle } = await openInstallation();
  const ids = Array.from({ length: 230 }, (_, index) => `p-${index}`);
  await Promise.all(ids.map((id) => settle({ call_id: id }, AMBIGUOUS)));
  const run = await startBulk(store, { state: 'parked', action: 'replay', filter: {} });
  let seen = 0;
  const onItem = () => {
    seen += 1;
    if (seen === 210) throw new Error('killed');
  };
  await expect(runBulk(store, run.id, { attempts: () => 4, onItem })).rejects.toThrow('killed');
  await settle({ call_id: 'late' }, AMBIGUOUS);

  expect((await wrapup(['parked', 'replay', '--resume', '--all'], env)).code).toBe(2);
  expect((await wrapup(['dead', 'replay', '--resume'], env)).stderr).toContain('no replay of what is dead');
  const resumed = await wrapup(['parked', 'replay', '--resume', '--json'], env);
  expect(resumed.json()).toMatchObject({ replayed: 230, of: 230, run: run.id });
  const entries = await Promise.all(ids.map((id) => store.ledger.read('main', id)));
  expect(new Set(entries.map((entry) => entry?.deliveries[0]?.replays))).toEqual(new Set([1]));
  expect((await store.ledger.read('main', 'late'))?.deliveries[0]).toMatchObject({ state: 'parked' });
  expect((await wrapup(['parked', 'replay', '--resume'], env)).code).toBe(1);
});

test('another replay names the one that was interrupted', async () => {
  const { env, store, settle } = await openInstallation();
  await settle({ call_id: 'p-1' }, AMBIGUOUS);
  await settle({ call_id: 'p-2' }, { ...AMBIGUOUS, code: 'refused' });
  const run = await startBulk(store, { state: 'parked', action: 'replay', filter: {} });
  const stop = new AbortController();
  stop.abort();
  await runBulk(store, run.id, { attempts: () => 4, signal: stop.signal });
  const other = await wrapup(['parked', 'replay', '--reason', 'refused'], env);
  expect(other.stderr).toContain(`parked replay --resume ${run.id}`);
  expect(other.stdout).toBe('p-2 on sales-calls replayed\n1 of 1 replayed\n');
});

test('drop by code and time gives up those and no others', async () => {
  const { env, store, settle } = await openInstallation();
  await settle({ call_id: 'p-1' }, AMBIGUOUS);
  await settle({ call_id: 'p-2' }, { ...AMBIGUOUS, code: 'refused', reason: 'r' });
  const early = await wrapup(['parked', 'drop', '--code', 'refused', '--until', '1h', '--reason', 'a test'], env);
  expect(early.stdout).toBe('0 of 0 dropped\n');
  const dropped = await wrapup(['parked', 'drop', '--code', 'refused', '--since', '1h', '--reason', 'a test'], env);
  expect(dropped).toMatchObject({ code: 0, stdout: 'p-2 on sales-calls dropped\n1 of 1 dropped\n' });
  expect((await store.ledger.read('main', 'p-2'))?.deliveries[0]).toMatchObject({ dropped: { reason: 'a test' } });
  expect((await wrapup(['parked', 'list', '--json'], env)).json()).toMatchObject([{ call_id: 'p-1' }]);
});

test('an ambiguous caller is decided for all that are parked for the same number, which are listed before', async () => {
  const { env, store, settle } = await openInstallation();
  const ambiguous = { by: 'phone' as const, digest: 'n-1' };
  for (const call_id of ['n-1', 'n-2', 'n-3'])
    await settle({ call_id }, { ...AMBIGUOUS, candidates: ['101', call_id === 'n-3' ? '109' : '102'], ambiguous });
  await settle({ call_id: 'said' }, { ...AMBIGUOUS, candidates: ['101', '102'] });
  const choose = (id: string, ...more: string[]) =>
    wrapup(['parked', 'choose', id, '--person', '102', '--alike', ...more], env);
  const plan = await choose('n-1', '--plan');
  expect(plan).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^(n-\d on sales-calls would be replayed\n){3}/),
  });
  expect(await choose('said')).toMatchObject({ code: 1, stderr: expect.stringContaining('was only said') });
  const done = await choose('n-1');
  expect(done.stdout).toContain('n-3 on sales-calls could not be replayed: the person is none of its candidates');
  expect(done).toMatchObject({ code: 1, stdout: expect.stringMatching(/2 of 3 replayed\n$/) });
  const states = ['n-1', 'n-2', 'n-3', 'said'].map(async (id) => (await store.ledger.read('main', id))?.deliveries[0]);
  expect(await Promise.all(states)).toMatchObject([
    ...[{ state: 'queued', chosen: { person: '102', by: userInfo().username } }],
    ...[{ state: 'queued', chosen: { person: '102' } }, { state: 'parked' }, { state: 'parked' }],
  ]);
});
