/** Data that the release before this one wrote (`data/`), under the processes and the commands of this one. */
import { rmSync } from 'node:fs';
import { isIndexComplete, packSettled } from '@wrapup/queue';
import { Redis } from 'ioredis';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { wrapup } from '../../apps/cli/test/support/run.ts';
import { sweep } from '../../apps/worker/src/upkeep/sweep.ts';
import { loadConfig } from '../../packages/config/src/index.ts';
import { startRedis } from '../support/redis.ts';
import { openSystem } from '../support/system.ts';
import { loadDataFile } from './data-file.ts';
import { CONFIG, CONTRADICTION, DATA_FILE, LEFT, seedPeople, writeEarlierData } from './earlier-data.ts';
import { checkOutEarlier } from './earlier-release.ts';

const HOUR = 3_600_000;

beforeAll(async () => {
  if (!process.env.WRAPUP_WRITE_DATA) return;
  const checkout = checkOutEarlier();
  if (checkout === undefined) throw new Error('this checkout has no history of the release before');
  await writeEarlierData(checkout);
  rmSync(checkout, { recursive: true });
});

async function openUpgraded() {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  await loadDataFile(redis, DATA_FILE);
  const system = await openSystem({ redis: server.url, prefix: 'wrapup', config: CONFIG });
  onTestFinished(() => system.close());
  seedPeople(system);
  await Promise.all([system.startIngress(), system.startWorker()]);
  const run = async (...args: string[]) => {
    const done = await wrapup(args, system.env);
    expect([args, done.stderr, done.code]).toEqual([args, '', 0]);
    return done;
  };
  return { system, redis, run };
}

const idsOf = (list: { call_id: string }[]) => list.map(({ call_id }) => call_id).sort();

test('what it left is shown, waits as it did, and is written once when it may go on', async () => {
  const { system, run } = await openUpgraded();
  const { store } = system;
  expect(idsOf((await run('calls', 'list', '--json')).json())).toEqual(
    Object.values(LEFT)
      .map(({ call }) => call.call_id)
      .sort(),
  );
  expect((await run('calls', 'show', 'left-written')).stdout).toMatch(/call_log: calls \d+ created/);
  // Listed once the first sweep has indexed what the release before kept without an index.
  await expect.poll(() => isIndexComplete(store)).toBe(true);
  const parked = (await run('parked', 'list', '--json')).json() as { call_id: string; code: string }[];
  expect(parked.map(({ call_id, code }) => [call_id, code]).sort()).toEqual([
    ['left-parked', 'ambiguous_person'],
    ['left-written', 'contradiction'],
  ]);
  expect((await run('dead', 'list', '--json')).json()).toMatchObject([{ call_id: 'left-dead', code: 'unavailable' }]);

  // The same bytes are known, and an operator's pause outlasts the release that it was made with.
  expect((await system.post(LEFT.written)).body).toMatchObject({ status: 'duplicate' });
  expect((await system.post(CONTRADICTION)).body).toMatchObject({ status: 'duplicate' });
  expect((await run('connections', 'list')).stdout).toContain('the upgrade');
  await expect
    .poll(async () => (await store.ledger.read('main', 'left-unread'))?.deliveries)
    .toMatchObject([{ state: 'queued' }]);
  expect(await system.crm('calls')).toEqual([]);

  await run('connections', 'resume', 'sales');
  await run('dead', 'replay', 'left-dead');
  const [candidate] = system.sandbox.records('contacts').slice(1);
  await run('parked', 'choose', 'left-parked', '--person', candidate?.id as string);
  await run('parked', 'drop', 'left-written', '--reason', 'the first one was right');
  for (const id of ['left-unread', 'left-paused', 'left-dead', 'left-parked'])
    expect((await system.settled(id)).deliveries, id).toMatchObject([{ state: 'written' }]);
  const logs = await system.crm('calls');
  expect(logs.map(({ properties }) => properties.wrapup_call_id).sort()).toEqual(
    ['left-dead', 'left-parked', 'left-paused', 'left-unread'].map((id) => `main:${id}`),
  );
  // The caller of two calls is found by the payloads of both, though no index names the first.
  expect((await run('forget', '+14155550142', '--plan')).stdout).toMatch(
    /left-written[\s\S]*left-unread|left-unread[\s\S]*left-written/,
  );
});

test('it is taken over while this release runs, and then needs it', async () => {
  const { system, redis, run } = await openUpgraded();
  const { store } = system;
  const versions = () => redis.hmget('{wrapup}:installation', 'data_oldest', 'data_needs');
  expect(await versions()).toEqual(['1', '1']);
  expect((await run('doctor', '--json')).json()).toMatchObject({ redis: { data: { oldest: 1, needs: 1 } } });
  await run('connections', 'resume', 'sales');
  await system.settled('left-paused');
  await system.settled('left-unread');
  const config = (await loadConfig({ file: system.env.WRAPUP_CONFIG, env: system.env })).config;
  if (!config) throw new Error('the configuration has errors');
  const now = Date.now();
  for (const later of [0, 2 * HOUR, 3 * HOUR]) await sweep(store, config, now + later);
  await packSettled(store, { now: now + 4 * HOUR, before: now + 24 * HOUR });
  expect(await versions()).toEqual(['2', '2']);
  expect(await redis.exists('{wrapup}:ledger:main:left-paused')).toBe(0);
  expect((await run('calls', 'show', 'left-paused')).stdout).toContain('written');
  expect((await system.post(LEFT.paused)).body).toMatchObject({ status: 'duplicate' });
});
