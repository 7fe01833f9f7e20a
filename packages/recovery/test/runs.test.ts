import { expect, test } from 'vitest';
import { RunStore } from '../src/index.ts';
import { openWorkspace } from './support.ts';

test('a run of version 0.1, which named the counts otherwise, is read', async () => {
  const { store } = await openWorkspace();
  const run = { source: 'main', by: 'schedule', began: 1, ended: 2, result: 'complete', agents: 1, resumed: false };
  const counts = { listed: 3, known: 2, missing: 1, enqueued: 1, young: 0, unfinished: 0, unreadable: 0 };
  const stored = { ...run, tally: counts, troubles: [{ code: 'x', message: 'quotes "tally":{ of a message' }] };
  await store.redis.hset(store.keys.reconciled('main'), 'last', JSON.stringify(stored));
  expect(await new RunStore(store, 'main').last()).toEqual({ ...run, counts, troubles: stored.troubles });
});
