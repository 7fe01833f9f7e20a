import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newArrival, openTestStore } from '../../../test/support/store.ts';
import { type Arrival, bullPriority, CALLS_QUEUE, priorityOf, type Store } from '../src/index.ts';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

describe('who goes first', () => {
  it('live calls, then replays, then missed ones, then history', async () => {
    const history = newArrival({ received: 'backfill' });
    const missed = newArrival({ received: 'reconciled' });
    const live = newArrival();
    for (const one of [history, missed, live]) await store.accept(one, 90);
    const jobs = await store.queues.get<{ call_id: string }>(CALLS_QUEUE).getJobs(['waiting', 'prioritized']);
    const priority = (call: Arrival) => jobs.find(({ data }) => data.call_id === call.call_id)?.opts.priority ?? 0;
    const replay = bullPriority(priorityOf({ received: 'backfill', replays: 1 })).priority as number;
    expect([priority(live), replay, priority(missed), priority(history)]).toEqual([0, 10, 20, 30]);
  });
});
