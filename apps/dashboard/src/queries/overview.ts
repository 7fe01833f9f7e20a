import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '@wrapup/queue';
import { type CallState, statesOf } from './search-calls.ts';

export interface Overview {
  /** Calls in the ledger. */
  calls: number;
  /** Jobs that wait, run or are delayed, in `calls` and all deliveries. */
  underWay: number;
  parked: number;
  dead: number;
  /** Calls of the last 24 hours by state; a call with two routes may count twice. Absent while they are counted. */
  day?: Partial<Record<CallState, number>>;
  /** The day had more calls than were counted. */
  partial: boolean;
}

const DAY_MS = 24 * 3600_000;
const MAX_COUNTED = 20_000;
const MAX_COUNT_MS = 1_000;
/** Counting a busy day costs Redis thousands of reads, so it is not done for every reader. */
const FRESH_MS = 10_000;
/** Counting pauses for this many times its own duration. */
const PAUSE_FACTOR = 20;
/** How long a page waits for the day's numbers once it has everything else. */
const DAY_WITHIN_MS = 150;

type Day = Required<Pick<Overview, 'day' | 'partial'>>;

/**
 * Counts what is where. The day's numbers are counted behind the pages: one shows those of a moment ago rather than
 * wait, and says so when there are none yet.
 */
export function makeOverview(store: Store, queues: () => Promise<string[]>): () => Promise<Overview> {
  let latest: Day | undefined;
  let due = 0;
  let counting: Promise<Day> | undefined;
  const countOnce = async () => {
    const began = Date.now();
    try {
      latest = await countDay(store);
      due = Date.now() + Math.max(FRESH_MS, PAUSE_FACTOR * (Date.now() - began));
      return latest;
    } finally {
      counting = undefined;
    }
  };
  return async () => {
    if (!latest || Date.now() >= due) counting ??= countOnce();
    const day = counting;
    // Looked at below, or by the next page; Redis being away shows in what is asked for beside it.
    day?.catch(() => {});
    const [calls, parked, dead, states] = await Promise.all([
      store.ledger.count(),
      store.unresolved.count('parked'),
      store.unresolved.count('dead'),
      queues().then((names) => store.queues.read(names)),
    ]);
    const fresh = day && (await Promise.race([day, sleep(DAY_WITHIN_MS, undefined, { ref: false })]));
    return {
      ...{ calls, parked, dead, partial: false },
      underWay: states.reduce((sum, { waiting, active, delayed }) => sum + waiting + active + delayed, 0),
      ...(fresh ?? latest),
    };
  };
}

async function countDay(store: Store): Promise<Day> {
  const day: Day['day'] = {};
  const now = Date.now();
  let counted = 0;
  for await (const entry of store.ledger.scan({ since: now - DAY_MS })) {
    if (counted >= MAX_COUNTED || Date.now() > now + MAX_COUNT_MS) return { day, partial: true };
    counted += 1;
    for (const state of statesOf(entry)) day[state] = (day[state] ?? 0) + 1;
  }
  return { day, partial: false };
}
