/** Two clients, one of which has mistakes in its file, and calls of a third that has none any more. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { AMBIGUOUS, openInstallation, SECRET } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const CALLER = '+14155550142';
const fileOf = (secret: string) => `sources:
  main: { webhook_secrets: [${secret}], path_token: fe8c12a94d6b4077fe8c12a94d6b4077, default_country: US }
connections:
  sales: { kind: hubspot, access_token: pat-na1-test, base_url: "http://127.0.0.1:9" }
routes:
  - { name: sales-calls, to: sales, mapping: mappings/hubspot.yaml, retries: { attempts: 4 } }
`;

async function openAgency() {
  const { env, store, ...installation } = await openInstallation();
  const folder = dirname(env.WRAPUP_CONFIG as string);
  mkdirSync(join(folder, 'clients'));
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write('wrapup.yaml', 'retention: { delivered: 3d }\n');
  write('clients/acme.yaml', fileOf(SECRET));
  write('clients/bolt.yaml', fileOf(`7${SECRET.slice(1)}`));
  const run = (...args: string[]) => wrapup(args, env);
  const idsOf = async (...args: string[]) =>
    ((await run(...args, '--json')).json() as { source: string; call_id: string }[]).map(
      ({ source, call_id }) => `${source} ${call_id}`,
    );
  return { ...installation, store, env, folder, write, run, idsOf };
}

test('lists are of one client, by its name, by a full name, or by a name of its file', async () => {
  const { receive, settle, idsOf } = await openAgency();
  await receive('connected', { call_id: 'c-1' }, 'acme.main');
  await receive('connected', { call_id: 'c-1' }, 'bolt.main');
  await settle({ call_id: 'p-1' }, AMBIGUOUS, 'acme.main');
  await settle({ call_id: 'p-1' }, AMBIGUOUS, 'gone.main');
  expect(await idsOf('calls', 'list', '--client', 'acme')).toEqual(['acme.main p-1', 'acme.main c-1']);
  expect(await idsOf('calls', 'list', '--source', 'acme.main')).toEqual(['acme.main p-1', 'acme.main c-1']);
  expect(await idsOf('calls', 'list', '--client', 'bolt', '--source', 'main')).toEqual(['bolt.main c-1']);
  expect(await idsOf('parked', 'list', '--client', 'acme')).toEqual(['acme.main p-1']);
  expect(await idsOf('parked', 'list', '--client', 'bolt')).toEqual([]);
  // Its file is gone, its calls are there.
  expect(await idsOf('parked', 'list', '--client', 'gone')).toEqual(['gone.main p-1']);
});

test('an unknown client, and a name of another, are errors that say what there is', async () => {
  const { run, receive } = await openAgency();
  await receive('connected', { call_id: 'c-1' }, 'gone.main');
  for (const args of [
    ['calls', 'list'],
    ['dead', 'list'],
    ['replay', '--since', '1d'],
    ['forget', 'c-1'],
  ]) {
    const { code, stderr } = await run(...args, '--client', 'acne');
    expect(stderr).toContain('there is no client "acne"');
    expect(stderr).toContain('did you mean acme? there are: acme, bolt, gone');
    expect(code).toBe(2);
  }
  for (const args of [['check'], ['doctor'], ['provision', '--plan'], ['reconcile'], ['schema', 'pull'], ['test']]) {
    const { code, stderr } = await run(...args, '--client', 'acne');
    expect(stderr).toContain('did you mean acme? there are: acme, bolt');
    expect(code).toBe(2);
  }
  const foreign = await run('calls', 'list', '--client', 'acme', '--source', 'bolt.main');
  expect(foreign).toMatchObject({ code: 2, stderr: expect.stringContaining('does not belong to client acme') });
});

test('a source that several clients have has to be named in full', async () => {
  const { run } = await openAgency();
  const backfill = ['backfill', '--from', '1d'];
  expect((await run(...backfill, '--source', 'main')).stderr).toContain(
    '2 clients each have a source of that name: acme.main, bolt.main',
  );
  expect((await run(...backfill)).stderr).toContain('there are: acme.main, bolt.main');
  // It is found: what is missing is its key.
  expect((await run(...backfill, '--client', 'acme')).stderr).toContain('acme.main');
});

test('show finds the call of one client where two have the id', async () => {
  const { run, receive } = await openAgency();
  await receive('connected', { call_id: 'c-1' }, 'acme.main');
  await receive('connected', { call_id: 'c-1' }, 'bolt.main');
  expect((await run('calls', 'show', 'c-1')).stderr).toContain('several sources have a call c-1: acme.main, bolt.main');
  const shown = await run('calls', 'show', 'c-1', '--client', 'bolt', '--json');
  expect(shown.json()).toMatchObject({ source: 'bolt.main' });
  const other = await run('calls', 'show', 'c-1', '--client', 'gone');
  expect(other.stderr).toContain('the ledger has no call c-1 of client gone');
});

test('replay and drop touch the calls of one client', async () => {
  const { run, settle, store } = await openAgency();
  for (const source of ['acme.main', 'bolt.main']) await settle({ call_id: 'p-1' }, AMBIGUOUS, source);
  const stateOf = async (source: string) => (await store.ledger.read(source, 'p-1'))?.deliveries[0]?.state;
  expect((await run('parked', 'replay', 'p-1', '--client', 'acme', '--json')).json()).toMatchObject({ replayed: 1 });
  expect([await stateOf('acme.main'), await stateOf('bolt.main')]).toEqual(['queued', 'parked']);
  expect((await run('replay', '--since', '1d', '--client', 'bolt', '--json')).json()).toMatchObject({
    items: [{ source: 'bolt.main', replayed: true }],
  });
  expect((await run('parked', 'drop', '--all', '--client', 'acme', '--reason', 'test', '--json')).json()).toMatchObject(
    {
      dropped: 0,
      of: 0,
    },
  );
});

test('forget takes the calls of one client, those that no worker has read included', async () => {
  const { run, receive, store } = await openAgency();
  for (const source of ['acme.main', 'bolt.main', 'gone.main'])
    await receive('connected', { call_id: `of-${source}`, phone: CALLER }, source);
  const plan = await run('forget', CALLER, '--client', 'acme', '--plan', '--json');
  expect(plan.json()).toMatchObject({ calls: [{ source: 'acme.main' }] });
  expect((await run('forget', CALLER, '--client', 'acme', '--json')).json()).toMatchObject({
    calls: [{ source: 'acme.main', payloads: 1 }],
  });
  expect((await run('forget', 'of-gone.main', '--client', 'gone', '--json')).json()).toMatchObject({
    calls: [{ source: 'gone.main', payloads: 1 }],
  });
  expect((await store.ledger.read('bolt.main', 'of-bolt.main'))?.forgotten).toBeUndefined();
  expect((await run('forget', 'of-bolt.main', '--client', 'acme')).code).not.toBe(0);
});

test('connections are listed and paused by the names of the file', async () => {
  const { run, store } = await openAgency();
  const list = (await run('connections', 'list', '--client', 'acme', '--json')).json() as { connection: string }[];
  expect(list.map(({ connection }) => connection)).toEqual(['acme.sales']);
  await run('connections', 'pause', 'sales', '--client', 'acme', '--reason', 'a test');
  const states = await store.connections.readAll(['acme.sales', 'bolt.sales']);
  expect(states.map(({ operator }) => operator?.reason)).toEqual(['a test', undefined]);
  expect((await run('connections', 'pause', 'bolt.sales', '--client', 'acme')).code).toBe(2);
});

test('check is about the file of one client, and a broken one is named by the others', async () => {
  const { run, write } = await openAgency();
  write('clients/acme.yaml', fileOf(SECRET).replace('to: sales', 'to: salse'));
  const acme = await run('check', '--client', 'acme', '--json');
  expect(acme).toMatchObject({ code: 1 });
  const { findings } = acme.json() as { findings: { at: { file: string } }[] };
  expect(findings.every(({ at }) => at.file.endsWith('clients/acme.yaml'))).toBe(true);
  const bolt = await run('check', '--client', 'bolt', '--show', '--json');
  expect(bolt.json()).toMatchObject({ ok: true, config: { connections: { 'bolt.sales': {} } } });
  expect(bolt.stdout).not.toContain('acme');
  const refused = await run('provision', '--plan', '--client', 'acme');
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('the file of client acme has errors') });
});

test('test runs what stands in the folder of the client', async () => {
  const { run, folder, write } = await openAgency();
  expect((await run('test', '--client', 'acme')).stderr).toContain('has no folder of its own');
  mkdirSync(join(folder, 'clients/acme'));
  write('clients/acme/own.yaml', 'extends: hubspot/call-log\n');
  write(
    'clients/acme/own.test.yaml',
    'mapping: own.yaml\ntests:\n  - { name: a call, given: connected, expect: {} }\n',
  );
  const ran = await run('test', '--client', 'acme', '--json');
  expect(ran.json()).toMatchObject({ files: [{ file: expect.stringContaining('clients/acme/own.test.yaml') }] });
  expect((await run('test', '--client', 'bolt')).code).toBe(2);
});
