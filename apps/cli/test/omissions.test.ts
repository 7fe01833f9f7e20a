import { join } from 'node:path';
import type { Omission } from '@wrapup/destination';
import { expect, test } from 'vitest';
import { CONFIG, configFolder, openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const omission: Omission = {
  ...{ code: 'unknown_option', record: 'person', field: 'purchase_timeline' },
  reason: 'update contacts: the value is not among the property’s options.',
  hint: 'Add the option in HubSpot; then replay.',
  at: { file: 'mappings/hubspot.yaml', line: 18, column: 5 },
};
const written = (notes: Omission[]) => ({ state: 'written' as const, records: [], requests: 1, notes });

test('lists what was left out by line and reason, and replays the calls that lack it', async () => {
  const { env, store, settle } = await openInstallation();
  for (const call_id of ['c-1', 'c-2']) await settle({ call_id }, written([omission]));
  await settle({ call_id: 'c-3' }, written([]));

  const listed = await wrapup(['omissions', '--json'], env);
  expect(listed.code).toBe(0);
  const { lines, never } = listed.json() as { lines: { id: string }[]; never: unknown[] };
  expect([lines, never]).toMatchObject([
    [{ ...omission, connection: 'sales', calls: 2, open: 2, latest: [{ call_id: 'c-2' }, { call_id: 'c-1' }] }],
    [],
  ]);
  const id = lines[0]?.id ?? '';
  const text = await wrapup(['omissions', '--since', '1h'], { ...env, WRAPUP_COMMAND: 'npm run wrapup --' });
  expect(text.stdout).toMatch(
    new RegExp(
      `${id} +sales +2 +2 +\\d+ s ago +person\\.purchase_timeline \\(mappings/hubspot\\.yaml:18\\)\\n +unknown_option: .*\\n +Add the option.*\\n +last: c-2, c-1\\n1 line`,
    ),
  );
  // Of a misspelt connection nothing was left out, which is no answer.
  for (const command of [['omissions'], ['omissions', 'replay', id]])
    expect(await wrapup([...command, '--connection', 'salse'], env)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/there is no connection salse\n {2}did you mean sales\? there are: sales/),
    });

  const replay = await wrapup(['omissions', 'replay', id, '--json'], env);
  expect(replay).toMatchObject({ code: 0 });
  expect(replay.json()).toMatchObject({ plan: false, line: id, replayed: 2, of: 2, more: false });
  for (const call_id of ['c-1', 'c-2'])
    expect((await store.ledger.read('main', call_id))?.deliveries[0]).toMatchObject({ state: 'queued', replays: 1 });
  expect((await store.ledger.read('main', 'c-3'))?.deliveries[0]).toMatchObject({ state: 'written' });
  const again = await wrapup(['omissions', 'replay', id], env);
  expect(again).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(
      /c-1 on sales-calls: is queued already, or was dropped, and stays so\n0 of 2 deliveries replayed\n$/,
    ),
  });

  expect(await wrapup(['omissions', 'replay', '0123456789'], env)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/there is no line 0123456789/),
  });
});

test('names paths that no call brings, and how often each line of a mapping was filled', async () => {
  const { env, store } = await openInstallation();
  expect((await wrapup(['omissions'], env)).stdout).toBe('Nothing was left out.\n');
  const key = `${store.keys.omissions}sales:fields:sales-calls:${Math.floor(Date.now() / 86_400_000)}`;
  await store.redis.hset(key, { 'f:call_log.hs_call_title': 7, 'a:call_log.hs_call_title': 2 });
  const { fields } = (await wrapup(['omissions', '--fields', '--json'], env)).json() as { fields: object[] };
  expect(fields).toContainEqual(
    expect.objectContaining({ property: 'hs_call_title', filled: 7, absent: 2, lost: 0, route: 'sales-calls' }),
  );
  const text = await wrapup(['omissions', '--fields'], env);
  expect(text.stdout).toMatch(/call_log\.hs_call_title +7 +2 +0 +sales-calls +preset hubspot\/call-log:\d+/);
});

test('a line whose adapter says no hint has the one of its code, in JSON as in the text', async () => {
  const { env, settle } = await openInstallation();
  const { hint: _, ...bare } = omission;
  await settle({ call_id: 'c-1' }, written([{ ...bare, code: 'unreadable_number' }]));
  const { lines } = (await wrapup(['omissions', '--json'], env)).json() as { lines: { hint: string }[] };
  expect(lines.map(({ hint }) => hint)).toEqual([expect.stringMatching(/^Correct the line of the mapping/)]);
});

test('a plan asks the CRM and replays nothing', async () => {
  const { env, store, settle } = await openInstallation();
  await settle({ call_id: 'c-1' }, written([omission]));
  const [line] = await store.omissions.list({ connections: ['sales'] });
  const plan = await wrapup(['omissions', 'replay', line?.id ?? '', '--plan', '--json'], env);
  // No CRM listens there: the answer says so, and nothing has moved.
  expect(plan.json()).toMatchObject({
    plan: true,
    of: 1,
    items: [{ call_id: 'c-1', preview: { error: expect.any(String) } }],
  });
  expect((await store.ledger.read('main', 'c-1'))?.deliveries[0]).toMatchObject({ state: 'written', replays: 0 });
});

test('a plan says of each delivery what a replay would make of it', async () => {
  const { env, store, settle } = await openInstallation();
  for (const call_id of ['c-1', 'c-2']) await settle({ call_id }, written([omission]));
  const gone = await settle({ call_id: 'c-3' }, written([omission]));
  await store.payloads.remove('main', 'c-3', [gone.revision]);
  const [{ id = '' } = {}] = await store.omissions.list({ connections: ['sales'] });
  await store.operations.replay('main', 'c-2', 'sales-calls', { attempts: 1, from: ['written'] });
  const plan = await wrapup(['omissions', 'replay', id, '--plan'], env);
  expect(plan.stdout).toMatch(/^c-1 on sales-calls: would be replayed; the CRM could not be asked/m);
  expect(plan.stdout).toMatch(/^c-2 on sales-calls: is queued already$/m);
  expect(plan.stdout).toMatch(/^c-3 on sales-calls: its payload has expired/m);
  expect(plan.stdout).toMatch(/3 deliveries\n$/);
  // A replay leaves alone what a person gave up, and the plan says so.
  await store.operations.drop('main', 'c-2', 'sales-calls', { reason: 'not wanted' });
  const without = await wrapup(['omissions', 'replay', id, '--plan'], env);
  expect(without.stdout).toMatch(/^c-2 on sales-calls: was dropped, and stays so$/m);
  const replay = await wrapup(['omissions', 'replay', id], env);
  expect(replay.stdout).toMatch(/^c-2 on sales-calls: is queued already, or was dropped, and stays so$/m);
  expect((await store.ledger.read('main', 'c-2'))?.deliveries[0]).toMatchObject({ state: 'dropped' });
});

test('a plan does not call a delivery expired whose route is gone', async () => {
  const { env, store, settle } = await openInstallation();
  await settle({ call_id: 'c-1' }, written([omission]));
  const [{ id = '' } = {}] = await store.omissions.list({ connections: ['sales'] });
  const WRAPUP_CONFIG = join(configFolder(CONFIG.replace('sales-calls', 'other-calls')), 'wrapup.yaml');
  const plan = await wrapup(['omissions', 'replay', id, '--plan'], { ...env, WRAPUP_CONFIG });
  expect(plan.stdout).toBe('c-1 on sales-calls: would be replayed\n1 delivery\n');
});
