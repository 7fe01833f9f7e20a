import { expect, test } from 'vitest';
import { type ReconcileRun, RunStore } from '../src/index.ts';
import { openWorkspace } from './support.ts';

const counts = { listed: 3, known: 2, missing: 1, enqueued: 1, young: 0, unfinished: 0, unreadable: 0 };

test('a source is complete since its last run that was; until one was, since the first began', async () => {
  const { store } = await openWorkspace();
  const runs = new RunStore(store, 'main');
  const run = (result: ReconcileRun['result'], began: number): ReconcileRun => ({
    ...{
      source: 'main',
      by: 'schedule',
      began,
      ended: began + 5,
      result,
      agents: 1,
      counts,
      troubles: [],
      resumed: false,
    },
  });
  expect(await runs.completeSince()).toBeUndefined();
  await runs.begin({ began: 100, by: 'schedule' });
  expect(await runs.completeSince()).toBe(100);
  await runs.end(run('failed', 100));
  await runs.begin({ began: 200, by: 'schedule' });
  await runs.end(run('partial', 200));
  expect(await runs.completeSince()).toBe(100);
  await runs.begin({ began: 300, by: 'schedule' });
  await runs.end(run('complete', 300));
  expect(await runs.completeSince()).toBe(305);
  await runs.begin({ began: 400, by: 'schedule' });
  await runs.end(run('failed', 400));
  expect(await runs.completeSince()).toBe(305);
  // By a process of an earlier version.
  await store.redis.hset(store.keys.reconciled('main'), 'last', JSON.stringify(run('complete', 500)));
  expect(await runs.completeSince()).toBe(505);
});

test('a run of version 0.1, which named the counts otherwise, is read', async () => {
  const { store } = await openWorkspace();
  const run = { source: 'main', by: 'schedule', began: 1, ended: 2, result: 'complete', agents: 1, resumed: false };
  const stored = { ...run, tally: counts, troubles: [{ code: 'x', message: 'quotes "tally":{ of a message' }] };
  await store.redis.hset(store.keys.reconciled('main'), 'last', JSON.stringify(stored));
  expect(await new RunStore(store, 'main').last()).toEqual({ ...run, counts, troubles: stored.troubles });
});
