import type { Store } from '../store/store.ts';
import type { UnresolvedState } from './unresolved-filter.ts';
import { indexCall } from './unresolved-index.ts';

const STEPS = ['calls', 'parked', 'dead', 'parked-jobs', 'dead-jobs'] as const;
type Step = (typeof STEPS)[number];

/** Calls, entries or jobs of one round trip. */
const BATCH_SIZE = 250;
/** From one pass to the next, at most; and no longer than the ledger keeps its entries, whose jobs would pile up. */
const EVERY_MS = 24 * 3600_000;
const BUDGET_MS = 5_000;

interface UpkeepOptions {
  /** Epoch ms: the ledger keeps nothing that came earlier. */
  before: number;
  now?: number;
  /** Milliseconds until it stops in between; the next call goes on there. Default 5,000. */
  budget?: number;
  /** Items of one round trip; default 250. */
  batch?: number;
}

type Progress = { step: Step; at: string };

/** Goes on with the pass that is due. @returns true when none is, or this one has come to its end */
export async function maintainIndex(
  store: Store,
  { before, now = Date.now(), budget = BUDGET_MS, batch = BATCH_SIZE }: UpkeepOptions,
): Promise<boolean> {
  const { redis, keys } = store;
  const noted = await redis.hgetall(keys.unresolvedUpkeep);
  if (!noted.step && noted.done_at && now - Number(noted.done_at) < Math.min(EVERY_MS, now - before)) return true;
  const until = Date.now() + budget;
  let progress: Progress = { step: STEPS.find((step) => step === noted.step) ?? 'calls', at: noted.at ?? '' };
  for (;;) {
    const at = await takeStep(store, progress, batch, before);
    const next = STEPS[STEPS.indexOf(progress.step) + (at === undefined ? 1 : 0)];
    if (progress.step === 'calls' && at === undefined) await redis.hset(keys.unresolvedUpkeep, 'complete', '1');
    if (!next) break;
    progress = { step: next, at: at ?? '' };
    await redis.hset(keys.unresolvedUpkeep, progress);
    if (Date.now() >= until) return false;
  }
  await redis.hdel(keys.unresolvedUpkeep, 'step', 'at');
  await redis.hset(keys.unresolvedUpkeep, 'done_at', now);
  return true;
}

/** Whether a pass has gone through all calls once, so that every unresolved item is in the index. */
export async function isIndexComplete({ redis, keys }: Pick<Store, 'redis' | 'keys'>): Promise<boolean> {
  return (await redis.hexists(keys.unresolvedUpkeep, 'complete')) === 1;
}

/** How many are parked or dead that no list shows yet, while the index of an older installation is being made. */
export async function countUnindexed(store: Store, state: UnresolvedState): Promise<number> {
  if (await isIndexComplete(store)) return 0;
  const [jobs, items] = await Promise.all([store.queues.get(state).getWaitingCount(), store.unresolved.count(state)]);
  return Math.max(0, jobs - items);
}

/** @returns where the step goes on; undefined at its end */
async function takeStep(
  store: Store,
  { step, at }: Progress,
  batch: number,
  before: number,
): Promise<string | undefined> {
  switch (step) {
    case 'calls': {
      const { ledger, unresolved } = store.keys;
      const { calls, next } = await store.ledger.pageOfIds({ ...(at ? { after: at } : {}), limit: batch });
      await Promise.all(
        calls.map(({ source, call_id }) => indexCall(store.redis, [ledger(source, call_id), unresolved], [])),
      );
      return next;
    }
    case 'parked':
    case 'dead':
      return (await store.unresolved.page(step, {}, { limit: batch, after: at || undefined })).next;
    case 'parked-jobs':
    case 'dead-jobs': {
      const state = step === 'parked-jobs' ? 'parked' : 'dead';
      const from = Number(at) || 0;
      const { jobs, removed } = await store.operations.prune(state, { from, limit: batch, before });
      return jobs < batch ? undefined : String(from + jobs - removed);
    }
  }
}
