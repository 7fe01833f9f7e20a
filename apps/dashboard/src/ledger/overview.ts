import { CALLS_QUEUE, DEAD_QUEUE, deliveriesQueue, PARKED_QUEUE, type Store } from '@wrapup/queue';
import { type CallState, statesOf } from './search-calls.ts';

export interface Overview {
  /** Calls in the ledger. */
  calls: number;
  /** Jobs that wait, run or are delayed, in `calls` and all deliveries. */
  underWay: number;
  parked: number;
  dead: number;
  /** Calls of the last 24 hours by state; a call with two routes may count twice. */
  day: Partial<Record<CallState, number>>;
  /** The day had more calls than were counted. */
  partial: boolean;
}

const DAY = 24 * 3600_000;
const MOST_COUNTED = 20_000;
const LONGEST = 1_000;
/** Counting a busy day costs Redis thousands of reads, so it is not done for every reader. */
const FRESH = 10_000;

const UNDER_WAY = ['waiting', 'active', 'delayed', 'prioritized'] as const;

/** Counts what is where; remembers the day's numbers for some seconds. */
export function makeOverview(store: Store, connections: () => Promise<string[]>): () => Promise<Overview> {
  let day: { at: number; counts: Promise<Pick<Overview, 'day' | 'partial'>> } | undefined;
  const countOnce = async () => {
    if (!day || Date.now() - day.at > FRESH) day = { at: Date.now(), counts: countDay(store) };
    try {
      return await day.counts;
    } catch (error) {
      day = undefined;
      throw error;
    }
  };
  return async () => {
    const queues = [CALLS_QUEUE, ...(await connections()).map(deliveriesQueue)];
    const [counts, calls, parked, dead, ...underWay] = await Promise.all([
      countOnce(),
      store.ledger.count(),
      countJobs(store, PARKED_QUEUE),
      countJobs(store, DEAD_QUEUE),
      ...queues.map((name) => countJobs(store, name)),
    ]);
    return { calls, parked, dead, underWay: underWay.reduce((sum, jobs) => sum + jobs, 0), ...counts };
  };
}

async function countJobs(store: Store, name: string): Promise<number> {
  const counts = await store.queues.get(name).getJobCounts(...UNDER_WAY);
  return Object.values(counts).reduce((sum, jobs) => sum + jobs, 0);
}

async function countDay(store: Store): Promise<Pick<Overview, 'day' | 'partial'>> {
  const day: Overview['day'] = {};
  const now = Date.now();
  let counted = 0;
  for await (const entry of store.ledger.scan(undefined, now - DAY)) {
    if (counted >= MOST_COUNTED || Date.now() > now + LONGEST) return { day, partial: true };
    counted += 1;
    for (const state of statesOf(entry)) day[state] = (day[state] ?? 0) + 1;
  }
  return { day, partial: false };
}
