import { join } from 'node:path';
import { expect, test } from 'vitest';
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
  const byReason = await wrapup(['parked', 'list', '--reason', 'CLOSEDATE', '--json'], env);
  expect(byReason.json()).toMatchObject([{ call_id: 'p-2' }]);

  const text = await wrapup(['parked', 'list'], env);
  expect(text.stdout).toMatch(/p-1 +sales-calls +1 +\d+ s ago +ambiguous_person\n {4}Two contacts.*\n {4}Merge/);
  expect(text.stdout).toMatch(/2 parked\n$/);
});

test('nothing parked is an empty array and exit code 0', async () => {
  const { env } = await openInstallation();
  expect((await wrapup(['parked', 'list', '--json'], env)).json()).toEqual([]);
  expect(await wrapup(['dead', 'list'], env)).toMatchObject({ code: 0, stdout: 'Nothing is dead.\n' });
});

test('a dead delivery is listed also before it is filed', async () => {
  const { env, store, route } = await openInstallation();
  const call = await route('connected', { call_id: 'd-1' });
  const ref = { ...call, route: 'sales-calls', replays: 0 };
  await store.ledger.begin(ref);
  await store.ledger.settle(ref, DEAD);
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
  expect((await store.ledger.read('main', 'p-1'))?.deliveries[0]).toMatchObject({
    state: 'dropped',
    reason: 'a test call',
  });
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
  expect(plan.stdout).toContain('q-1 on sales-calls (queued): is on its way already');
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

test('a body that nobody can read is listed, looked at, and given up', async () => {
  const { env, store, receive } = await openInstallation();
  const call = await receive('connected', { call_id: 'odd-1' });
  const why = { code: 'unrecognised', reason: 'The body has no call id.', hint: 'Look at it.' };
  const stopped = await store.ledger.parkUnrecognised(call, why);
  if (stopped) await store.operations.fileCall(call, stopped, 1);
  const listed = await wrapup(['parked', 'list', '--json'], env);
  expect(listed.json()).toMatchObject([{ call_id: 'odd-1', route: null, code: 'unrecognised' }]);
  const shown = await wrapup(['calls', 'show', 'odd-1'], env);
  expect(shown.stdout).toMatch(/in a shape that nobody knows/);
  expect(shown.stdout).toMatch(/wrapup parked replay odd-1/);
  const body = await wrapup(['calls', 'show', 'odd-1', '--payload'], env);
  expect(body.stdout).toBe(String(await store.payloads.read('main', 'odd-1', call.revision)));
  const dropped = await wrapup(['parked', 'drop', 'odd-1', '--reason', 'a test chat'], env);
  expect(dropped).toMatchObject({ code: 0 });
  expect((await wrapup(['parked', 'list', '--json'], env)).json()).toEqual([]);
});
